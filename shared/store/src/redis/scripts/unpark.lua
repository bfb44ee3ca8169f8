#!lua
-- Takes a parked event away, books that in its tenant's audit, and remembers the answer: all of it, or nothing.
--
-- KEYS  1 audit  2 answer (any key of the slot where ARGV[3] is '')  3 parked  4 data  5 order
-- ARGV  1 how long the audit must be  2 the entry  3 the answer's value ('' none)  4 for how long to know it, ms  5 name
--
-- Returns the entry's number; -1 where the audit has grown meanwhile (look again), -2 where no such event is kept
-- Example: EVALSHA sha 5 {a}/v1/audit {a}/v1/answer/a1.. {a}/v1/parked {a}/v1/parked/data {a}/v1/parked/order
--   2 <entry> <answer> 172800000 0f.. -> 2
assert(#KEYS == 5 and #ARGV == 5, 'wrong number of keys or arguments')
local call, id = redis.call, ARGV[5]
if not call('HGET', KEYS[3], id) then return -2 end
if call('LLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return -1 end
call('RPUSH', KEYS[1], ARGV[2])
call('HDEL', KEYS[3], id)
call('HDEL', KEYS[4], id)
call('ZREM', KEYS[5], id)
if ARGV[3] ~= '' then call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4]) end
return tonumber(ARGV[1])
