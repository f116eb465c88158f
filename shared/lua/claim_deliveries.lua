-- claim_deliveries: takes deliveries whose time has come, in turns of their lanes. What cannot be sent any more (its
-- endpoint was deleted or disabled, or there is newer news) fails on the way.
-- ARGV: deliveries at most, of these from lanes that fail at most, seconds of a lease, deliveries of one lane at once,
-- failures behind which a lane gets one at a time, seconds that ended deliveries are kept.
-- Returns { { record, token, '1' of a lane that fails or '', url, secrets and login of its endpoint or '', '' and '' },
-- ...}, the instance's secrets or '', seconds until the next turn or '' }.
local limit, suspects, lease_seconds, per_lane, breaker, log_seconds = unpack(ARGV)
limit, suspects, per_lane, breaker = tonumber(limit), tonumber(suspects), tonumber(per_lane), tonumber(breaker)
local time = now()
local LOOKS = 3 * limit + 16
local AWAIT_A_SLOT_SECONDS = 0.5
local claimed = {}

-- Whoever had these is gone. Where it sent them before, they are sent twice: the receiver knows them by their id.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', DELIVERY_LEASES, '-inf', time, 'LIMIT', 0, LOOKS)) do
  local lane = redis.call('HGET', delivery_key(id), 'lane')
  redis.call('ZREM', DELIVERY_LEASES, id)
  if lane then
    schedule(id, lane, time)
  else -- somebody has removed what we keep of it: it must not stand in the way of all others
    redis.call('ZREM', OUTBOX, id)
  end
end

local function take(id, lane, is_suspect)
  local key = delivery_key(id)
  local endpoint, event, job_id = unpack(redis.call('HMGET', key, 'endpoint', 'event', 'job_id'))
  local url, its_secrets, login, disabled
  if not event then
    redis.call('ZREM', OUTBOX, id)
    redis.call('ZREM', waiting_of_lane_key(lane), id)
    return
  end
  if endpoint then
    url, its_secrets, login, disabled =
      unpack(redis.call('HMGET', endpoint_key(endpoint), 'url', 'secrets', 'basic_auth', 'disabled_because'))
    if not url then return end_delivery(id, 'failed', 'endpoint_deleted', time, log_seconds) end
    if disabled and event ~= TEST_EVENT then
      return end_delivery(id, 'failed', 'endpoint_disabled', time, log_seconds)
    end
  end
  -- Stale news of a job that has ended would only stand in the way of its end.
  if event == 'job.progress' and redis.call('ZSCORE', RUNNING, job_id) == false then
    return end_delivery(id, 'failed', 'superseded', time, log_seconds)
  end
  local token = redis.call('HINCRBY', key, 'token', 1)
  local lease_until = later(time, lease_seconds)
  redis.call('HSET', key, 'claimed_at', time)
  redis.call('ZREM', waiting_of_lane_key(lane), id)
  redis.call('ZADD', DELIVERY_LEASES, lease_until, id)
  redis.call('ZADD', held_of_lane_key(lane), lease_until, id)
  if is_suspect then suspects = suspects - 1 end
  table.insert(claimed, { cjson.encode(redis.call('HGETALL', key)), token, is_suspect and '1' or '', url or '',
    its_secrets or '', login or '' })
end

local next_turn = ''
while true do
  local first = redis.call('ZRANGE', LANES, 0, 0, 'WITHSCORES')
  local lane, at = first[1], tonumber(first[2])
  if not lane then break end
  next_turn = math.max(0, at - tonumber(time))
  if next_turn > 0 or #claimed == limit or LOOKS == 0 then break end
  LOOKS = LOOKS - 1
  local failures = tonumber(redis.call('HGET', lane_key(lane), 'failures') or 0)
  local room = failures >= breaker and 1 or per_lane
  redis.call('ZREMRANGEBYSCORE', held_of_lane_key(lane), '-inf', time) -- of leases that have lapsed
  if redis.call('ZCARD', held_of_lane_key(lane)) >= room then
    redis.call('ZREM', LANES, lane) -- whatever comes back from there asks for it again
  elseif failures > 0 and suspects <= 0 then
    redis.call('ZADD', LANES, later(time, AWAIT_A_SLOT_SECONDS), lane)
  else
    local due = redis.call('ZRANGEBYSCORE', waiting_of_lane_key(lane), '-inf', time, 'LIMIT', 0, 1)
    if due[1] then take(due[1], lane, failures > 0) end
    ask_lane(lane, time)
  end
end
return { claimed, redis.call('GET', INSTANCE_SECRETS) or '', tostring(next_turn) }
