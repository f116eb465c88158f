-- issue_events_token: lets whoever holds a token watch one job for a while. Changes no status.
-- ARGV: id, digest of the token, seconds, caller that it is issued to. Returns { until when, whether there was such a job once }; '' where there is no
-- job now.
local id, digest, seconds, caller = unpack(ARGV)

if redis.call('EXISTS', job_key(id)) == 0 then return { '', redis.call('EXISTS', gone_key(id)) } end
redis.call('SET', events_token_key(digest), id .. ' ' .. caller, 'EX', seconds)
return { later(now(), seconds), 1 }
