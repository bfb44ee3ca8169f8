#!lua
-- Makes a deed with a campaign's draft true, and notes it for the audit, at once; or changes nothing.
--
-- Guarantees: one deed is under way at a time: a note that is not booked yet stands in the way of the next.
-- `machine::world::DraftPlace::after` is what a deed means; the conformance suite holds this script against it.
--
-- KEYS  1 the draft  2 note
-- ARGV  1 where it is, as it was seen ('' none was ever there)  2 where it is afterwards  3 the note
--       4 `keep` what it says, `drop` that, or `set` it  5 what it says then
--
-- Returns `ok`; `moved` (look again)
-- Example: EVALSHA sha 2 {a/b/0}/v1/draft {a/b/0}/v1/draft/note '' <place> '{"id":..}' set <text> -> ok
assert(#KEYS == 2 and #ARGV == 5, 'wrong number of keys or arguments')
local call = redis.call
if (call('HGET', KEYS[1], 'place') or '') ~= ARGV[1] or call('EXISTS', KEYS[2]) == 1 then return 'moved' end
call('HSET', KEYS[1], 'place', ARGV[2])
if ARGV[4] == 'set' then call('HSET', KEYS[1], 'text', ARGV[5]) end
if ARGV[4] == 'drop' then call('HDEL', KEYS[1], 'text') end
call('SET', KEYS[2], ARGV[3])
return 'ok'
