-- stand_by: a worker makes room for a suspect; no other one needs to be rung for. Changes no status.
-- ARGV: id. Returns 1, or 0 where the job waits no more.
local id = ARGV[1]

if redis.call('HGET', job_key(id), 'status') ~= 'queued' then return 0 end
redis.call('ZADD', RUNG, now(), id)
return 1
