-- Whether there is room for one more job; shared by accept and room, comes behind common.lua.

-- Ends of runs are counted in slots of ten seconds: how quickly the queue drains is the sum of the last six.
local DRAIN_SLOT_SECONDS, DRAIN_SLOTS = 10, 6

local function drain_slot(time, back)
  return drained_key(math.floor(tonumber(time) / DRAIN_SLOT_SECONDS) - back)
end

local function count_drained(time)
  local slot = drain_slot(time, 0)
  redis.call('INCR', slot)
  redis.call('EXPIRE', slot, DRAIN_SLOT_SECONDS * (DRAIN_SLOTS + 2))
end

-- Runs that ended in the last minute or so: of the slot that is not full yet, and of the six before it.
local function drained_in_a_minute(time)
  local sum = 0
  for back = 0, DRAIN_SLOTS do
    sum = sum + tonumber(redis.call('GET', drain_slot(time, back)) or 0)
  end
  return sum
end

-- limits: jobs and bytes in all, jobs and bytes of a caller. Returns nil where there is room, or else
-- { 'over_quota' or 'queue_full', how many jobs wait in all, runs that ended in a minute }: a caller's jobs stand
-- among those of the others, and no sooner than a share of all has ended can he hope for that share of his.
local function no_room(caller, bytes, limits)
  local function waiting(field) return tonumber(redis.call('HGET', WAITING, field) or 0) end
  local max_jobs, max_bytes, max_caller_jobs, max_caller_bytes = unpack(limits)
  local jobs = waiting('jobs')
  local verdict

  if waiting('jobs:' .. caller) + 1 > max_caller_jobs or waiting('bytes:' .. caller) + bytes > max_caller_bytes then
    verdict = 'over_quota'
  elseif jobs + 1 > max_jobs or waiting('bytes') + bytes > max_bytes then
    verdict = 'queue_full'
  end
  return verdict and { verdict, jobs, drained_in_a_minute(now()) }
end

local function limits_of(first)
  local limits = {}
  for index = 0, 3 do limits[index + 1] = tonumber(ARGV[first + index]) end
  return limits
end
