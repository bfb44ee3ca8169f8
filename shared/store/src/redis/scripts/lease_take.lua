#!lua
-- Takes a lease, unless someone holds it.
--
-- Guarantees
--   Nothing is written while the lease's key exists. Else the fence becomes greater than every one before (the greater of the last
--   plus one and the server's clock in milliseconds, so that a server which lost the last one still gives a greater), and the
--   lease lasts for its term. All checks come before the first write.
--
-- KEYS  1 lease   2 fence (never expires)
-- ARGV  1 token (32 hexadecimal digits)   2 term in ms, at least 1
--
-- The lease's value is `<fence>:<token>`: a guarded write compares the beginning up to the colon.
-- Returns the fence as text; nil when it is held.
--
-- Example
--   EVALSHA sha 2 {a/b/0}/v1/1/live/lease/sweep {a/b/0}/v1/1/live/lease/sweep/fence 0f.. 5000
--   -> "1800000000000"   and GET {a/b/0}/v1/1/live/lease/sweep -> "1800000000000:0f.."
assert(#KEYS == 2 and #ARGV == 2, 'wrong number of keys or arguments')
local token, term = ARGV[1], tonumber(ARGV[2])
assert(#token == 32 and term and term >= 1, 'not a token or not a term')
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
local fence = string.format('%.0f', math.max(last + 1, clock))
redis.call('SET', KEYS[2], fence)
redis.call('SET', KEYS[1], fence .. ':' .. token, 'PX', term)
return fence
