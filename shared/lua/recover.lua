-- recover: deliveries at an endpoint that have failed are due now; some of them at a call.
-- ARGV: endpoint, since when they were written, where to go on in the list (0 first), deliveries looked at at most.
-- Returns { how many are due now, where to go on or '' }.
local endpoint, since, first, looks = unpack(ARGV)
local ids = redis.call('ZRANGEBYSCORE', deliveries_at_key(endpoint), since, '+inf', 'LIMIT', first, looks)
local time, recovered = now(), 0

for _, id in ipairs(ids) do
  local status, because = unpack(redis.call('HMGET', delivery_key(id), 'status', 'failed_because'))
  if status == 'failed' and because ~= 'superseded' then
    send_again(id, time)
    recovered = recovered + 1
  end
end
if recovered > 0 then ring_dispatcher() end
return { recovered, #ids == tonumber(looks) and tostring(first + looks) or '' }
