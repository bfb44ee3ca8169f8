#!lua
-- Makes a tenant known: its secret, and the first entry of its audit. Once.
--
-- KEYS  1 secret  2 audit
-- ARGV  1 the secret  2 the entry
--
-- Returns 1, or 0 where it was known
-- Example: EVALSHA sha 2 {acme}/v1/secret {acme}/v1/audit <32 bytes> <entry> -> 1
assert(#KEYS == 2 and #ARGV == 2, 'wrong number of keys or arguments')
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('RPUSH', KEYS[2], ARGV[2])
redis.call('SET', KEYS[1], ARGV[1])
return 1
