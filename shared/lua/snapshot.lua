-- snapshot: reads a job and its place in its queue at one moment; changes nothing.
-- ARGV: id. Returns { record, place or -1, whether there was such a job once }; an empty record is no job now.
local id = ARGV[1]
local key = job_key(id)
local kind, queue = unpack(redis.call('HMGET', key, 'kind', 'queue'))
local place = queue and redis.call('ZRANK', queued_key(kind, queue), id)

return { redis.call('HGETALL', key), place or -1, redis.call('EXISTS', gone_key(id)) }
