-- add_endpoint: ARGV: id, caller, endpoints of a caller at most, then fields and values.
-- Returns what endpoint_of says; '' and '' where the caller has as many as he may.
local id, caller, most = unpack(ARGV, 1, 3)
local time = now()

if redis.call('EXISTS', endpoint_key(id)) == 0 then -- else the same call came before
  if redis.call('ZCARD', endpoints_of_key(caller)) >= tonumber(most) then return { '', '' } end
  redis.call('HSET', endpoint_key(id), 'id', id, 'caller', caller, 'created_at', time, 'updated_at', time,
    unpack(ARGV, 4))
  redis.call('ZADD', endpoints_of_key(caller), time, id)
end
return endpoint_of(id)
