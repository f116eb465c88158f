-- read_events: what has happened to a job since an event; changes nothing.
-- ARGV: id, id of that event ('0-0' is before all, '' is none that there is), events at most.
-- Returns { verdict, whether there was such a job once, record, events }. 'read': these are the next events; the record
-- is there once the job has finished and these are the last. 'lost': what came next is not known any more; the record
-- as before. 'over': that event was the last of all. 'unknown': there is no such job now.
local id, after, limit = unpack(ARGV)
local key, stream = job_key(id), events_key(id)
local status, to = unpack(redis.call('HMGET', key, 'status', 'events_to'))

-- Whether all that came behind that event is still there.
local function is_whole()
  if after == '' then return false end
  if after ~= '0-0' then return #redis.call('XRANGE', stream, after, after) == 1 end
  if redis.call('EXISTS', stream) == 0 then return true end
  local facts, info = {}, redis.call('XINFO', 'STREAM', stream)
  for index = 1, #info, 2 do facts[info[index]] = info[index + 1] end
  return facts['length'] == facts['entries-added']
end

if not status then return { 'unknown', redis.call('EXISTS', gone_key(id)), '', {} } end
if to and to == after then return { 'over', 0, '', {} } end
local verdict, events = 'lost', {}
if is_whole() then
  verdict, events = 'read', redis.call('XRANGE', stream, '(' .. after, '+', 'COUNT', limit)
end
local newest = events[#events]
local is_last = is_finished(status) and (#events < tonumber(limit) or newest[1] == to)
return { verdict, 0, is_last and record_of(id) or '', events }
