-- rotate_secret: the new secret signs from now on, the one in force for some time more, older ones until their own
-- time is over.
-- ARGV: endpoint, or '' for the instance; new secret, '' to make sure that there is one; the one to begin with where
-- there is none; seconds that the old one goes on to sign.
-- Returns the secrets, as they are kept: a list of { text, until }; '' where there is no such endpoint.
local endpoint, new, first, seconds = unpack(ARGV)
local text

if endpoint == '' then
  text = redis.call('GET', INSTANCE_SECRETS)
else
  text = redis.call('HGET', endpoint_key(endpoint), 'secrets')
  if not text then return '' end
end
local kept = text and cjson.decode(text) or {}
local wanted = new ~= '' and new or (kept[1] and kept[1].text or first)
if kept[1] and kept[1].text == wanted then return text end -- also where the same call came before
local MOST = 5 -- each adds a signature to every request
local secrets = { { text = wanted } }
if kept[1] then table.insert(secrets, { text = kept[1].text, ['until'] = tonumber(later(now(), seconds)) }) end
for index = 2, #kept do
  local is_over = tonumber(kept[index]['until']) <= tonumber(now())
  if not is_over and #secrets < MOST and kept[index].text ~= wanted then table.insert(secrets, kept[index]) end
end
text = cjson.encode(secrets)
if endpoint == '' then
  redis.call('SET', INSTANCE_SECRETS, text)
else
  redis.call('HSET', endpoint_key(endpoint), 'secrets', text, 'updated_at', now())
end
return text
