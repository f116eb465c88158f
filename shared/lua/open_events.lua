-- open_events: what somebody is told who begins to watch a job; changes nothing.
-- ARGV: id. Returns { what view says, whether there was such a job once, id of the event that this is the state before,
-- id of the last event, the events in between that are windows of the attempt that runs }.
local id = ARGV[1]
local key = job_key(id)
local status, from, to = unpack(redis.call('HMGET', key, 'status', 'events_from', 'events_to'))
local newest = redis.call('XREVRANGE', events_key(id), '+', '-', 'COUNT', 1)[1]
local last = to or newest and newest[1] or '0-0'
local windows = {}

if status == 'running' and from then
  for _, event in ipairs(redis.call('XRANGE', events_key(id), '(' .. from, '+')) do
    if event[2][2] == 'window' then table.insert(windows, event) end
  end
end
return { view(id), redis.call('EXISTS', gone_key(id)), #windows > 0 and from or last, last, windows }
