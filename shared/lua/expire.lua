-- expire: queued -> expired, of jobs whose deadline passed while they waited.
-- ARGV: jobs a sweep at most. Returns what `told` says of each.
local news = {}
local expired = redis.call('ZRANGEBYSCORE', DEADLINES, '-inf', now(), 'LIMIT', 0, ARGV[1])

for _, id in ipairs(expired) do
  redis.call('ZREM', DEADLINES, id)
  if redis.call('HGET', job_key(id), 'status') == 'queued' then
    finish_job(id, 'expired', {})
    table.insert(news, told(id, 'expired'))
  end
end
return news
