-- finish: running -> succeeded, failed or cancelled.
-- ARGV: id, token, status, model and answer key (or '') under which the answer may be given again, number of the first
-- window that was not told of yet (from 0), how many these are, they themselves, then fields and values of the outcome.
-- Returns 1, also when the same call came before (its reply was lost); 0 to a zombie: its token is an old one, or
-- the job was ended without it.
local id, token, outcome, model, answer, first_window, windows = unpack(ARGV, 1, 7)
local FIRST_WINDOW = 8
local FIRST_FIELD = FIRST_WINDOW + tonumber(windows)
local status, current, ttl, ended_by =
  unpack(redis.call('HMGET', job_key(id), 'status', 'token', 'result_ttl_seconds', 'ended_by'))

if not status or current ~= token then return 0 end
if is_finished(status) then return status == outcome and ended_by == token and 1 or 0 end
if status ~= 'running' then return 0 end
tell_windows(id, tonumber(first_window), FIRST_WINDOW, FIRST_FIELD - 1)
finish_job(id, outcome, { 'ended_by', token, unpack(ARGV, FIRST_FIELD) })
count_drained(now())
if outcome == 'succeeded' and answer ~= '' then redis.call('SET', answer_key(model, answer), id, 'EX', ttl) end
return 1
