-- finish: running -> succeeded or failed.
-- ARGV: id, token, status, then fields and values of the outcome.
-- Returns 1, also when the same call came before (its reply was lost); 0 to a zombie, whose token is an old one.
local id, token, outcome = ARGV[1], ARGV[2], ARGV[3]
local status, current = unpack(redis.call('HMGET', job_key(id), 'status', 'token'))

if not status or current ~= token then return 0 end
if is_finished(status) then return status == outcome and 1 or 0 end
if status ~= 'running' then return 0 end
finish_job(id, outcome, { unpack(ARGV, 4) })
return 1
