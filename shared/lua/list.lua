-- list: a page of a caller's jobs, the newest first. Changes no job; what is gone leaves the list on the way.
-- ARGV: caller, status or '' for any, jobs on a page at most, jobs looked at at most, score and id of the job at which
-- the page before has ended, or '' and ''.
-- Returns { score, id, { view, view, ... } }: of the job at which this page has ended, '' and '' at the end of all.
local caller, wanted, limit, looks, after_score, after_id = unpack(ARGV)
local CHUNK = 100
local list = jobs_of_key(caller)
local page, gone, looked, more = {}, {}, 0, false
local last_score, last_id = '', ''
local first = after_score ~= '' and redis.call('ZCOUNT', list, '(' .. after_score, '+inf') or 0

-- Where the page before has ended is a place among all jobs there ever were: that one may be gone by now.
local function was_shown(score, id)
  return after_score ~= '' and tonumber(score) == tonumber(after_score) and id >= after_id
end

limit, looks = tonumber(limit), tonumber(looks)
repeat
  local entries = redis.call('ZREVRANGE', list, first, first + CHUNK - 1, 'WITHSCORES')
  for index = 1, #entries, 2 do
    local id, score = entries[index], entries[index + 1]
    if not was_shown(score, id) then
      more = #page == limit or looked == looks
      if more then break end
      looked, last_score, last_id = looked + 1, score, id
      local status = redis.call('HGET', job_key(id), 'status')
      if not status then
        table.insert(gone, id)
      elseif wanted == '' or status == wanted then
        table.insert(page, view(id))
      end
    end
  end
  first = first + CHUNK
until more or #entries < 2 * CHUNK

for _, id in ipairs(gone) do redis.call('ZREM', list, id) end
return { more and last_score or '', more and last_id or '', page }
