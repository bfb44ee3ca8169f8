#!lua
-- Moves a mark of a lane forward, never back.
--
-- KEYS  1 head  2 marks
-- ARGV  1 name  2 where to, as 20 digits: such texts compare as their numbers do, beyond what a Lua number holds exactly
--
-- Returns where the mark stands then, as 20 digits; '' where there is no such lane (any more)
-- Example: EVALSHA sha 2 {a/b/0}/v1/1/head {a/b/0}/v1/1/live/marks relay/c/1 00000000000000000012 -> 00000000000000000012
assert(#KEYS == 2 and #ARGV == 2 and #ARGV[2] == 20, 'wrong number of keys or arguments')
local head = redis.call('GET', KEYS[1])
if not head then return '' end
local mark = string.match(head, '^1 %d+ %d+ %S+ (%S+)')
if not mark then return redis.error_reply('FORM the head is of a form that this version does not know') end
-- Of a purged edition only the head is left.
if mark == 'x' then return '' end
local was = redis.call('HGET', KEYS[2], ARGV[1])
if was and was >= ARGV[2] then return was end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return ARGV[2]
