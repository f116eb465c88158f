-- accept: (nothing) -> queued.
-- ARGV: id, kind of its source, queue, then fields and values that never change (but see finish_job).
-- Returns { record, place in the queue or -1 }, also when the same call came before (its reply was lost).
local id, kind, queue = ARGV[1], ARGV[2], ARGV[3]
local key, time = job_key(id), now()

if redis.call('EXISTS', key) == 0 then
  redis.call('HSET', key, 'id', id, 'kind', kind, 'queue', queue, 'status', 'queued', 'attempt', 0, 'token', 0,
    'accepted_at', time, unpack(ARGV, 4))
  redis.call('ZADD', queued_key(kind, queue), time, id)
  redis.call('ZADD', ACTIVE, time, id)
  redis.call('ZADD', RUNG, time, id) -- the api rings next; if it dies before, the reaper sees an old ring
end
return { redis.call('HGETALL', key), redis.call('ZRANK', queued_key(kind, queue), id) or -1 }
