#!lua
-- One step of a walk over the keys of one campaign. A script, because a plain SCAN goes to any node of a cluster, and this
-- goes to the one that has the campaign's slot.
--
-- KEYS  1 a key of the campaign
-- ARGV  1 the cursor, `0` at the beginning  2 the pattern  3 about how many keys to look at
--
-- Returns the next cursor (`0` at the end) and the keys found; a walk may meet a key twice
-- Example: EVALSHA sha 1 {a/b/0}/v1/1/head 0 {a/b/0}/v1/1/live/p/* 1000 -> 1) "512" 2) 1) "{a/b/0}/v1/1/live/p/5a.."
assert(#KEYS == 1 and #ARGV == 3, 'wrong number of keys or arguments')
return redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])
