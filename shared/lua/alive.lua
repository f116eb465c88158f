-- alive: a worker says that it takes messages.
-- ARGV: worker, seconds for which that holds. Workers that fell silent are forgotten here.
local worker, seconds = unpack(ARGV)
local time = now()

redis.call('ZREMRANGEBYSCORE', WORKERS, '-inf', time)
redis.call('ZADD', WORKERS, later(time, seconds), worker)
return 1
