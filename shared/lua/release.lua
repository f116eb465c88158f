-- release: running -> queued, by the worker that holds the lease and will not go on; the attempt does not count.
-- ARGV: id, token. Returns the Celery queue to ring at, also when the same call came before (its reply was lost);
-- '' where the lease is another's, or the job has ended.
local id, token = unpack(ARGV)
local key = job_key(id)
local status, current, kind, cancel_requested =
  unpack(redis.call('HMGET', key, 'status', 'token', 'kind', 'cancel_requested'))

if current ~= token then return '' end
if status == 'queued' then return RECOVERED_QUEUE[kind or 'upload'] end
if status ~= 'running' then return '' end
if cancel_requested then
  finish_job(id, 'cancelled', {})
  return ''
end
redis.call('HINCRBY', key, 'attempt', -1)
return requeue(id)
