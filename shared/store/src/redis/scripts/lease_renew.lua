#!lua
-- Lets a lease last for its term from now on, for its owner alone.
--
-- Guarantees
--   Nothing changes unless the lease's value is exactly the owner's. One that is over is never brought back.
--
-- KEYS  1 lease
-- ARGV  1 value, `<fence>:<token>`   2 term in ms, at least 1
--
-- Returns 1 when renewed, 0 when it is over or another's.
--
-- Example
--   EVALSHA sha 1 {a/b/0}/v1/1/live/lease/sweep 1800000000000:0f.. 5000  -> (integer) 1
assert(#KEYS == 1 and #ARGV == 2, 'wrong number of keys or arguments')
local term = tonumber(ARGV[2])
assert(term and term >= 1, 'not a term')
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], term)
