-- finish: running -> succeeded, failed or cancelled.
-- ARGV: id, token, status, model and answer key (or '') under which the answer may be given again, then fields and
-- values of the outcome.
-- Returns 1, also when the same call came before (its reply was lost); 0 to a zombie: its token is an old one, or
-- the job was ended without it.
local id, token, outcome, model, answer = unpack(ARGV, 1, 5)
local status, current, ttl, ended_by =
  unpack(redis.call('HMGET', job_key(id), 'status', 'token', 'result_ttl_seconds', 'ended_by'))

if not status or current ~= token then return 0 end
if is_finished(status) then return status == outcome and ended_by == token and 1 or 0 end
if status ~= 'running' then return 0 end
finish_job(id, outcome, { 'ended_by', token, unpack(ARGV, 6) })
count_drained(now())
if outcome == 'succeeded' and answer ~= '' then redis.call('SET', answer_key(model, answer), id, 'EX', ttl) end
return 1
