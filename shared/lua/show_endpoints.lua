-- show_endpoints: ARGV: a caller and '': all of his, the newest first; or '' and an id. Changes nothing.
-- Returns { what endpoint_of says, ... }.
local caller, id = unpack(ARGV)
local ids = id ~= '' and { id } or redis.call('ZREVRANGE', endpoints_of_key(caller), 0, -1)
local shown = {}

for _, each in ipairs(ids) do table.insert(shown, endpoint_of(each)) end
return shown
