#!lua
-- Makes a pool of codes another: with one more segment, or with an owner; books that in the tenant's audit and remembers the answer:
-- all of it, or nothing.
--
-- KEYS  1 audit  2 answer (any key of the slot where ARGV[3] is '')  3 pools  4 the new segment's codes (any key of the slot where
--       ARGV[8] is '')
-- ARGV  1 how long the audit must be  2 the entry  3 the answer's value ('' none)  4 for how long to know it, ms
--       5 the pool's name  6 its value as it was seen ('' none)  7 its value as it shall be
--       8 how many chunks the new segment must have ('' there is none)
--       9 how often codes were put, as it was seen ('' they are not put): whoever puts some knows all that were put before
--
-- Returns the entry's number; -1 where the audit has grown or the pool has changed meanwhile (look again), -2 where the new segment
-- is not all there, -3 where others have put codes meanwhile
-- Example: EVALSHA sha 4 {a}/v1/audit {a}/v1/answer/a1.. {a}/v1/codes {a}/v1/codes/0f..
--   2 <entry> <answer> 172800000 course-codes <value> <value> 20 3 -> 2
assert(#KEYS == 4 and #ARGV == 9, 'wrong number of keys or arguments')
local call = redis.call
if ARGV[9] ~= '' and (call('HGET', KEYS[3], '') or '0') ~= ARGV[9] then return -3 end
if (call('HGET', KEYS[3], ARGV[5]) or '') ~= ARGV[6] then return -1 end
if ARGV[8] ~= '' and call('HLEN', KEYS[4]) ~= tonumber(ARGV[8]) then return -2 end
if call('LLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return -1 end
call('RPUSH', KEYS[1], ARGV[2])
call('HSET', KEYS[3], ARGV[5], ARGV[7])
if ARGV[9] ~= '' then call('HSET', KEYS[3], '', tostring(tonumber(ARGV[9]) + 1)) end
if ARGV[8] ~= '' then call('PERSIST', KEYS[4]) end
if ARGV[3] ~= '' then call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4]) end
return tonumber(ARGV[1])
