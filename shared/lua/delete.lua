-- delete: finished -> gone, all but its tombstone; queued -> cancelled, and then the same; running stays as it is.
-- ARGV: id, model and answer key under which its answer may be given again, or '' and ''.
-- Returns 'cancelled' where it waited until now, 'deleted', 'running', or 'unknown'.
local id, model, answer = unpack(ARGV)
local key = job_key(id)
local status, caller, idempotency = unpack(redis.call('HMGET', key, 'status', 'caller', 'idempotency'))

local function delete_of_this_job(name)
  if redis.call('GET', name) == id then redis.call('DEL', name) end
end

if not status then return 'unknown' end
if status == 'running' then return 'running' end
if status == 'queued' then finish_job(id, 'cancelled', {}) end
if idempotency then delete_of_this_job(idempotency_key(idempotency)) end
if answer ~= '' then delete_of_this_job(answer_key(model, answer)) end
if caller then redis.call('ZREM', jobs_of_key(caller), id) end
redis.call('DEL', events_key(id))
redis.call('DEL', key) -- what finish_job has set up to tell that it was there stays
return status == 'queued' and 'cancelled' or 'deleted'
