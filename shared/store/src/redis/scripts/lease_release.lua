#!lua
-- Gives a lease up, for its owner alone.
--
-- Guarantees
--   Nothing changes unless the lease's value is exactly the owner's. The fence stays, so that the next is greater.
--
-- KEYS  1 lease
-- ARGV  1 value, `<fence>:<token>`
--
-- Returns 1 when given up, 0 when it is over or another's.
--
-- Example
--   EVALSHA sha 1 {a/b/0}/v1/1/live/lease/sweep 1800000000000:0f..  -> (integer) 1
assert(#KEYS == 1 and #ARGV == 1, 'wrong number of keys or arguments')
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
