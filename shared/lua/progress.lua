-- progress: running -> running, with another stage and fraction to be seen.
-- ARGV: id, token, stage, fraction. Returns 1, or 0 when the lease is another's by now.
local id, token, stage, fraction = unpack(ARGV)
local key = job_key(id)
local status, current = unpack(redis.call('HMGET', key, 'status', 'token'))

if status ~= 'running' or current ~= token then return 0 end
redis.call('HSET', key, 'stage', stage, 'fraction', fraction)
return 1
