-- What every script begins with: the clock, and how a record is told. Key names come before it, generated from
-- redis_keys.py.

-- Seconds since 1970 as text with microseconds: the one clock of every transition.
local function now()
  local time = redis.call('TIME')
  return string.format('%d.%06d', time[1], time[2])
end

-- A record as one text, '' where there is none: a client reads that far more quickly than an array of as many parts.
local function record_of(id)
  local fields = redis.call('HGETALL', job_key(id))
  return #fields > 0 and cjson.encode(fields) or ''
end

local function later(time, seconds)
  return string.format('%.6f', tonumber(time) + tonumber(seconds))
end
