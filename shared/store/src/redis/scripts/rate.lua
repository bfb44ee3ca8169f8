#!lua
-- Takes up to `want` tokens from one bucket (GCRA), or gives some back that were taken.
--
-- Guarantees
--   Over any span of W nanoseconds it gives at most burst + W / cell tokens, whoever asks, and what is given back. It gives what is there when that is less
--   than wanted, and writes nothing when that is nothing. The clock is this server's; one that is set back only delays. All checks
--   come before the one write. The arithmetic is whole nanoseconds below 2^53 (104 days of backlog).
--
-- KEYS  1 bucket
-- ARGV  1 want, at least 1, or below 0: so many are given back   2 cell: ns in which one token comes back, at least 1   3 burst, at least 1
--       4 the clock in microseconds, for tests alone (the key then does not expire by the other one): the product never sends it
--
-- The value is `backlog at total`: ns until the bucket would be full, when that was (us), all tokens ever given. The key expires when
-- the bucket is full again: no key is a full bucket.
-- Returns { given, left, ms until one comes back (0 while some are left), total }.
--
-- Example: 10 a second, 5 at once, 7 wanted:
--   EVALSHA sha 1 {acme}/v1/rate/calls 7 100000000 5  -> 1) 5  2) 0  3) 100  4) 5
assert(#KEYS == 1 and (#ARGV == 3 or #ARGV == 4), 'wrong number of keys or arguments')
local want, cell, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
assert(want and cell and burst and want ~= 0 and cell >= 1 and burst >= 1, 'want is not 0, cell and burst are at least 1')
local now = tonumber(ARGV[4])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local backlog, at, total = 0, now, 0
local known = redis.call('GET', KEYS[1])
if known then
  local a, b, c = string.match(known, '^(%d+) (%d+) (%d+)$')
  assert(a, 'not a bucket of this layout')
  backlog, at, total = tonumber(a), tonumber(b), tonumber(c)
  backlog = math.max(0, backlog - math.max(0, now - at) * 1000)
end
local room = math.max(0, math.floor((burst * cell - backlog) / cell))
local given = math.max(0, math.min(want, room))
if want < 0 and known then
  backlog = math.max(0, backlog + want * cell)
  room = math.floor((burst * cell - backlog) / cell)
end
if given > 0 or now < at or (want < 0 and known) then
  backlog, total = backlog + given * cell, total + given
  local value = string.format('%.0f %.0f %.0f', backlog, now, total)
  if ARGV[4] then
    redis.call('SET', KEYS[1], value)
  else
    redis.call('SET', KEYS[1], value, 'PX', string.format('%.0f', math.ceil(backlog / 1000000) + 1))
  end
end
local left, wait = room - given, 0
if left == 0 then wait = math.max(1, math.ceil((backlog + cell - burst * cell) / 1000000)) end
return { given, left, wait, total }
