-- change_endpoint: ARGV: id, '1' where its lane is to begin anew (or 'enabled': where it was disabled) or '', then fields
-- and values; a value '' is none.
-- Returns what endpoint_of says; '' and '' where there is no such endpoint.
local id, begin_anew = unpack(ARGV, 1, 2)
local key = endpoint_key(id)

if redis.call('EXISTS', key) == 0 then return { '', '' } end
if begin_anew == 'enabled' then begin_anew = redis.call('HEXISTS', key, 'disabled_because') == 1 and '1' or '' end
for index = 3, #ARGV, 2 do
  if ARGV[index + 1] == '' then
    redis.call('HDEL', key, ARGV[index])
  else
    redis.call('HSET', key, ARGV[index], ARGV[index + 1])
  end
end
redis.call('HSET', key, 'updated_at', now())
if begin_anew == '1' then
  redis.call('DEL', lane_key(id))
  ask_lane(id)
  ring_dispatcher()
end
return endpoint_of(id)
