#!lua
-- Puts another version of a tenant's list in the place of the one before, or takes the list away; books that in the tenant's
-- audit and remembers the answer: all of it, or nothing. Who looks up a member sees the old version or the new one.
--
-- KEYS  1 audit  2 answer (any key of the slot where ARGV[3] is '')  3 lists  4 the new version's members (any key of the slot
--       where ARGV[7] is '')  5 the old version's (likewise where ARGV[6] is '')
-- ARGV  1 how long the audit must be  2 the entry  3 the answer's value ('' none)  4 for how long to know it, ms
--       5 the list's name  6 its value as it was seen ('' none)  7 its value as it shall be ('' none: it is taken away)
--       8 how many members the new version's set must have  9 for how long the old one is kept for those who still look there, ms
--
-- Returns the entry's number; -1 where the audit has grown or the list has changed meanwhile (look again), -2 where the new
-- version's members are not all there
-- Example: EVALSHA sha 5 {a}/v1/audit {a}/v1/answer/a1.. {a}/v1/lists {a}/v1/list/0f.. {a}/v1/list/0e..
--   2 <entry> <answer> 172800000 vip <value> <value> 1001 3600000 -> 2
assert(#KEYS == 5 and #ARGV == 9, 'wrong number of keys or arguments')
local call = redis.call
if (call('HGET', KEYS[3], ARGV[5]) or '') ~= ARGV[6] then return -1 end
if ARGV[7] ~= '' and call('SCARD', KEYS[4]) ~= tonumber(ARGV[8]) then return -2 end
if call('LLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return -1 end
call('RPUSH', KEYS[1], ARGV[2])
if ARGV[7] ~= '' then
  call('HSET', KEYS[3], ARGV[5], ARGV[7])
  call('PERSIST', KEYS[4])
else
  call('HDEL', KEYS[3], ARGV[5])
end
if ARGV[6] ~= '' then call('PEXPIRE', KEYS[5], ARGV[9]) end
if ARGV[3] ~= '' then call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4]) end
return tonumber(ARGV[1])
