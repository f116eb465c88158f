-- test_endpoint: an event that is of no job is due at an endpoint, also at one that is disabled.
-- ARGV: endpoint, id of the delivery. Returns what delivery_of says; a record '' is no endpoint.
local endpoint, id = unpack(ARGV)
local url, caller = unpack(redis.call('HMGET', endpoint_key(endpoint), 'url', 'caller'))

if not url then return { '', '', {} } end
if redis.call('EXISTS', delivery_key(id)) == 0 then
  redis.call('HDEL', lane_key(endpoint), 'paused_until')
  write_delivery(id, now(), caller, endpoint, endpoint,
    { 'event', TEST_EVENT, 'sequence', 1, 'url', url, 'destination', '' }, true)
end
return delivery_of(id, true)
