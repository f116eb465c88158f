-- accept: (nothing) -> queued; or at once -> succeeded, where these bytes were answered before.
-- ARGV: id, kind of its source, queue, caller, bytes of its audio, seconds until its deadline or '', idempotency
-- key or '', fingerprint of the request, answer key or '', the four limits, then fields that never change.
-- Returns { 'accepted', what view says }, also when the same call came before (its reply was lost); { 'known', what
-- view says } of the job that this idempotency key made before; { 'reused' } where that one was of another request;
-- or what no_room says.
local id, kind, queue, caller, bytes, deadline_seconds, idempotency, fingerprint, answer = unpack(ARGV, 1, 9)
local FIRST_LIMIT, FIRST_FIELD = 10, 14
local key, time = job_key(id), now()

local function shown(verdict, of) return { verdict, view(of) } end

-- As many of the caller's list as make sure that it is mostly of jobs that are there, though he never looks at it.
local GONE_LOOKS = 3

local function forget_some_that_are_gone()
  local list = jobs_of_key(caller)
  for _, of in ipairs(redis.call('ZRANDMEMBER', list, GONE_LOOKS)) do
    if redis.call('EXISTS', job_key(of)) == 0 then redis.call('ZREM', list, of) end
  end
end

if redis.call('EXISTS', key) == 1 then return shown('accepted', id) end

if idempotency ~= '' then
  local first = redis.call('GET', idempotency_key(idempotency))
  local of_first = first and redis.call('HGET', job_key(first), 'fingerprint')
  if of_first == fingerprint then return shown('known', first) end
  if of_first then return { 'reused' } end
end

local model = redis.call('GET', MODEL)
local donor = answer ~= '' and model and redis.call('GET', answer_key(model, answer))
local result, timeline, donor_model, source, heard
if donor then
  result, timeline, donor_model, source, heard =
    unpack(redis.call('HMGET', job_key(donor), 'result', 'timeline', 'model', 'source', 'heard'))
end
if not result then
  local refused = no_room(caller, tonumber(bytes), limits_of(FIRST_LIMIT))
  if refused then return refused end
end

redis.call('HSET', key, 'id', id, 'kind', kind, 'queue', queue, 'status', 'queued', 'attempt', 0, 'token', 0,
  'accepted_at', time, 'caller', caller, 'bytes', bytes, unpack(ARGV, FIRST_FIELD))
if deadline_seconds ~= '' then redis.call('HSET', key, 'deadline_at', later(time, deadline_seconds)) end
if idempotency ~= '' then
  redis.call('HSET', key, 'idempotency', idempotency, 'fingerprint', fingerprint)
  redis.call('SET', idempotency_key(idempotency), id)
end
if result then
  local fields = { 'result', result, 'model', donor_model, 'heard', heard or source }
  if timeline then
    table.insert(fields, 'timeline')
    table.insert(fields, timeline)
  end
  finish_job(id, 'succeeded', fields)
  -- The newest record answers for the longest.
  redis.call('SET', answer_key(model, answer), id, 'EX', redis.call('HGET', key, 'result_ttl_seconds'))
else
  redis.call('ZADD', ACTIVE, time, id)
  enter_queue(id, time) -- the api rings next; if it dies before, the reaper sees an old ring
end
forget_some_that_are_gone()
return shown('accepted', id)
