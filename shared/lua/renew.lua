-- renew: running -> running, with the lease prolonged.
-- ARGV: id, token, lease seconds. Returns 1, or 0 when the lease is another's by now.
local id, token, lease_seconds = unpack(ARGV)
local status, current = unpack(redis.call('HMGET', job_key(id), 'status', 'token'))

if status ~= 'running' or current ~= token then return 0 end
redis.call('ZADD', RUNNING, later(now(), lease_seconds), id)
return 1
