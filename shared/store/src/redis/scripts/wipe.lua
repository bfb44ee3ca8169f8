#!lua
-- Deletes keys of a test lane that is being emptied, while it is: its tally is away, and the note that says so stands.
--
-- KEYS  1 note  2 tally  then what goes
-- ARGV  1 the note's value
--
-- Returns 1, or 0 where the lane is in use again and nothing was deleted
-- Example: EVALSHA sha 3 {a/b/0}/v1/1/note {a/b/0}/v1/1/test/tally {a/b/0}/v1/1/test/ledger '{"id":..}' -> 1
assert(#KEYS >= 2 and #ARGV == 1, 'wrong number of keys or arguments')
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
if #KEYS > 2 then redis.call('UNLINK', unpack(KEYS, 3)) end
return 1
