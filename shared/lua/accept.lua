-- accept: (nothing) -> queued.
-- ARGV: id, queue, then fields and values that never change.
-- Returns 1, also when the same call came before (its reply was lost).
local id, queue = ARGV[1], ARGV[2]
local key, time = job_key(id), now()

if redis.call('EXISTS', key) == 1 then return 1 end
redis.call('HSET', key, 'id', id, 'queue', queue, 'status', 'queued', 'attempt', 0, 'token', 0,
  'accepted_at', time, unpack(ARGV, 3))
redis.call('ZADD', queued_key(queue), time, id)
redis.call('ZADD', ACTIVE, time, id)
redis.call('ZADD', RUNG, time, id) -- the api rings next; if it dies before, the reaper sees an old ring
return 1
