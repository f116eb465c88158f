-- reap: running with a lapsed lease -> queued, or to an end: -> failed with no attempts left, -> cancelled where
-- that was asked for; and finds lost doorbells.
-- ARGV: seconds after which a doorbell counts as lost, jobs a sweep at most, error of a job without attempts.
-- Returns { lapsed, failed, cancelled, { id, Celery queue, id, Celery queue, ... }, { what `told` says of each } }:
-- the caller rings the fourth and logs the fifth.
local rering_seconds, limit, exhausted = unpack(ARGV)
local time = now()
local lapsed, failed, cancelled, rings, news = 0, 0, 0, {}, {}

for _, id in ipairs(redis.call('ZRANGEBYSCORE', RUNNING, '-inf', time, 'LIMIT', 0, limit)) do
  local attempt, max_attempts, cancel_requested =
    unpack(redis.call('HMGET', job_key(id), 'attempt', 'max_attempts', 'cancel_requested'))
  lapsed = lapsed + 1
  if not attempt then
    redis.call('ZREM', RUNNING, id)
    redis.call('ZREM', ACTIVE, id)
    redis.call('DEL', events_key(id))
  elseif cancel_requested then
    finish_job(id, 'cancelled', {})
    cancelled = cancelled + 1
    table.insert(news, told(id, 'cancelled'))
  elseif tonumber(attempt) >= tonumber(max_attempts) then
    finish_job(id, 'failed', { 'error', exhausted })
    failed = failed + 1
    table.insert(news, told(id, 'failed'))
  else
    table.insert(rings, id)
    table.insert(rings, requeue(id))
    table.insert(news, told(id, 'queued'))
  end
end

-- A doorbell is rung again only while the broker holds fewer of them than jobs wait, so that a long queue that
-- is merely slow draws no storm of rings. Jobs that are passed over count as rung: they are looked at again later.
local missing = {}

-- Jobs that came well after this one have been claimed: it was passed over, so its own doorbell is lost, however
-- many ring in its queue. It goes before all others, of which no more wait there than a sweep can hold.
local function is_overtaken(broker_queue, accepted_at)
  local served = tonumber(redis.call('HGET', SERVED, broker_queue) or 0)
  return served <= tonumber(time) and tonumber(accepted_at) < served - rering_seconds
end

for kind, queues in pairs(BROKER_QUEUE) do
  local recovered = redis.call('LLEN', RECOVERED_QUEUE[kind]) -- theirs are jobs of any of the queues
  missing[RECOVERED_QUEUE[kind]] = limit - recovered
  for queue, broker_queue in pairs(queues) do
    missing[broker_queue] = redis.call('ZCARD', queued_key(kind, queue))
      - redis.call('LLEN', broker_queue) - recovered
  end
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', RUNG, '-inf', later(time, -rering_seconds), 'LIMIT', 0, limit)) do
  local kind, queue, accepted_at = unpack(redis.call('HMGET', job_key(id), 'kind', 'queue', 'accepted_at'))
  if not queue then
    redis.call('ZREM', RUNG, id)
  else
    redis.call('ZADD', RUNG, time, id)
    local broker_queue = BROKER_QUEUE[kind or 'upload'][queue]
    if is_overtaken(broker_queue, accepted_at) then broker_queue = RECOVERED_QUEUE[kind or 'upload'] end
    if missing[broker_queue] > 0 then
      missing[broker_queue] = missing[broker_queue] - 1
      table.insert(rings, id)
      table.insert(rings, broker_queue)
      table.insert(news, told(id, 'rung'))
    end
  end
end
return { lapsed, failed, cancelled, rings, news }
