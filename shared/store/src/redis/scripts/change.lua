#!lua
-- Makes a change by ops staff to one campaign true, and notes it for the audit, at once; or changes nothing.
--
-- Guarantees: all checks come before the first write. One change of a campaign is under way at a time: a note that is not
-- booked yet stands in the way of the next. `issued` of a counter is only read, never set: commits move it meanwhile.
--
-- KEYS  1 head  2 note  3 revision  4, 5 setup of the live and the test lane  6, 7 their tallies  8, 9 their counters' names
--       10 the campaign's draft
--       then the counters
-- ARGV  1 the head as it was seen ('' none)  2 the head as it shall be  3 the note
--       4 the revision's value ('' none)  5, 6 the setups' values ('' unchanged)  7 '1': make the tallies, 'x': take the test lane's away
--       8, 9 where the draft is, as it was seen and as it shall be; '' where it is published nowhere by this
--       then 4 for each counter: lane (1, 2), name, what, number. 'figure': the number. 'add': `units ceiling-as-seen`.
--         'take': `ceiling-as-seen ceiling-after`, unless more than that is gone
--
-- Returns `ok`; `moved` (look again); `much` (beyond what a counter holds); `none` (no such counter to add to)
--
-- Example: EVALSHA sha 11 head note rev .../live/setup .../test/setup .../live/tally .../test/tally .../live/counters
--   .../test/counters .../draft .../live/c/stock/mug '1 5 1 ,1:10000, -' '1 5 1 ,1:10000, -' '{"id":..}' '' '' '' '' '' ''
--   1 stock/mug add '4 3'
--   -> ok
local KEYS, ARGV, call = KEYS, ARGV, redis.call
local MOST = 9007199254740991
local count = (#ARGV - 9) / 4
assert(#KEYS == 10 + count, 'wrong number of keys or arguments')

local found = call('MGET', unpack(KEYS))
if (found[1] or '') ~= ARGV[1] or found[2] then return 'moved' end
-- A draft is a hash, which MGET passes over.
if ARGV[9] ~= '' and (call('HGET', KEYS[10], 'place') or '') ~= ARGV[8] then return 'moved' end
local values, names = {}, { {}, {} }
for i = 1, count do
  local at = 9 + (i - 1) * 4
  local lane, name, what, figure = tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  local text = found[10 + i]
  local issued, ceiling, configured, shortfall
  if text then
    issued, ceiling, configured, shortfall = string.match(text, '^(%d+) (%d+) (%d+) (%d+)$')
    issued, ceiling, configured, shortfall = tonumber(issued), tonumber(ceiling), tonumber(configured), tonumber(shortfall)
  end
  if what == 'add' then
    if not text then return 'none' end
    local units, seen = string.match(figure, '^(%d+) (%d+)$')
    if tonumber(seen) ~= ceiling then return 'moved' end
    ceiling = ceiling + tonumber(units)
    if ceiling > MOST then return 'much' end
  elseif what == 'take' then
    if not text then return 'none' end
    local seen, after = string.match(figure, '^(%d+) (%d+)$')
    if tonumber(seen) ~= ceiling then return 'moved' end
    ceiling = tonumber(after)
    -- Given out meanwhile: what can be taken is less than was worked out.
    if ceiling < issued then return 'moved' end
  else
    figure = tonumber(figure)
    if figure > MOST then return 'much' end
    if text then
      -- As `machine::world` has it: the ceiling moves by what the figure moved, never below what is gone.
      local moved = figure - configured
      local made_up = math.min(shortfall, math.max(moved, 0))
      shortfall = shortfall - made_up
      local wanted = ceiling + moved - made_up
      ceiling = math.max(wanted, issued)
      if ceiling > MOST then return 'much' end
      shortfall = shortfall + ceiling - wanted
    else
      issued, ceiling, shortfall = 0, figure, 0
      names[lane][#names[lane] + 1] = name
    end
    configured = figure
  end
  values[#values + 1] = KEYS[10 + i]
  values[#values + 1] = string.format('%.0f %.0f %.0f %.0f', issued, ceiling, configured, shortfall)
end
for lane = 1, 2 do
  if #names[lane] > 0 then
    local is = call('TYPE', KEYS[7 + lane]).ok
    assert(is == 'none' or is == 'set', KEYS[7 + lane] .. ' is no set')
  end
end

local function put(key, value)
  values[#values + 1] = key
  values[#values + 1] = value
end
for lane = 1, 2 do
  if #names[lane] > 0 then call('SADD', KEYS[7 + lane], unpack(names[lane])) end
end
if ARGV[9] ~= '' then
  call('HSET', KEYS[10], 'place', ARGV[9])
  call('HDEL', KEYS[10], 'text')
end
put(KEYS[1], ARGV[2])
put(KEYS[2], ARGV[3])
if ARGV[4] ~= '' then put(KEYS[3], ARGV[4]) end
if ARGV[5] ~= '' then put(KEYS[4], ARGV[5]) end
if ARGV[6] ~= '' then put(KEYS[5], ARGV[6]) end
if ARGV[7] == '1' then
  put(KEYS[6], '0 0 0 0')
  put(KEYS[7], '0 0 0 0')
end
call('MSET', unpack(values))
-- Without it no commit writes there, until the lane is empty and has another one.
if ARGV[7] == 'x' then call('DEL', KEYS[7]) end
return 'ok'
