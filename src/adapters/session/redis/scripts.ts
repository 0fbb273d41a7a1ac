/**
 * Each call is one script, which Redis runs whole and alone. A session is a hash `h` (version, bytes, when it was updated) and a list `e` of its
 * entries; a user's names stand in a sorted set `i`, in the order of their bytes. All keys of one user carry its hash tag, so that they lie in
 * one slot of a cluster. The service's own clock decides about expiry.
 */
const now = `local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)`;

/** KEYS h, e, i. ARGV expected, first, bytes, most bytes, milliseconds to live or '', name, entries. Gives the new version, 'conflict' or 'full'. */
export const append = `
${now}
local version = redis.call('HGET', KEYS[1], 'version')
local expected = ARGV[1]
if expected == '0' then
  if version then return 'conflict' end
  version = ARGV[2]
  -- Redis refuses no write for want of memory once a script has written.
  if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('DEL', KEYS[2]) end
elseif version ~= expected then return 'conflict' end
local bytes = tonumber(redis.call('HGET', KEYS[1], 'bytes') or '0') + tonumber(ARGV[3])
if bytes > tonumber(ARGV[4]) then return 'full' end
for i = 7, #ARGV do redis.call('RPUSH', KEYS[2], ARGV[i]) end
local after = string.format('%.0f', tonumber(version) + #ARGV - 6)
redis.call('HSET', KEYS[1], 'version', after, 'bytes', string.format('%.0f', bytes), 'updated', string.format('%.0f', now))
for i = 1, 2 do
  if ARGV[5] == '' then redis.call('PERSIST', KEYS[i]) else redis.call('PEXPIREAT', KEYS[i], string.format('%.0f', now + tonumber(ARGV[5]))) end
end
redis.call('ZADD', KEYS[3], 0, ARGV[6])
return after`;

/** KEYS h, e. Gives version, milliseconds left (-1 for good) and the entries. */
export const read = `
local version = redis.call('HGET', KEYS[1], 'version')
if not version then return false end
return { version, redis.call('PTTL', KEYS[1]), redis.call('LRANGE', KEYS[2], 0, -1) }`;

/** KEYS i. ARGV after, how many, start of the names of h. Gives name, version, updated of each in turn; what has expired leaves the set. */
export const list = `
local from = ARGV[1] == '' and '-' or '(' .. ARGV[1]
local found = {}
while #found < ARGV[2] * 3 do
  local names = redis.call('ZRANGEBYLEX', KEYS[1], from, '+', 'LIMIT', 0, ARGV[2])
  if #names == 0 then break end
  for _, name in ipairs(names) do
    local head = redis.call('HMGET', ARGV[3] .. name, 'version', 'updated')
    if not head[1] then redis.call('ZREM', KEYS[1], name)
    elseif #found < ARGV[2] * 3 then
      for _, value in ipairs({ name, head[1], head[2] }) do found[#found + 1] = value end
    end
  end
  from = '(' .. names[#names]
end
return found`;

/** KEYS h, e, i. ARGV name. */
export const remove = `
local count = redis.call('DEL', KEYS[1])
redis.call('DEL', KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
return count`;

/** KEYS i. ARGV start of the names of h, and of e. */
export const removeUser = `
local count = 0
for _, name in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  count = count + redis.call('DEL', ARGV[1] .. name)
  redis.call('DEL', ARGV[2] .. name)
end
redis.call('DEL', KEYS[1])
return count`;
