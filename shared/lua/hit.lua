-- hit: counts a request of a caller against each of its limits; where one is reached, against none.
-- A window begins with the first request that is counted in it.
-- ARGV: the caller, then pairs of a number of requests and seconds.
-- Returns { 1 where the request may go on, else 0; then for each limit how many are counted, milliseconds left }.
local caller = ARGV[1]
local allowed = 1
local counts = {}
for i = 2, #ARGV, 2 do
  local count = tonumber(redis.call('GET', rate_key(caller, ARGV[i + 1])) or 0)
  if count >= tonumber(ARGV[i]) then allowed = 0 end
  counts[#counts + 1] = count
end
local answer = { allowed }
for i = 2, #ARGV, 2 do
  local key, count = rate_key(caller, ARGV[i + 1]), counts[i / 2]
  if allowed == 1 then
    count = redis.call('INCR', key)
    if count == 1 then redis.call('PEXPIRE', key, ARGV[i + 1] * 1000) end
  end
  local left = count > 0 and redis.call('PTTL', key) or 0
  answer[#answer + 1] = count
  answer[#answer + 1] = left
end
return answer
