-- progress: running -> running, with another stage and fraction to be seen.
-- ARGV: id, token, stage, fraction. Returns what renew does.
local id, token, stage, fraction = unpack(ARGV)
local key = job_key(id)
local status, current, cancel_requested = unpack(redis.call('HMGET', key, 'status', 'token', 'cancel_requested'))

if status ~= 'running' or current ~= token then return 'lost' end
redis.call('HSET', key, 'stage', stage, 'fraction', fraction, 'progressed_at', now())
return cancel_requested and 'cancel' or 'kept'
