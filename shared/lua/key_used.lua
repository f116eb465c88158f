-- key_used: a key was used now. Written at most once in so many seconds, and only while there is such a key.
-- ARGV: id of the key, those seconds.
local key, now = api_key(ARGV[1]), tonumber(redis.call('TIME')[1])
if redis.call('EXISTS', key) == 0 then return 0 end
local last = tonumber(redis.call('HGET', key, 'last_used_at') or 0)
if now - last < tonumber(ARGV[2]) then return 0 end
redis.call('HSET', key, 'last_used_at', now)
return 1
