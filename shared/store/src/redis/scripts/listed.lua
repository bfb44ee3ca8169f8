#!lua
-- Whether someone is on each of some lists. Every version's set has a member that is nobody, so a set that is not there is one that
-- is lost, and never one without members.
--
-- KEYS  the sets of the versions   ARGV  1 who: 16 bytes
--
-- Returns for each 1 (is), 0 (is not), -1 (the version is not there)
-- Example: EVALSHA sha 2 {a}/v1/list/0f.. {a}/v1/list/0e.. <16 bytes> -> 1) 1 2) 0
assert(#ARGV == 1, 'wrong number of arguments')
local found = {}
for at, key in ipairs(KEYS) do
  found[at] = redis.call('SISMEMBER', key, ARGV[1])
  if found[at] == 0 and redis.call('EXISTS', key) == 0 then found[at] = -1 end
end
return found
