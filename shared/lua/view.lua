-- A job as whoever asks is shown it; comes behind admission.lua.

local drained -- looked up once, however many jobs are shown

-- { record, place in its queue or -1, runs that ended in a minute (0 where it does not wait) }; no record: no job now.
local function view(id)
  local key = job_key(id)
  local kind, queue = unpack(redis.call('HMGET', key, 'kind', 'queue'))
  local place = queue and redis.call('ZRANK', queued_key(kind, queue), id)
  if place and not drained then drained = drained_in_a_minute(now()) end
  return { redis.call('HGETALL', key), place or -1, place and drained or 0 }
end
