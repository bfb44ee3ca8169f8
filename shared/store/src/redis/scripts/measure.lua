#!lua
-- Makes a measure of a whole tenant stand in the tenant's own slot, books it in the audit, and remembers the answer: all of
-- it, or nothing. What commits look at is brought into each campaign's slot after this.
--
-- KEYS  1 audit  2 answer (any key of the slot where ARGV[3] is '')  3 what is changed: a text, or a hash
-- ARGV  1 how long the audit must be  2 the entry  3 the answer's value ('' none)  4 for how long to know it, ms
--       5 the value ('' goes)  6 the field of a hash ('' a text)
--
-- Returns the entry's number; -1 where the audit has grown meanwhile (look again), -2 where what shall go is not there
-- Example: EVALSHA sha 3 {a}/v1/audit {a}/v1/answer/a1.. {a}/v1/blocks 2 <entry> <answer> 172800000 <block> 5a5a.. -> 2
assert(#KEYS == 3 and #ARGV == 6, 'wrong number of keys or arguments')
local call, value, field = redis.call, ARGV[5], ARGV[6]
local is = call('TYPE', KEYS[3]).ok
assert(is == 'none' or is == (field == '' and 'string' or 'hash'), KEYS[3] .. ' is a ' .. is)
if value == '' then
  local there
  if field == '' then there = is ~= 'none' else there = call('HGET', KEYS[3], field) end
  if not there then return -2 end
end
if call('LLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return -1 end
call('RPUSH', KEYS[1], ARGV[2])
if value == '' then
  if field == '' then call('DEL', KEYS[3]) else call('HDEL', KEYS[3], field) end
else
  if field == '' then call('SET', KEYS[3], value) else call('HSET', KEYS[3], field, value) end
end
if ARGV[3] ~= '' then call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4]) end
return tonumber(ARGV[1])
