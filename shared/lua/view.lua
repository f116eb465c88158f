-- A job as whoever asks is shown it; comes behind admission.lua.

local drained -- looked up once, however many jobs are shown

-- { record or '', place in its queue or -1, runs that ended in a minute (0 where it does not wait) }; '': no job now.
local function view(id)
  local kind, queue = unpack(redis.call('HMGET', job_key(id), 'kind', 'queue'))
  local place = queue and redis.call('ZRANK', queued_key(kind, queue), id)
  if place and not drained then drained = drained_in_a_minute(now()) end
  return { record_of(id), place or -1, place and drained or 0 }
end
