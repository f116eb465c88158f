-- remove_endpoint: ARGV: id. What waits for it fails when its turn comes. Returns 1, or 0 where there was none.
local id = ARGV[1]
local caller = redis.call('HGET', endpoint_key(id), 'caller')

if not caller then return 0 end
redis.call('ZREM', endpoints_of_key(caller), id)
redis.call('DEL', endpoint_key(id))
redis.call('HDEL', lane_key(id), 'paused_until')
ask_lane(id)
ring_dispatcher()
return 1
