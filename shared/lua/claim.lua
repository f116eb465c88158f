-- claim: queued, or running with a lapsed lease -> running; or to an end: -> failed with no attempts left,
-- -> expired behind its deadline, -> cancelled where that was asked for while its lease ran out.
-- ARGV: id, owner (unique to this call), lease seconds, '1' from a worker that runs nothing else, error of a job
-- without attempts.
-- Returns { verdict }, for 'claimed' with the record behind it, for an end with what `told` says of it. 'suspect'
-- changes no status: what has lost every worker so far has one attempt left, and that is for a worker that runs
-- nothing else.
local id, owner, lease_seconds, alone, exhausted = unpack(ARGV)
local key, time = job_key(id), now()
local status, holder, attempt, max_attempts, cancel_requested, kind, queue, accepted_at, started_at, deadline =
  unpack(redis.call('HMGET', key, 'status', 'owner', 'attempt', 'max_attempts', 'cancel_requested', 'kind', 'queue',
    'accepted_at', 'started_at', 'deadline_at'))

if not status then return { 'unknown' } end
if is_finished(status) then return { 'finished' } end
if status == 'running' then
  if holder == owner then return { 'claimed', record_of(id) } end -- the reply was lost
  local lease_until = redis.call('ZSCORE', RUNNING, id)
  if lease_until and tonumber(lease_until) > tonumber(time) then return { 'leased' } end
end
if cancel_requested then
  finish_job(id, 'cancelled', {})
  return { 'cancelled', told(id, 'cancelled') }
end
if deadline and not started_at and tonumber(deadline) <= tonumber(time) then
  finish_job(id, 'expired', {})
  return { 'expired', told(id, 'expired') }
end
if tonumber(attempt) >= tonumber(max_attempts) then
  finish_job(id, 'failed', { 'error', exhausted })
  return { 'exhausted', told(id, 'failed') }
end
if alone ~= '1' and tonumber(attempt) > 0 and tonumber(attempt) + 1 == tonumber(max_attempts) then
  if status == 'queued' then redis.call('ZADD', RUNG, time, id) end -- one worker that makes room for it is enough
  return { 'suspect' }
end

leave_queue(id)
if not started_at then
  local row = BROKER_QUEUE[kind or 'upload'][queue]
  local served = redis.call('HGET', SERVED, row)
  if not served or tonumber(served) < tonumber(accepted_at) then redis.call('HSET', SERVED, row, accepted_at) end
end
redis.call('HINCRBY', key, 'attempt', 1)
redis.call('HINCRBY', key, 'token', 1)
redis.call('HSET', key, 'status', 'running', 'owner', owner, 'claimed_at', time, 'stage', 'fetch',
  'fraction', 0)
redis.call('ZADD', RUNNING, later(time, lease_seconds), id)
redis.call('HDEL', key, 'windows')
redis.call('HSET', key, 'events_from', tell_progress(id)) -- what a new watcher is told begins behind it
if redis.call('HSETNX', key, 'started_at', time) == 1 then tell_webhook(id, 'job.started', time) end
return { 'claimed', record_of(id) }
