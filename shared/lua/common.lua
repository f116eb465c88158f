-- What all transitions share. Key names come before it, generated from redis_keys.py.

-- Seconds since 1970 as text with microseconds: the one clock of every transition.
local function now()
  local time = redis.call('TIME')
  return string.format('%d.%06d', time[1], time[2])
end

local function later(time, seconds)
  return string.format('%.6f', tonumber(time) + tonumber(seconds))
end

local function is_finished(status)
  return status == 'succeeded' or status == 'failed' or status == 'cancelled' or status == 'expired'
end

-- The end of a job: its status never changes again, and the record goes when its time is over.
-- fields: a flat list of further fields and values.
local function finish_job(id, status, fields)
  local key, time = job_key(id), now()
  local kind, queue, ttl = unpack(redis.call('HMGET', key, 'kind', 'queue', 'result_ttl_seconds'))
  redis.call('HSET', key, 'status', status, 'finished_at', time, 'expires_at', later(time, ttl), unpack(fields))
  if status == 'succeeded' then redis.call('HSET', key, 'fraction', 1) end
  redis.call('ZREM', RUNNING, id)
  redis.call('ZREM', ACTIVE, id)
  redis.call('ZREM', RUNG, id)
  redis.call('ZREM', queued_key(kind, queue), id)
  redis.call('HDEL', key, 'url') -- it may hold a signature: kept only for as long as somebody has to fetch it
  redis.call('EXPIRE', key, ttl)
end
