-- snapshot: reads a job and its place in its queue at one moment; changes nothing.
-- ARGV: id. Returns { what view says, whether there was such a job once }; a record '' is no job now.
local id = ARGV[1]

return { view(id), redis.call('EXISTS', gone_key(id)) }
