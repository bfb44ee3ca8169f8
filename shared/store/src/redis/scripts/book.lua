#!lua
-- Books a campaign's note in its tenant's audit, once however often it is tried, and remembers the answer.
--
-- KEYS  1 audit  2 booked  3 answer (any key of the slot where ARGV[3] is '')
-- ARGV  1 how long the audit must be  2 the entry  3 the answer's value ('' none)  4 for how long to know it, ms
--
-- Returns the entry's number; -1 where the audit has grown meanwhile (look again)
-- Example: EVALSHA sha 3 {acme}/v1/audit {acme}/v1/booked/5f.. {acme}/v1/answer/a1.. 2 <entry> <answer> 172800000 -> 2
assert(#KEYS == 3 and #ARGV == 4, 'wrong number of keys or arguments')
local was = redis.call('GET', KEYS[2])
if was then return tonumber(was) end
if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return -1 end
redis.call('RPUSH', KEYS[1], ARGV[2])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[4])
if ARGV[3] ~= '' then redis.call('SET', KEYS[3], ARGV[3], 'PX', ARGV[4]) end
return tonumber(ARGV[1])
