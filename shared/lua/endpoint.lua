-- What the scripts of endpoints share; comes behind outbox.lua.

-- { record, since when nothing has succeeded there or '' }
local function endpoint_of(id)
  local fields = redis.call('HGETALL', endpoint_key(id))
  if #fields == 0 then return { '', '' } end
  return { cjson.encode(fields), redis.call('HGET', lane_key(id), 'failing_since') or '' }
end
