-- alive: a worker says that it takes messages, and which model it holds.
-- ARGV: worker, seconds for which that holds, SHA-256 of the model. Workers that fell silent are forgotten here.
local worker, seconds, model = unpack(ARGV)
local time = now()

redis.call('ZREMRANGEBYSCORE', WORKERS, '-inf', time)
redis.call('ZADD', WORKERS, later(time, seconds), worker)
redis.call('SET', MODEL, model) -- an answer is given again only while the fleet holds the model that gave it
return 1
