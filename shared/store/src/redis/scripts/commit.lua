#!lua
-- Makes up to a batch of commits of one lane true, each on its own: all of a commit, or none of it.
--
-- Guarantees
--   For each commit, in the order given, all checks come before any change: remembered answer, live revision, pause, version,
--   lease, counters. What it changes is then seen by the commits after it. One that is refused changes nothing and does not touch
--   the others. No two commits of a call may be of one participant.
--   All writes stand at the end, and the only ones that can fail (wrong type of a key, a row number that exists) come before or are
--   checked before the first that can't: a call that ends in an error has changed nothing.
--   `machine::world::apply_commit` is what it means; the conformance suite holds this script against it.
--
-- KEYS  1 ledger  2 timers  3 rules  4 counters' names  5 answers  6 head  7 tally
--       then C counters, P participants (one for each commit, in their order), L leases
-- ARGV  1 C   2 P   3 L   4 epoch expected ('' for any)   5 revision   6 'live' or 'test'
--       7 '1': where nothing is written and something replayed, write a key all the same, so that a WAIT after this call waits
--       then 11 for each commit:
--        1 version seen   8 bytes, big-endian; then the core that it named, where the caller knows it: after a failover that
--                         lost writes a version may name two records, and a step must not be made true on the other one
--        2 version after  8 bytes
--        3 entry          '' for none, else key digest (16) .. fingerprint (16) .. at (8)
--        4 core           bytes that this script never looks into
--        5 new grants     bytes, appended
--        6 answer         bytes
--        7 rows           bytes; '' for none
--        8 number of rows
--        9 timer          8 bytes, ms; NEVER for none
--       10 event          '' where only time passed
--       11 extra          '' or: all (1; 1: the grants are all of them, old ones too) .. unsound counter (2, 0 none) .. moves .. alternatives .. rules .. lease (2, 0 none) .. its value (`fence:token`)
--          moves, alternatives: number (1), then counter (2, from 1) .. kind (1) .. add (8) .. bound (8)
--            kind: 0 bound of its own, 1 bound from the move, begins at 0 by itself, 2 as 1 but the bound is missing, 3 stock
--          rules: number (1), then length (1) .. id: those that may not be in the set yet
--
-- A participant's value (all numbers big-endian)
--   form 1 (1) .. version (8) .. core length (4) .. grants length (4) .. answers (1) .. oldest answer's time or earlier (8)
--   .. timer (8) .. number of the last ledger row (8, -1 none)   = 42 bytes
--   core .. grants .. entries (54 each, oldest first): what was given (40), then where the answer is: id in the stream of
--   answers (8, 4) and place in it (2)
-- A counter's value: `issued ceiling configured shortfall`.  The tally's: `rows participants ms seq`, the
-- last two the newest id in the stream of answers.
-- The head's: `1 epoch newest ,revision:share,... mark pause`; mark is `-` not paused, `*` all, `=event` one event, `x` purged.
-- A ledger entry's id is the number of its first row plus 1; each commit is one field: name `previous-row serial...` (the row
-- before of the same participant, the first serial of each stock), value the rows.
-- Answers stand apart, one stream entry a call, so that a participant who comes often is not written again with all of them;
-- what is older than 25 hours is trimmed there.
--
-- Returns for each commit: a number (done: its first row's number), or a list:
--   R answer (remembered)   K (key used for something else)   S (superseded)   P head (paused)   V value (stale; nil: none)
--   E counter left ... (exhausted)   F counter (frozen)   L (the epoch is another: the store lost what it held)   H (lease lost)
--   G (the answer is known and its text is gone)
--
-- Example: one commit of a newcomer, one message row, no counters:
--   EVALSHA sha 8 {a/b/0}/v1/1/live/ledger ../timers .../rules ../counters ../answers .../head ../tally ../p/5a.. 0 1 0 '' 1 live ''
--     0000000000000000 0000000000000001 <40 bytes> <core> '' <answer> <rows> 1 NEVER sign-in ''
--   -> 1) (integer) 0
local KEYS, ARGV, call = KEYS, ARGV, redis.call
local sub, find, match = string.sub, string.find, string.match
local unpack_bytes, pack_bytes = struct.unpack, struct.pack
local DAY_MS, MOST, HEADER, ENTRY, STRIDE = 86400000, 16, 42, 54, 11
local KEEP_MS = 90000000
local NEVER = '\128\0\0\0\0\0\0\0'
local NOT_YET = 9007199254740991

local n_counters, n, n_leases = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
assert(#KEYS == 7 + n_counters + n + n_leases and #ARGV == 7 + STRIDE * n, 'wrong number of keys or arguments')
local found = call('MGET', unpack(KEYS, 6, #KEYS))
local head, tally = found[1], found[2]
local results = {}

-- What is the same for all of them.
local everyone
if not head then
  everyone = ARGV[4] ~= '' and { 'L' } or { 'S' }
end
local epoch, live, mark
if head then
  epoch, live, mark = match(head, '^1 (%d+) %d+ (%S+) (%S+)')
  if not epoch then return redis.error_reply('FORM the head is of a form that this version does not know') end
  if ARGV[4] ~= '' and ARGV[4] ~= epoch then everyone = { 'L' } end
end
-- Of a purged edition only the head is left.
if mark == 'x' then head, everyone = nil, { 'S' } end
local is_live = live and find(live, ',' .. ARGV[5] .. ':', 1, true)
local rows, people, answers_ms, answers_seq = 0, 0, 0, 0
if head then
  if not tally then return redis.error_reply('BROKEN the tally is missing: nothing is written until it is restored') end
  rows, people, answers_ms, answers_seq = match(tally, '^(%d+) (%d+) (%d+) (%d+)$')
  rows, people, answers_ms, answers_seq = tonumber(rows), tonumber(people), tonumber(answers_ms), tonumber(answers_seq)
  -- The next id in the stream of answers; a clock that was set back does not take it back.
  local time = call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  if now > answers_ms then
    answers_ms, answers_seq = now, 0
  else
    answers_seq = answers_seq + 1
  end
end

local counters, dirty = {}, {}
local function counter(at)
  local known = counters[at]
  if known == nil then
    local text = found[2 + at]
    if text then
      local issued, ceiling, rest = match(text, '^(%d+) (%d+) (.*)$')
      known = { issued = tonumber(issued), ceiling = tonumber(ceiling), rest = rest }
    else
      known = false
    end
    counters[at] = known
  end
  return known
end

-- How much is left by a move's bound; nil where a counter is missing that should exist.
local function left_of(at, kind, bound)
  local known = counter(at)
  local left
  if kind == 1 then
    left = bound - (known and known.issued or 0)
  elseif kind == 2 or not known then
    return nil
  else
    left = known.ceiling - known.issued
  end
  if left < 0 then left = 0 end
  return left
end

local function read_moves(extra, from)
  local count = unpack_bytes('>B', extra, from)
  local moves, at = {}, from + 1
  for i = 1, count do
    local where, kind, add, bound
    where, kind, add, bound, at = unpack_bytes('>I2Bi8i8', extra, at)
    moves[i] = { where, kind, add, bound }
  end
  return moves, at
end

-- nil where all of it can be had, else the refusal.
local function refused(moves, extra, at)
  local lacking, named = nil, {}
  local function lacks(where, left)
    if named[where] then return end
    named[where] = true
    lacking = lacking or { 'E' }
    lacking[#lacking + 1] = where
    lacking[#lacking + 1] = left
  end
  for _, move in ipairs(moves) do
    local left = left_of(move[1], move[2], move[4])
    if not left then return { 'F', move[1] } end
    local wanted = 0
    for _, other in ipairs(moves) do
      if other[1] == move[1] then wanted = wanted + other[3] end
    end
    if left < wanted or move[3] < 0 then lacks(move[1], left) end
  end
  if not lacking then return nil end
  for _, move in ipairs((read_moves(extra, at))) do
    local left = left_of(move[1], move[2], move[4])
    if not left then return { 'F', move[1] } end
    if left < move[3] then lacks(move[1], left) end
  end
  return lacking
end

local fields, texts, new_values, new_rules, new_names, due, undue = {}, {}, {}, {}, {}, {}, {}
local replayed = false

local function settle(i, a)
  local old = found[2 + n_counters + i]
  local entry = ARGV[a + 3]
  local version, core_length, grants_length, answers, oldest, timer, last_row = '\0\0\0\0\0\0\0\0', 0, 0, 0, NOT_YET, NEVER, -1
  local index, same = '', nil
  if old then
    local form
    form, version, core_length, grants_length, answers, oldest, timer, last_row = unpack_bytes('>Bc8I4I4Bi8c8i8', old)
    if form ~= 1 then return { 'X' } end
  end
  local entries_at = HEADER + core_length + grants_length
  local now = 0
  if entry ~= '' then
    now = unpack_bytes('>i8', entry, 33)
    if answers > 0 then
      index = sub(old, entries_at + 1, entries_at + answers * ENTRY)
      local key = sub(entry, 1, 16)
      local at = find(index, key, 1, true)
      while at and (at - 1) % ENTRY ~= 0 do at = find(index, key, at + 1, true) end
      if at then
        same = (at - 1) / ENTRY + 1
        if now - unpack_bytes('>i8', index, at + 32) < DAY_MS then
          if sub(index, at + 16, at + 31) ~= sub(entry, 17, 32) then return { 'K' } end
          local ms, seq, place = unpack_bytes('>i8I4I2', index, at + 40)
          local id = string.format('%.0f-%d', ms, seq)
          local kept = call('XRANGE', KEYS[5], id, id)[1]
          if not kept then return { 'G' } end
          replayed = true
          return { 'R', kept[2][2 * place] }
        end
      end
    end
  elseif answers > 0 then
    index = sub(old, entries_at + 1, entries_at + answers * ENTRY)
  end
  if everyone then return everyone end
  if not is_live then return { 'S' } end
  if mark ~= '-' and ARGV[6] == 'live' and (mark == '*' or mark == '=' .. ARGV[a + 10]) then return { 'P', head } end
  local seen = ARGV[a + 1]
  if version ~= sub(seen, 1, 8) or (#seen > 8 and (not old or sub(old, HEADER + 1, HEADER + core_length) ~= sub(seen, 9))) then
    return { 'V', old and sub(old, 1, entries_at) or false }
  end

  local extra = ARGV[a + 11]
  local moves, bases
  local all_grants = 0
  if extra ~= '' then
    local unsound, at
    all_grants, unsound, at = unpack_bytes('>BI2', extra)
    if unsound > 0 then return { 'F', unsound } end
    moves, at = read_moves(extra, at)
    local no = refused(moves, extra, at)
    local _
    _, at = read_moves(extra, at)
    local count
    count, at = unpack_bytes('>B', extra, at)
    local rules = {}
    for k = 1, count do
      rules[k], at = unpack_bytes('>Bc0', extra, at)
    end
    local lease
    lease, at = unpack_bytes('>I2', extra, at)
    if lease > 0 then
      if found[2 + n_counters + n + lease] ~= sub(extra, at) then return { 'H' } end
    end
    if no then return no end
    -- From here on this commit is done: what follows only fills tables.
    for k = 1, count do new_rules[#new_rules + 1] = rules[k] end
    local seen = {}
    for _, move in ipairs(moves) do
      local where, kind, add, bound = move[1], move[2], move[3], move[4]
      local known = counter(where)
      if not known then
        known = { issued = 0, ceiling = 0, rest = '0 0' }
        counters[where] = known
        new_names[#new_names + 1] = where
      end
      if kind == 3 and not seen[where] then
        seen[where] = true
        bases = (bases or '') .. ' ' .. string.format('%.0f', known.issued)
      end
      known.issued = known.issued + add
      if kind == 1 then known.ceiling = bound > known.issued and bound or known.issued end
      dirty[where] = true
    end
  end

  local count = tonumber(ARGV[a + 8])
  local first = rows
  if count > 0 then
    fields[#fields + 1] = string.format('%.0f', last_row) .. (bases or '')
    fields[#fields + 1] = ARGV[a + 7]
    last_row = first
    rows = rows + count
  end
  if not old then people = people + 1 end
  if timer ~= ARGV[a + 9] then
    timer = ARGV[a + 9]
    local member = sub(KEYS[7 + n_counters + i], -32)
    if timer == NEVER then
      undue[#undue + 1] = member
    else
      due[#due + 1] = string.format('%.0f', (unpack_bytes('>i8', timer)))
      due[#due + 1] = member
    end
  end

  -- The answers: those too old go, then the oldest beyond the newest sixteen.
  if entry ~= '' then
    if same or now - oldest >= DAY_MS then
      local kept, left = {}, 0
      oldest = NOT_YET
      for k = 1, answers do
        local at = (k - 1) * ENTRY + 1
        local when = unpack_bytes('>i8', index, at + 32)
        if now - when < DAY_MS and k ~= same then
          left = left + 1
          kept[left] = sub(index, at, at + ENTRY - 1)
          if when < oldest then oldest = when end
        end
      end
      index, answers = table.concat(kept), left
    end
    if answers == MOST then
      index = sub(index, ENTRY + 1)
      answers = answers - 1
    end
    texts[#texts + 1] = ''
    texts[#texts + 1] = ARGV[a + 6]
    index = index .. entry .. pack_bytes('>i8I4I2', answers_ms, answers_seq, #texts / 2)
    answers = answers + 1
    if now < oldest then oldest = now end
  end
  local core, grants = ARGV[a + 4], ARGV[a + 5]
  if grants_length > 0 and all_grants == 0 then
    grants = sub(old, HEADER + core_length + 1, entries_at) .. grants
  end
  new_values[#new_values + 1] = KEYS[7 + n_counters + i]
  new_values[#new_values + 1] = pack_bytes('>Bc8I4I4Bi8c8i8', 1, ARGV[a + 2], #core, #grants, answers, oldest, timer, last_row)
    .. core .. grants .. index
  return first
end

local first_of_all = rows
for i = 1, n do
  results[i] = settle(i, 7 + (i - 1) * STRIDE)
end

if #new_values == 0 then
  if replayed and ARGV[7] == '1' and tally then call('SET', KEYS[7], tally) end
  return results
end

-- Writes. What may fail comes first, or its key's type is looked at before.
local function must_be(key, kind)
  local is = call('TYPE', key).ok
  assert(is == 'none' or is == kind, key .. ' is a ' .. is .. ' and no ' .. kind)
end
if #new_rules > 0 then must_be(KEYS[3], 'set') end
if #new_names > 0 then must_be(KEYS[4], 'set') end
if #due > 0 or #undue > 0 then must_be(KEYS[2], 'zset') end
if #texts > 0 then
  -- One without a record that names it, should the next call fail, does no harm.
  local oldest = string.format('%.0f', math.max(answers_ms - KEEP_MS, 0))
  call('XADD', KEYS[5], 'MINID', '~', oldest, string.format('%.0f-%d', answers_ms, answers_seq), unpack(texts))
end
if #fields > 0 then
  call('XADD', KEYS[1], string.format('%.0f-0', first_of_all + 1), unpack(fields))
end
if #new_rules > 0 then call('SADD', KEYS[3], unpack(new_rules)) end
if #due > 0 then call('ZADD', KEYS[2], unpack(due)) end
if #undue > 0 then call('ZREM', KEYS[2], unpack(undue)) end
if #new_names > 0 then
  local names = {}
  for k, where in ipairs(new_names) do names[k] = match(KEYS[7 + where], '/c/(.*)$') end
  call('SADD', KEYS[4], unpack(names))
end
local w = #new_values
new_values[w + 1] = KEYS[7]
new_values[w + 2] = string.format('%.0f %.0f %.0f %d', rows, people, answers_ms, answers_seq)
w = w + 2
for where in pairs(dirty) do
  local known = counters[where]
  new_values[w + 1] = KEYS[7 + where]
  new_values[w + 2] = string.format('%.0f %.0f ', known.issued, known.ceiling) .. known.rest
  w = w + 2
end
call('MSET', unpack(new_values))
return results
