-- workers: how many workers take messages now. Changes nothing.
return redis.call('ZCOUNT', WORKERS, now(), '+inf')
