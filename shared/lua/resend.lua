-- resend: a delivery is due now, whatever became of it before; one that is being sent stays as it is.
-- ARGV: id. Returns what delivery_of says, with attempts; a record '' is no delivery.
local id = ARGV[1]

if redis.call('EXISTS', delivery_key(id)) == 1 then
  send_again(id, now(), true)
  ring_dispatcher()
end
return delivery_of(id, true)
