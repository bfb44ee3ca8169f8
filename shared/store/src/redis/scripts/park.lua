#!lua
-- Keeps an event that can't be delivered, among its tenant's newest.
--
-- Guarantees
--   One that is kept already stays one entry: its count goes up, the time it was first parked stays, all else is replaced, and it
--   is the newest. Where there are too many then, the oldest goes and is counted.
--   `machine::world::apply_keep` is what it means; the conformance suite holds this script against it.
--
-- KEYS  1 secret  2 parked  3 data  4 order  5 tally
-- ARGV  1 name  2 when (ms)  3 the record, without what this script knows better  4 what the event says  5 how many are kept
--
-- An entry's value: `times first place ` (in decimal), then the record; the place is its score in the order. The tally's:
-- `place dropped`, the place being the last that was given.
-- Returns how often it was parked; 0 where the tenant is not known
-- Example: EVALSHA sha 5 {a}/v1/secret {a}/v1/parked {a}/v1/parked/data {a}/v1/parked/order {a}/v1/parked/tally
--   0f.. 1800000000000 <record> '{"tenant":..' 1000 -> 1
assert(#KEYS == 5 and #ARGV == 5, 'wrong number of keys or arguments')
local call, id = redis.call, ARGV[1]
if call('EXISTS', KEYS[1]) == 0 then return 0 end
local times, first = 1, ARGV[2]
local was = call('HGET', KEYS[2], id)
if was then
  times, first = string.match(was, '^(%d+) (%-?%d+) ')
  if not times then return redis.error_reply('FORM a parked event is of a form that this version does not know') end
  times = tonumber(times) + 1
end
local place, dropped = string.match(call('GET', KEYS[5]) or '0 0', '^(%d+) (%d+)$')
if not place then return redis.error_reply('FORM the tally of parked events is not readable') end
place, dropped = tonumber(place) + 1, tonumber(dropped)
call('HSET', KEYS[2], id, string.format('%.0f %s %.0f ', times, first, place) .. ARGV[3])
call('HSET', KEYS[3], id, ARGV[4])
call('ZADD', KEYS[4], place, id)
for _ = tonumber(ARGV[5]) + 1, call('HLEN', KEYS[2]) do
  local oldest = call('ZRANGEBYSCORE', KEYS[4], '-inf', '+inf', 'LIMIT', 0, 1)[1]
  if not oldest then break end
  call('HDEL', KEYS[2], oldest)
  call('HDEL', KEYS[3], oldest)
  call('ZREM', KEYS[4], oldest)
  dropped = dropped + 1
end
call('SET', KEYS[5], string.format('%.0f %.0f', place, dropped))
return times
