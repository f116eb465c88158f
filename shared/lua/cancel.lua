-- cancel: queued -> cancelled; running -> running, with the wish noted: its worker stops and says so.
-- ARGV: id. Returns { verdict, record }: 'cancelled' now or 'again', 'requested', 'finished' otherwise, 'unknown'.
local id = ARGV[1]
local key = job_key(id)
local status = redis.call('HGET', key, 'status')
local verdict = 'finished'

if not status then return { 'unknown', '' } end
if status == 'queued' then
  finish_job(id, 'cancelled', {})
  verdict = 'cancelled'
elseif status == 'running' then
  if redis.call('HSET', key, 'cancel_requested', 1) == 1 then tell_progress(id) end
  verdict = 'requested'
elseif status == 'cancelled' then
  verdict = 'again'
end
return { verdict, record_of(id) }
