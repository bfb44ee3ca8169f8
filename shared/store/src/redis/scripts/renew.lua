#!lua
-- Gives an emptied test lane its counters, with nothing given of them, and its tally: from then on it is played in.
--
-- KEYS  1 note  2 tally  3 counters' names  then the counters
-- ARGV  1 the note's value  then 2 for each counter: name, figure
--
-- Returns 1, or 0 where that was done already
-- Example: EVALSHA sha 4 {a/b/0}/v1/1/note .../test/tally .../test/counters .../test/c/stock/mug '{"id":..}' stock/mug 3 -> 1
local count = (#ARGV - 1) / 2
assert(#KEYS == 3 + count, 'wrong number of keys or arguments')
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('DEL', KEYS[3])
for i = 1, count do
  local name, figure = ARGV[2 * i], ARGV[2 * i + 1]
  redis.call('SET', KEYS[3 + i], '0 ' .. figure .. ' ' .. figure .. ' 0')
  redis.call('SADD', KEYS[3], name)
end
redis.call('SET', KEYS[2], '0 0 0 0')
return 1
