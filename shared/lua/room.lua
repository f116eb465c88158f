-- room: whether a job would be accepted now. Changes nothing, promises nothing.
-- ARGV: caller, bytes of its audio, idempotency key or '', the four limits.
-- Returns { 'accepted' }, or what no_room says.
local caller, bytes, idempotency = unpack(ARGV, 1, 3)
local FIRST_LIMIT = 4

if idempotency ~= '' and redis.call('EXISTS', idempotency_key(idempotency)) == 1 then return { 'accepted' } end
return no_room(caller, tonumber(bytes), limits_of(FIRST_LIMIT)) or { 'accepted' }
