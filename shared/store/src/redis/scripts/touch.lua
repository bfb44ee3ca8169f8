#!lua
-- Writes a key as it is, so that a WAIT after it waits for all that was written before: WAIT looks at what its own
-- connection wrote, and returns at once on one that wrote nothing.
--
-- KEYS  1 a key
--
-- Returns 1, or 0 where there is no such key
-- Example: EVALSHA sha 1 {a/b/0}/v1/1/live/tally -> 1
assert(#KEYS == 1 and #ARGV == 0, 'wrong number of keys or arguments')
local value = redis.call('GET', KEYS[1])
if not value then return 0 end
redis.call('SET', KEYS[1], value)
return 1
