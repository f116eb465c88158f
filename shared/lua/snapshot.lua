-- snapshot: reads a job and its place in its queue at one moment; changes nothing.
-- ARGV: id. Returns { record, place or -1 }; an empty record is an unknown job.
local id = ARGV[1]
local key = job_key(id)
local queue = redis.call('HGET', key, 'queue')
local place = queue and redis.call('ZRANK', queued_key(queue), id)

return { redis.call('HGETALL', key), place or -1 }
