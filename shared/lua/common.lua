-- What all transitions of jobs share; comes behind outbox.lua.

local function is_finished(status)
  return status == 'succeeded' or status == 'failed' or status == 'cancelled' or status == 'expired'
end

-- How many jobs and how many bytes of audio wait, in all and of each caller: what admission looks at.
local function count_waiting(caller, jobs, bytes)
  local changes = { { 'jobs', jobs }, { 'bytes', bytes }, { 'jobs:' .. caller, jobs }, { 'bytes:' .. caller, bytes } }
  for _, change in ipairs(changes) do
    local field, count = unpack(change)
    if count ~= 0 and redis.call('HINCRBY', WAITING, field, count) == 0 then redis.call('HDEL', WAITING, field) end
  end
end

-- A caller's list holds his jobs by their age, those that are gone only until somebody comes across them. It lives for
-- as long as one of them waits, and for a day longer than the record of the one that ended last: no run takes a day.
local AFTER_THE_LAST_SECONDS = 86400

local function keep_listed(caller, id, accepted_at)
  redis.call('ZADD', jobs_of_key(caller), accepted_at, id)
  redis.call('PERSIST', jobs_of_key(caller))
end

local function keep_listed_for(caller, id, accepted_at, seconds)
  local list, rest = jobs_of_key(caller), tonumber(seconds) + AFTER_THE_LAST_SECONDS
  redis.call('ZADD', list, accepted_at, id)
  local waits = redis.call('HEXISTS', WAITING, 'jobs:' .. caller) == 1
  if not waits and redis.call('TTL', list) < rest then redis.call('EXPIRE', list, rest) end
end

-- Of a job's stream no fewer events than these are kept: an hour with four a second, and the windows of eight hours.
local EVENTS_KEPT = 16384
-- For so long after the end of its job a stream can be read from where it was left.
local EVENTS_SECONDS = 3600

local function write_event(id, ...)
  return redis.call('XADD', events_key(id), 'MAXLEN', '~', EVENTS_KEPT, '*', ...)
end

-- Watchers read the stream: what they hear is only that there is something to read, and of which kind.
local function ring_watchers(id, kind)
  redis.call('PUBLISH', events_key(id), kind)
end

-- To be called behind every change of a job that has not finished, once a worker had it: a job that waits for its
-- first has no stream. Returns the event's id.
local function tell_progress(id)
  local status, attempt, stage, fraction, cancel_requested =
    unpack(redis.call('HMGET', job_key(id), 'status', 'attempt', 'stage', 'fraction', 'cancel_requested'))
  local event = write_event(id, 'kind', 'progress', 'status', status, 'attempt', attempt, 'stage', stage or '',
    'fraction', fraction or 0, 'cancel_requested', cancel_requested or '')
  ring_watchers(id, 'progress')
  return event
end

-- Windows of the attempt that runs: ARGV[from] to ARGV[to], the first of them its `first`th, counted from 0. What was
-- told before (the reply was lost) is not told again.
local function tell_windows(id, first, from, to)
  if to < from then return end
  local attempt, told = unpack(redis.call('HMGET', job_key(id), 'attempt', 'windows'))
  local known = tonumber(told or 0)
  for index = from + math.max(0, known - first), to do
    write_event(id, 'kind', 'window', 'attempt', attempt, 'entry', ARGV[index])
  end
  redis.call('HSET', job_key(id), 'windows', math.max(known, first + to - from + 1))
  ring_watchers(id, 'window')
end

-- The end of the stream, and of its time. A job that no worker ever had gets none: its watchers see the record.
local function tell_end(id, time, ttl)
  local event = redis.call('XADD', events_key(id), 'NOMKSTREAM', 'MAXLEN', '~', EVENTS_KEPT, '*', 'kind', 'finished')
  redis.call('HSET', job_key(id), 'events_to', event or string.format('%d-0', math.floor(tonumber(time) * 1000)))
  redis.call('EXPIRE', events_key(id), math.min(tonumber(ttl), EVENTS_SECONDS))
  ring_watchers(id, 'finished')
end

-- The job waits from now on, at the place that its age gives it. rung_at: when its doorbell was rung last.
local function enter_queue(id, rung_at)
  local kind, queue, accepted_at, caller, bytes, deadline, started_at = unpack(
    redis.call('HMGET', job_key(id), 'kind', 'queue', 'accepted_at', 'caller', 'bytes', 'deadline_at', 'started_at'))
  redis.call('ZADD', queued_key(kind, queue), accepted_at, id)
  redis.call('ZADD', RUNG, rung_at, id)
  if deadline and not started_at then redis.call('ZADD', DEADLINES, deadline, id) end
  if caller then
    count_waiting(caller, 1, tonumber(bytes))
    keep_listed(caller, id, accepted_at)
  end
end

-- The job waits no more; nothing happens where it did not.
local function leave_queue(id)
  local kind, queue, caller, bytes = unpack(redis.call('HMGET', job_key(id), 'kind', 'queue', 'caller', 'bytes'))
  redis.call('ZREM', RUNG, id)
  redis.call('ZREM', DEADLINES, id)
  if redis.call('ZREM', queued_key(kind, queue), id) == 1 and caller then
    count_waiting(caller, -1, -tonumber(bytes))
  end
end

-- What a log line says of a job: { id, what became of it, id of its request or '', traceparent or '' }.
local function told(id, fate)
  local request_id, traceparent = unpack(redis.call('HMGET', job_key(id), 'request_id', 'traceparent'))
  return { id, fate, request_id or '', traceparent or '' }
end

-- The lease is over and the job waits again, to be taken before all others: a caller rings at what this returns.
local function requeue(id)
  redis.call('HSET', job_key(id), 'status', 'queued', 'owner', '', 'stage', '', 'fraction', 0)
  redis.call('ZREM', RUNNING, id)
  enter_queue(id, now())
  tell_progress(id)
  return RECOVERED_QUEUE[redis.call('HGET', job_key(id), 'kind') or 'upload']
end

-- The end of a job: its status never changes again, and the record goes when its time is over.
-- fields: a flat list of further fields and values.
local function finish_job(id, status, fields)
  local key, time = job_key(id), now()
  local kind, ttl, tombstone_ttl, idempotency, caller, accepted_at =
    unpack(redis.call('HMGET', key, 'kind', 'result_ttl_seconds', 'tombstone_ttl_seconds', 'idempotency', 'caller',
      'accepted_at'))
  leave_queue(id)
  redis.call('HSET', key, 'status', status, 'finished_at', time, 'expires_at', later(time, ttl), unpack(fields))
  if status == 'succeeded' then redis.call('HSET', key, 'fraction', 1) end
  redis.call('ZREM', RUNNING, id)
  redis.call('ZREM', ACTIVE, id)
  redis.call('HDEL', key, 'url') -- it may hold a signature: kept only for as long as somebody has to fetch it
  if (kind or 'upload') == 'upload' then redis.call('ZADD', SPENT, time, id) end
  tell_end(id, time, ttl)
  tell_webhook(id, 'job.' .. status, time)
  -- Nobody is told anything any more, and a secret may be among them.
  redis.call('HDEL', key, 'webhook_lane', 'webhook_endpoint', 'webhook_events', 'webhook_url', 'webhook_destination')
  redis.call('EXPIRE', key, ttl)
  -- Whose it was: to other callers there never was such a job.
  redis.call('SET', gone_key(id), caller or '', 'EX', tonumber(ttl) + tonumber(tombstone_ttl or 0))
  if idempotency then redis.call('EXPIRE', idempotency_key(idempotency), ttl) end
  if caller then keep_listed_for(caller, id, accepted_at, ttl) end
end
