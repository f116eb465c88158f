-- progress: running -> running, with another stage and fraction to be seen, and windows whose answers are known by now.
-- ARGV: id, token, stage, fraction, number of the first window (from 0), then the windows. Returns what renew does.
local id, token, stage, fraction, first_window = unpack(ARGV, 1, 5)
local key = job_key(id)
local status, current, cancel_requested, old_stage, old_fraction =
  unpack(redis.call('HMGET', key, 'status', 'token', 'cancel_requested', 'stage', 'fraction'))

if status ~= 'running' or current ~= token then return 'lost' end
if stage ~= old_stage or tonumber(fraction) ~= tonumber(old_fraction) then
  local time = now()
  redis.call('HSET', key, 'stage', stage, 'fraction', fraction, 'progressed_at', time)
  tell_progress(id)
  tell_webhook_progress(id, time)
end
tell_windows(id, tonumber(first_window), 6, #ARGV)
return cancel_requested and 'cancel' or 'kept'
