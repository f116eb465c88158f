-- spent: finished jobs whose audio may still lie in the store. Changes nothing: `forget` does, once it is gone.
-- ARGV: seconds since the end, in which its worker removes the audio itself; jobs at most. Returns ids.
return redis.call('ZRANGEBYSCORE', SPENT, '-inf', later(now(), -ARGV[1]), 'LIMIT', 0, ARGV[2])
