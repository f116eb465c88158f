-- record_attempt: what came of a delivery that was claimed. Delivered or failed, it ends; else it waits again.
-- ARGV: id, token, the attempt, URL that it was sent to, body, 'delivered', 'failed' or 'retry', why it failed or '',
-- seconds until the next attempt or '', why there is one or '', what it says of the lane ('well', 'slow', 'alive',
-- 'ill'), seconds that the lane is paused on top or 0, failures behind which a lane is paused, seconds of the first
-- such pause, of the longest, seconds of failures only behind which an endpoint is disabled, seconds that ended
-- deliveries are kept.
-- Returns { 'delivered', 'failed' or 'retried'; or 'lost': another has it by now, and nothing changes; why its endpoint
-- was disabled by this or '' }. The same also where the same call came before (its reply was lost).
local id, token, attempt, url, body, verdict, because, retry_seconds, reason, health, pause = unpack(ARGV, 1, 11)
local breaker, first_pause, longest_pause, disable_seconds, log_seconds = unpack(ARGV, 12)
local key, time = delivery_key(id), now()
local current, lane, endpoint, recorded = unpack(redis.call('HMGET', key, 'token', 'lane', 'endpoint', 'recorded'))
local ATTEMPTS_KEPT = 50
if recorded == token then return { redis.call('HGET', key, 'recorded_as'), '' } end
if current ~= token or not redis.call('ZSCORE', DELIVERY_LEASES, id) then return { 'lost', '' } end

-- Its endpoint has another receiver by now: what this one says of itself is nothing about that one, which shall hear
-- of the event, too.
local its_url = endpoint and redis.call('HGET', endpoint_key(endpoint), 'url')
local sent_elsewhere = its_url and its_url ~= url
-- Somebody has asked for it while it was being sent.
local is_wanted_again = redis.call('HDEL', key, 'again') == 1
if verdict ~= 'delivered' and (sent_elsewhere or is_wanted_again) then
  verdict, because, retry_seconds, reason = 'retry', '', 0, 'redelivery'
end

local its_lane = lane_key(lane)
local answer = verdict == 'retry' and 'retried' or verdict
local disabled = ''
redis.call('ZREM', DELIVERY_LEASES, id)
redis.call('ZREM', held_of_lane_key(lane), id)
redis.call('RPUSH', attempts_key(id), attempt)
redis.call('LTRIM', attempts_key(id), -ATTEMPTS_KEPT, -1)
redis.call('HINCRBY', key, 'attempts', 1)
redis.call('HSET', key, 'body', body, 'recorded', token, 'recorded_as', answer)
redis.call('HDEL', key, 'job') -- the body has been made of it

if sent_elsewhere then
  health = ''
elseif health == 'ill' then
  local failures = redis.call('HINCRBY', its_lane, 'failures', 1)
  local over = failures - tonumber(breaker)
  if over >= 0 then pause = math.max(pause, math.min(longest_pause, first_pause * 2 ^ math.min(over, 30))) end
elseif health == 'alive' then
  redis.call('HDEL', its_lane, 'failures') -- but who has asked to be left alone is
else
  redis.call('HDEL', its_lane, 'failures', 'paused_until')
end
if not sent_elsewhere then
  local paused_until = tonumber(redis.call('HGET', its_lane, 'paused_until') or 0)
  if tonumber(pause) > 0 and paused_until < tonumber(later(time, pause)) then
    redis.call('HSET', its_lane, 'paused_until', later(time, pause))
  end
  if verdict == 'delivered' then
    redis.call('HDEL', its_lane, 'failing_since')
  else
    redis.call('HSETNX', its_lane, 'failing_since', time)
  end
  if health == 'well' then
    redis.call('HSET', its_lane, 'proven', 1)
  elseif health ~= 'alive' then
    redis.call('HDEL', its_lane, 'proven')
  end
  redis.call('EXPIRE', its_lane, tonumber(disable_seconds) + REMEMBERED_SECONDS)
end

if endpoint and verdict ~= 'delivered' and not sent_elsewhere and redis.call('EXISTS', endpoint_key(endpoint)) == 1 then
  local failing_since = tonumber(redis.call('HGET', its_lane, 'failing_since'))
  if because == 'gone' then
    disabled = 'gone'
  elseif tonumber(time) - failing_since > tonumber(disable_seconds) then
    disabled = 'failing'
  end
  if disabled ~= '' and redis.call('HSETNX', endpoint_key(endpoint), 'disabled_because', disabled) == 0 then
    disabled = ''
  end
end

if verdict == 'retry' then
  redis.call('HSET', key, 'tries', reason == 'redelivery' and 0 or redis.call('HGET', key, 'tries') + 1)
  redis.call('HSET', key, 'retry_reason', reason)
  schedule(id, lane, later(time, retry_seconds))
else
  end_delivery(id, verdict, because, time, log_seconds)
end
ask_lane(lane)
return { answer, disabled }
