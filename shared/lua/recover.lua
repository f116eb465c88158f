-- recover: deliveries at an endpoint that have failed, or wait to be tried again, are due now; some of them at a call.
-- ARGV: endpoint, since when they were written, id at which the call before has ended there or '', deliveries looked at
-- at most. Returns { how many are due now, since when to go on, id at which this call has ended }, '' and '' at the end.
local endpoint, since, after_id, looks = unpack(ARGV)
local entries = redis.call('ZRANGEBYSCORE', deliveries_at_key(endpoint), since, '+inf', 'WITHSCORES', 'LIMIT', 0, looks)
local time, recovered = now(), 0

-- What is being sent is left alone, and so is what newer news has taken the place of.
local function is_to_be_sent(id)
  local status, because, tries = unpack(redis.call('HMGET', delivery_key(id), 'status', 'failed_because', 'tries'))
  if status == 'failed' then return because ~= 'superseded' end
  return status == 'pending' and tonumber(tries) > 0 and not redis.call('ZSCORE', DELIVERY_LEASES, id)
end

for index = 1, #entries, 2 do
  local id, score = entries[index], entries[index + 1]
  -- Places are scores and ids: others may leave the list between two calls.
  local was_looked_at = after_id ~= '' and tonumber(score) == tonumber(since) and id <= after_id
  if not was_looked_at and is_to_be_sent(id) then
    send_again(id, time)
    recovered = recovered + 1
  end
end
if recovered > 0 then ring_dispatcher() end
if #entries < 2 * tonumber(looks) then return { recovered, '', '' } end
return { recovered, entries[#entries], entries[#entries - 1] }
