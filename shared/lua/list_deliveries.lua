-- list_deliveries: a page of a caller's deliveries, the newest first. Changes none; what is gone leaves the list.
-- ARGV: caller, endpoint or '' (then all of the caller's), status or '' for any, since when they were written,
-- deliveries on a page at most, deliveries looked at at most, score and id at which the page before has ended, or ''
-- and ''.
-- Returns { score, id, { what delivery_of says, ... } }: at which this page has ended, '' and '' at the end of all.
local caller, endpoint, wanted, since, limit, looks, after_score, after_id = unpack(ARGV)
local CHUNK = 100
local list = endpoint ~= '' and deliveries_at_key(endpoint) or deliveries_of_key(caller)
local page, gone, looked, more = {}, {}, 0, false
local last_score, last_id = '', ''
local newest = after_score ~= '' and after_score or '+inf'
local skip = 0

-- Where the page before has ended is a place among all that there ever were: that one may be gone by now.
local function was_shown(score, id)
  return after_score ~= '' and tonumber(score) == tonumber(after_score) and id >= after_id
end

limit, looks = tonumber(limit), tonumber(looks)
repeat
  local entries =
    redis.call('ZREVRANGEBYSCORE', list, newest, since, 'WITHSCORES', 'LIMIT', skip, CHUNK)
  for index = 1, #entries, 2 do
    local id, score = entries[index], entries[index + 1]
    if not was_shown(score, id) then
      more = #page == limit or looked == looks
      if more then break end
      looked, last_score, last_id = looked + 1, score, id
      local status, of = unpack(redis.call('HMGET', delivery_key(id), 'status', 'caller'))
      if not status then
        table.insert(gone, id)
      elseif (endpoint ~= '' or of == caller) and (wanted == '' or status == wanted) then
        table.insert(page, delivery_of(id, false))
      end
    end
  end
  skip = skip + CHUNK
until more or #entries < 2 * CHUNK

for _, id in ipairs(gone) do redis.call('ZREM', list, id) end
return { more and last_score or '', more and last_id or '', page }
