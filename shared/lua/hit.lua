-- hit: counts requests of a caller against each of its limits; where one is reached, against none.
-- A window begins with the first request that is counted in it.
-- ARGV: the caller, how many requests at most, then pairs of a number of requests and seconds.
-- Returns { how many may go on: all, one where the rest does not fit any more, or 0; then for each limit how many are
-- counted, milliseconds left }.
local caller = ARGV[1]
local granted = tonumber(ARGV[2])
local counts = {}
for i = 3, #ARGV, 2 do
  local count = tonumber(redis.call('GET', rate_key(caller, ARGV[i + 1])) or 0)
  local room = tonumber(ARGV[i]) - count
  if room < granted then granted = math.max(math.min(room, 1), 0) end
  counts[#counts + 1] = count
end
local answer = { granted }
for i = 3, #ARGV, 2 do
  local key, count = rate_key(caller, ARGV[i + 1]), counts[(i - 1) / 2]
  if granted > 0 then
    count = redis.call('INCRBY', key, granted)
    if count == granted then redis.call('PEXPIRE', key, ARGV[i + 1] * 1000) end
  end
  local left = count > 0 and redis.call('PTTL', key) or 0
  answer[#answer + 1] = count
  answer[#answer + 1] = left
end
return answer
