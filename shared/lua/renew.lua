-- renew: running -> running, with the lease prolonged.
-- ARGV: id, token, lease seconds. Returns 'kept', 'cancel' where the job is to stop, or 'lost' where the lease is
-- another's by now.
local id, token, lease_seconds = unpack(ARGV)
local status, current, cancel_requested = unpack(redis.call('HMGET', job_key(id), 'status', 'token', 'cancel_requested'))

if status ~= 'running' or current ~= token then return 'lost' end
redis.call('ZADD', RUNNING, later(now(), lease_seconds), id)
return cancel_requested and 'cancel' or 'kept'
