-- Claims one unit for one user under one idempotency key: all of it or nothing, in one round trip.
-- What a careful team writes by hand beside Koa or Fastify: the yardstick of the draw bench.
--
-- KEYS: 1 the idempotency key, 2 the user's state, 3 the user's counter of the day, 4 the stock, 5 the stream of claims
-- ARGV: 1 the user, 2 the day, 3 claims a day at most, 4 the reward
-- Answers { outcome, units left }: `again` and `no-chances` and `sold-out` change nothing but the key.
-- Example: (k:alice:1, u:alice, d:alice:2026-11-22, stock, claims; alice, 2026-11-22, 3, coupon) -> { 'won', 41 }
assert(#KEYS == 5 and #ARGV == 4)
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', 86400) then return { 'again', 0 } end
local state = redis.call('HMGET', KEYS[2], 'version', 'claims')
local today = redis.call('INCR', KEYS[3])
if today == 1 then redis.call('EXPIRE', KEYS[3], 172800) end
if today > tonumber(ARGV[3]) then
  redis.call('DECR', KEYS[3])
  return { 'no-chances', 0 }
end
local left = redis.call('DECR', KEYS[4])
if left < 0 then
  redis.call('INCR', KEYS[4])
  redis.call('DECR', KEYS[3])
  return { 'sold-out', 0 }
end
local version = (tonumber(state[1]) or 0) + 1
redis.call('HSET', KEYS[2], 'version', version, 'claims', (tonumber(state[2]) or 0) + 1, 'last', ARGV[2])
redis.call('XADD', KEYS[5], 'MAXLEN', '~', 10000, '*', 'user', ARGV[1], 'reward', ARGV[4], 'key', KEYS[1])
return { 'won', left }
