-- Deliveries of webhooks: written by the scripts that change a job, moved by those of the dispatcher and the api.
-- Comes behind clock.lua.

-- Rings that say that there is something to send: more of them would say no more.
local BELLS = 16
-- A job tells of its progress no oftener.
local PROGRESS_SECONDS = 5
local TEST_EVENT = 'webhook.test'

local function ring_dispatcher()
  if redis.call('LLEN', OUTBOX_BELL) < BELLS then redis.call('RPUSH', OUTBOX_BELL, 1) end
end

-- Deliveries that somebody waits for stand before all others of their lane.
local URGENT_SECONDS = 1000000000
-- For so long a lane's past is known at least: longer than any delivery waits.
local REMEMBERED_SECONDS = 30 * 86400
-- A list of deliveries outlives the last of them that has ended: others may still wait.
local LISTED_SECONDS = 14 * 86400
-- As many of a list as make sure that it is mostly of deliveries that are there.
local GONE_LOOKS = 3

-- A lane is asked when its first delivery is due and not while it is paused, in the order in which lanes were served
-- last. Those that have not proven themselves stand in a row of their own: they never take all slots.
local function ask_lane(lane)
  local first = redis.call('ZRANGE', waiting_of_lane_key(lane), 0, 0, 'WITHSCORES')
  local paused_until, served_at, proven =
    unpack(redis.call('HMGET', lane_key(lane), 'paused_until', 'served_at', 'proven'))
  local row, other = UNPROVEN_LANES, LANES
  if proven then row, other = LANES, UNPROVEN_LANES end
  redis.call('ZREM', other, lane)
  if not first[1] then
    redis.call('ZREM', row, lane)
    return
  end
  local at = math.max(tonumber(first[2]), tonumber(paused_until or 0), tonumber(served_at or 0))
  redis.call('ZADD', row, string.format('%.6f', at), lane)
end

local function schedule(id, lane, due, is_urgent)
  redis.call('ZADD', OUTBOX, due, id)
  redis.call('ZADD', waiting_of_lane_key(lane), is_urgent and later(due, -URGENT_SECONDS) or due, id)
  ask_lane(lane)
end

local function list_delivery(list, id, time)
  redis.call('ZADD', list, time, id)
  redis.call('PERSIST', list)
  for _, of in ipairs(redis.call('ZRANGE', list, 0, GONE_LOOKS - 1)) do
    if redis.call('EXISTS', delivery_key(of)) == 0 then redis.call('ZREM', list, of) end
  end
end

-- fields: a flat list of further fields and values. is_urgent: somebody waits for it.
local function write_delivery(id, time, caller, lane, endpoint, fields, is_urgent)
  redis.call('HSET', delivery_key(id), 'id', id, 'status', 'pending', 'created_at', time, 'caller', caller,
    'lane', lane, 'attempts', 0, 'tries', 0, 'token', 0, unpack(fields))
  list_delivery(deliveries_of_key(caller), id, time)
  if endpoint then
    redis.call('HSET', delivery_key(id), 'endpoint', endpoint)
    list_delivery(deliveries_at_key(endpoint), id, time)
  end
  schedule(id, lane, time, is_urgent)
  ring_dispatcher()
end

-- The record as an event tells it, also once the job is gone: without what no event tells, which may be long, and
-- without what is nobody's business but ours.
local function snapshot_of(id)
  local fields, told = redis.call('HGETALL', job_key(id)), {}
  for index = 1, #fields, 2 do
    local name = fields[index]
    if name ~= 'url' and name ~= 'timeline' and name:sub(1, 8) ~= 'webhook_' then
      table.insert(told, name)
      table.insert(told, fields[index + 1])
    end
  end
  return cjson.encode(told)
end

-- To be called behind a change of the job, in its script: what is promised of it then stands in the outbox, or the
-- change has not happened. An endpoint that was deleted meanwhile is told nothing.
local function tell_webhook(id, event, time)
  local key = job_key(id)
  local lane, endpoint, events, url, destination, caller, request_id, traceparent = unpack(
    redis.call('HMGET', key, 'webhook_lane', 'webhook_endpoint', 'webhook_events', 'webhook_url', 'webhook_destination',
      'caller', 'request_id', 'traceparent'))
  if not lane then return end
  if endpoint then events, url = unpack(redis.call('HMGET', endpoint_key(endpoint), 'events', 'url')) end
  if not events or not string.find(' ' .. events .. ' ', ' ' .. event .. ' ', 1, true) then return end
  local sequence = redis.call('HINCRBY', key, 'webhook_sequence', 1)
  write_delivery('msg_' .. id:sub(5) .. '_' .. sequence, time, caller or '', lane, endpoint, {
    'event', event, 'job_id', id, 'sequence', sequence, 'url', url, 'destination', destination or '',
    'request_id', request_id or '', 'traceparent', traceparent or '', 'job', snapshot_of(id) })
end

local function tell_webhook_progress(id, time)
  local key = job_key(id)
  local lane, told_at = unpack(redis.call('HMGET', key, 'webhook_lane', 'webhook_progress_at'))
  if not lane or (told_at and tonumber(time) < tonumber(told_at) + PROGRESS_SECONDS) then return end
  redis.call('HSET', key, 'webhook_progress_at', time)
  tell_webhook(id, 'job.progress', time)
end

-- Nothing is sent any more, until somebody asks for it.
local function end_delivery(id, status, because, time, log_seconds)
  local lane, caller, endpoint = unpack(redis.call('HMGET', delivery_key(id), 'lane', 'caller', 'endpoint'))
  redis.call('ZREM', OUTBOX, id)
  redis.call('ZREM', waiting_of_lane_key(lane), id)
  redis.call('HSET', delivery_key(id), 'status', status, 'failed_because', because, 'finished_at', time)
  redis.call('EXPIRE', delivery_key(id), log_seconds)
  redis.call('EXPIRE', attempts_key(id), log_seconds)
  redis.call('EXPIRE', deliveries_of_key(caller), log_seconds + LISTED_SECONDS)
  if endpoint then redis.call('EXPIRE', deliveries_at_key(endpoint), log_seconds + LISTED_SECONDS) end
end

-- The delivery is due now, whatever became of it, and its lane is given a chance. Of one that is being sent the wish is
-- kept: it is sent once more unless it arrives.
-- is_urgent: somebody waits for this one.
local function send_again(id, time, is_urgent)
  local key = delivery_key(id)
  if redis.call('ZSCORE', DELIVERY_LEASES, id) then
    redis.call('HSET', key, 'again', 1)
    return
  end
  local lane, caller, endpoint = unpack(redis.call('HMGET', key, 'lane', 'caller', 'endpoint'))
  redis.call('PERSIST', key)
  redis.call('PERSIST', attempts_key(id))
  redis.call('PERSIST', deliveries_of_key(caller))
  if endpoint then redis.call('PERSIST', deliveries_at_key(endpoint)) end
  redis.call('HSET', key, 'status', 'pending', 'tries', 0, 'retry_reason', 'redelivery')
  redis.call('HDEL', key, 'failed_because', 'finished_at')
  redis.call('HDEL', lane_key(lane), 'paused_until')
  schedule(id, lane, time, is_urgent)
end

-- { record, when it is due or '', attempts }: of a list of deliveries the last is left out.
local function delivery_of(id, with_attempts)
  local fields = redis.call('HGETALL', delivery_key(id))
  if #fields == 0 then return { '', '', {} } end
  local attempts = with_attempts and redis.call('LRANGE', attempts_key(id), 0, -1) or {}
  return { cjson.encode(fields), redis.call('ZSCORE', OUTBOX, id) or '', attempts }
end
