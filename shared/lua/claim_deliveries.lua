-- claim_deliveries: takes deliveries whose time has come, in turns of their lanes. What cannot be sent any more (its
-- endpoint was deleted or disabled, or there is newer news) fails on the way.
-- ARGV: deliveries at most, of these from unproven lanes at most, seconds of a lease, deliveries of one lane at once,
-- failures behind which a lane gets one at a time, seconds that ended deliveries are kept.
-- Returns { { record, token, '1' of an unproven lane or '', url, secrets and login of its endpoint or '', '' and '' },
-- ...}, the instance's secrets or '', seconds until the next turn or '' }.
local limit, suspects, lease_seconds, per_lane, breaker, log_seconds = unpack(ARGV)
limit, suspects, per_lane, breaker = tonumber(limit), tonumber(suspects), tonumber(per_lane), tonumber(breaker)
local time = now()
local LOOKS = 3 * limit + 16
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

local function take(id, lane, is_unproven)
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
  if url then redis.call('HSET', key, 'url', url) end -- where it goes now, wherever that was when it was written
  redis.call('ZREM', waiting_of_lane_key(lane), id)
  redis.call('ZADD', DELIVERY_LEASES, lease_until, id)
  redis.call('ZADD', held_of_lane_key(lane), lease_until, id)
  table.insert(claimed, { cjson.encode(redis.call('HGETALL', key)), token, is_unproven and '1' or '', url or '',
    its_secrets or '', login or '' })
end

-- Takes from the lanes of a row until there are so many in all; returns seconds until the next turn there, or nil.
local function take_turns(row, most, is_unproven)
  local looks = LOOKS
  while true do
    local first = redis.call('ZRANGE', row, 0, 0, 'WITHSCORES')
    local lane, at = first[1], tonumber(first[2])
    if not lane then return nil end
    if at > tonumber(time) or #claimed >= most or looks == 0 then return math.max(0, at - tonumber(time)) end
    looks = looks - 1
    local failures = tonumber(redis.call('HGET', lane_key(lane), 'failures') or 0)
    local room = failures >= breaker and 1 or per_lane
    redis.call('ZREMRANGEBYSCORE', held_of_lane_key(lane), '-inf', time) -- of leases that have lapsed
    if redis.call('ZCARD', held_of_lane_key(lane)) >= room then
      redis.call('ZREM', row, lane) -- whatever comes back from there asks for it again
    else
      local due = redis.call('ZRANGEBYSCORE', waiting_of_lane_key(lane), '-inf', time, 'LIMIT', 0, 1)
      redis.call('HSET', lane_key(lane), 'served_at', time)
      if redis.call('TTL', lane_key(lane)) < 0 then redis.call('EXPIRE', lane_key(lane), REMEMBERED_SECONDS) end
      if due[1] then take(due[1], lane, is_unproven) end
      ask_lane(lane)
    end
  end
end

-- Unproven lanes come first, up to what they may have: so neither row can keep the other waiting. Where they may have
-- no more, they are looked at again when one of their own has come back.
local turns = {}
local of_unproven = take_turns(UNPROVEN_LANES, math.min(limit, suspects), true)
if of_unproven and #claimed < suspects then table.insert(turns, of_unproven) end
table.insert(turns, take_turns(LANES, limit, false))
local next_turn = #turns > 0 and tostring(math.min(unpack(turns))) or ''
return { claimed, redis.call('GET', INSTANCE_SECRETS) or '', next_turn }
