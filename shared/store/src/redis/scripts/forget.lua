#!lua
-- Deletes a key if it still holds this value: a booked note, a lease.
--
-- KEYS  1 the key
-- ARGV  1 the value
--
-- Returns 1 where it was deleted, else 0
-- Example: EVALSHA sha 1 {a/b/0}/v1/1/note '{"id":..}' -> 1
assert(#KEYS == 1 and #ARGV == 1, 'wrong number of keys or arguments')
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
