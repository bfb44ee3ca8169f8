#!lua
-- Makes up to a batch of commits of one lane true, each on its own: all of a commit, or none of it.
--
-- Guarantees
--   For each commit, in the order given, all checks come before any change: remembered answer, the user's live revision, pause, block,
--   version, lease, counters and stopped rewards. What it changes is then seen by the commits after it. One that is refused changes nothing and does not touch
--   the others. No two commits of a call may be of one participant.
--   All writes stand at the end, and the only ones that can fail (wrong type of a key, a row number that exists) come before or are
--   checked before the first that can't: a call that ends in an error has changed nothing.
--   `machine::world::apply_commit` is what it means; the conformance suite holds this script against it.
--
-- KEYS  1 ledger  2 timers  3 rules  4 counters' names  5 answers  6 who is blocked  7 the tenant's pause  8 head  9 tally
--       then C counters, P participants (one for each commit, in their order), L leases
-- ARGV  1 C   2 P   3 L   4 epoch expected ('' for any)   5 revision   6 'live' or 'test'
--       7 '1': where nothing is written and something replayed, write a key all the same, so that a WAIT after this call waits
--       then 7 for each commit:
--        1 seen      version (8); then, where the caller knows it, the core that it named (length 4, core): after a failover that
--                    lost writes a version may name two records, and a step must not be made true on the other one
--        2 after     version (8) .. length of the core (4) .. core: bytes that this script never looks into
--        3 entry     '' for none, else key digest (8) .. fingerprint (8) .. at (6)
--        4 grants    bytes, appended
--        5 answer    bytes
--        6 rows      bytes; '' for none
--        7 plan      number of rows (4) .. timer (8, ms; NEVER for none) .. now (8, ms) .. the user's place among all users (2, below
--                    10,000) .. length of event (1) .. event; then
--                    nothing, or: marks (1; 1: the grants are all of them, old ones too; 2: staff amend what was given, which
--                    neither a pause nor a block stops) .. unsound counter (2, 0 none) .. rewards .. moves .. alternatives
--                    .. rules .. codes .. lease (2, 0 none) .. its value (`fence:token`)
--          rewards: number (1), then length (1) .. id: those that are given
--          moves, alternatives: number (1), then counter (2, from 1) .. kind (1) .. add (8) .. bound (8)
--            kind: 0 bound of its own, 1 bound from the move, begins at 0 by itself, 2 as 1 but the bound is missing, 3 stock,
--            4 a tally: as 1, but under no name in the set of them, and let go of some months after it was last moved
--            5 a code's use: as 1, but under no name in the set of them, and kept
--            bound: of kinds 0 and 3 how many units of the counter's own ceiling wait for a later release
--          rules: number (1), then length (1) .. id: those that may not be in the set yet
--          codes: number (1), then counter (2) .. the how-many-th of its units here, from 0 (2) .. what the grant is known by (8)
--
-- A participant's value (all numbers big-endian)
--   form 2 (1) .. number of the last ledger row (8, -1 none) .. timer (8) .. oldest answer's time or earlier (6) .. answers (1)
--   .. length of the grants (4) = 28 bytes, then version (8) .. length of the core (4) .. core .. grants
--   .. entries (34 each, oldest first): what was given (22), then where the answer is: id in the stream of answers (6, 4) and
--   place in it (2); form 3, where codes were given: then what each grant of a code is known by (8) and its serial (8)
-- A counter's value: `issued ceiling configured shortfall`.  The tally's: `rows participants ms seq`, the
-- last two the newest id in the stream of answers.
-- The head's: `1 epoch newest ,revision:share,... mark pause`; mark is `-` not paused, `*` all, `=event` one event, `x` purged.
-- Where rewards are stopped: `2 epoch newest ,revision:share,... ,reward,reward, mark words`.
-- Who is blocked: a hash, by pseudonym until when (ms) or `-`.
-- A ledger entry's id is the number of its first row plus 1; each commit is one field: name `previous-row serial...` (the row
-- before of the same participant, the first serial of each stock), value the rows.
-- Answers stand apart, one stream entry a call, so that a participant who comes often is not written again with all of them;
-- what is older than 25 hours is trimmed there.
--
-- Lua hashes every byte of each string that it makes: so few arguments, and the old value is looked into where it lies.
--
-- Returns for each commit: a number (done: its first row's number), or a list:
--   R answer (remembered)   K (key used for something else)   S (superseded)   P head (paused)   T pause (all of the tenant is)
--   B until (blocked)   V value (stale; nil: none)   E counter left ... reward ... reward:left ... (exhausted, stopped, withdrawn but for so many)   F counter (frozen)   L (the epoch is another: the store lost what it held)   H (lease lost)
--   G (the answer is known and its text is gone)
--
-- Example: one commit of a newcomer, one message row, no counters:
--   EVALSHA sha 10 {a/b/0}/v1/1/live/ledger ../timers .../rules ../counters ../answers .../blocked .../halt .../head ../tally
--     ../p/5a.. 0 1 0 '' 1 live '' 0000000000000000 <0000000000000001, length, core> <22 bytes> '' <answer> <rows>
--     <00000001, NEVER, now, 0d3e, 07> .. sign-in
--   -> 1) (integer) 0
local KEYS, ARGV, call = KEYS, ARGV, redis.call
local sub, find, match, format = string.sub, string.find, string.match, string.format
local unpack_bytes, pack_bytes = struct.unpack, struct.pack
local DAY_MS, MOST, ENTRY, STRIDE = 86400000, 16, 34, 7
local KEEP_MS = 90000000
-- `machine::world::TALLY_DAYS`, in milliseconds.
local TALLY_MS = 12960000000
-- Bytes of a move; keys that every call has, and values found before those of counters.
local MOVE, FIXED, BEFORE = 19, 9, 3
local CODE = 12
local NEVER = '\128\0\0\0\0\0\0\0'
-- Later than any time of six bytes that is compared with it.
local NOT_YET = 281474976710655
-- Where version, length and core begin, and where the core does.
local SEEN, CORE = 29, 41
local FRESH = '\0\0\0\0\0\0\0\0'

local n_counters, n, n_leases = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
assert(#KEYS == FIXED + n_counters + n + n_leases and #ARGV == 7 + STRIDE * n, 'wrong number of keys or arguments')
local found = call('MGET', unpack(KEYS, 7, #KEYS))
local halt, head, tally = found[1], found[2], found[3]
if ARGV[6] ~= 'live' then halt = nil end
local results = {}

-- What is the same for all of them.
local everyone
if not head then
  everyone = ARGV[4] ~= '' and { 'L' } or { 'S' }
end
local epoch, live, mark, stopped
if head then
  epoch, live, mark = match(head, '^1 (%d+) %d+ (%S+) (%S+)')
  if not epoch then
    epoch, live, stopped, mark = match(head, '^2 (%d+) %d+ (%S+) (%S+) (%S+)')
    if stopped == ',' or ARGV[6] ~= 'live' then stopped = nil end
  end
  if not epoch then return redis.error_reply('FORM the head is of a form that this version does not know') end
  if ARGV[4] ~= '' and ARGV[4] ~= epoch then everyone = { 'L' } end
end
-- Of a purged edition only the head is left.
if mark == 'x' then head, everyone = nil, { 'S' } end
-- The places of the users whose revision this is: from `from` on, below `below`. Shares are laid end to end in their order.
local from, below = 0, 0
if live then
  local at = 0
  for revision, share in string.gmatch(live, '(%d+):(%d+)') do
    share = tonumber(share)
    if revision == ARGV[5] then from, below = at, at + share end
    at = at + share
  end
end
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

-- Counters by their place; one that is missing has nothing here.
local issued, ceiling, rest, dirty = {}, {}, {}, {}
for at = 1, n_counters do
  local text = found[BEFORE + at]
  if text then
    local one, most, others = match(text, '^(%d+) (%d+) (.*)$')
    issued[at], ceiling[at], rest[at] = tonumber(one), tonumber(most), others
  end
end

-- How much is left by a move's bound; nil where a counter is missing that should exist.
local function left_of(at, kind, bound)
  local given, left = issued[at], nil
  if kind == 1 or kind >= 4 then
    left = bound - (given or 0)
  elseif kind == 2 or not given then
    return nil
  else
    left = ceiling[at] - bound - given
  end
  if left < 0 then left = 0 end
  return left
end

-- The moves of the commit that is looked at, in lists that all of them use.
local where, kind, add, bound = {}, {}, {}, {}
local function read_moves(plan, from)
  local count, at = unpack_bytes('>B', plan, from)
  for i = 1, count do
    where[i], kind[i], add[i], bound[i], at = unpack_bytes('>I2Bi8i8', plan, at)
  end
  return count, at
end

-- nil where all of the moves can be had and nothing is given that is stopped (`hit`), else the refusal; the alternatives are
-- at `at`.
local function refused(count, plan, at, hit)
  local lacking, named, withdrawn
  local function lacks(which, left)
    if named and named[which] then return end
    named, lacking = named or {}, lacking or { 'E' }
    named[which] = true
    -- Less than was published, as staff have withdrawn it: that is not sold out.
    local stock = match(KEYS[FIXED + which], '/c/stock/(.*)$')
    if stock and ceiling[which] < tonumber(match(rest[which], '^%d+')) then
      withdrawn = withdrawn or {}
      withdrawn[#withdrawn + 1] = stock
      withdrawn[stock] = left
    end
    lacking[#lacking + 1] = which
    lacking[#lacking + 1] = left
  end
  for i = 1, count do
    local which = where[i]
    local left = left_of(which, kind[i], bound[i])
    if not left then return { 'F', which } end
    local wanted = 0
    for k = 1, count do
      if where[k] == which then wanted = wanted + add[k] end
    end
    if left < wanted or add[i] < 0 then lacks(which, left) end
  end
  if hit then lacking = lacking or { 'E' } end
  if not lacking then return nil end
  for i = 1, (read_moves(plan, at)) do
    local left = left_of(where[i], kind[i], bound[i])
    if not left then return { 'F', where[i] } end
    if left < add[i] then lacks(where[i], left) end
  end
  if stopped then
    for reward in string.gmatch(stopped, '[^,]+') do lacking[#lacking + 1] = reward end
  end
  for _, stock in ipairs(withdrawn or {}) do
    if not (stopped and find(stopped, ',' .. stock .. ',', 1, true)) then lacking[#lacking + 1] = format('%s:%d', stock, withdrawn[stock]) end
  end
  return lacking
end

local fields, n_fields, texts, n_texts = {}, 0, {}, 0
local new_values, n_values = {}, 0
local new_rules, new_names, due, undue, passing = {}, {}, {}, {}, {}
local replayed = false

-- Until when each of the participants is blocked, where anyone is.
local blocked
if head and call('EXISTS', KEYS[6]) == 1 then
  local who = {}
  for i = 1, n do who[i] = sub(KEYS[FIXED + n_counters + i], -32) end
  blocked = call('HMGET', KEYS[6], unpack(who))
end

-- Where the entry of a key is in a value, and which one it is; nil where there is none before `to`.
local function entry_of(old, from, to, key)
  local at = find(old, key, from, true)
  while at and (at - from) % ENTRY ~= 0 do at = find(old, key, at + 1, true) end
  if at and at < to then return at, (at - from) / ENTRY + 1 end
end

local function settle(i, a)
  local old = found[BEFORE + n_counters + i]
  local entry, plan = ARGV[a + 3], ARGV[a + 7]
  local last_row, timer, oldest, answers, grants_length = -1, NEVER, NOT_YET, 0, 0
  local grants_at, entries_at, units_at, units = 0, 0, 0, ''
  if old then
    local form, core_length, _
    form, last_row, timer, oldest, answers, grants_length, _, core_length = unpack_bytes('>Bi8c8I6BI4c8I4', old)
    if form ~= 2 and form ~= 3 then return { 'X' } end
    grants_at = CORE + core_length
    entries_at = grants_at + grants_length
    units_at = entries_at + answers * ENTRY
    if form == 3 then units = sub(old, units_at) end
  end
  local now, same = 0, nil
  if entry ~= '' then
    now = unpack_bytes('>I6', entry, 17)
    if answers > 0 then
      local at
      at, same = entry_of(old, entries_at, units_at, sub(entry, 1, 8))
      if at then
        local when, ms, seq, place = unpack_bytes('>I6I6I4I2', old, at + 16)
        if now - when < DAY_MS then
          if sub(old, at + 8, at + 15) ~= sub(entry, 9, 16) then return { 'K' } end
          local id = format('%d-%d', ms, seq)
          local kept = call('XRANGE', KEYS[5], id, id)[1]
          if not kept then return { 'G' } end
          replayed = true
          return { 'R', kept[2][2 * place] }
        end
      end
    end
  end
  if everyone then return everyone end
  local count, new_timer, clock, place, event_length, at = unpack_bytes('>I4c8i8I2B', plan)
  if place < from or place >= below then return { 'S' } end
  local extra_at = at + event_length
  local marks = string.byte(plan, extra_at) or 0
  local all_grants, amends = marks % 2, marks >= 2
  if not amends then
    if halt then return { 'T', halt } end
    if mark ~= '-' and ARGV[6] == 'live' and (mark == '*' or mark == '=' .. sub(plan, at, extra_at - 1)) then
      return { 'P', head }
    end
    local ends = blocked and blocked[i]
    if ends and (ends == '-' or clock < tonumber(ends)) then return { 'B', ends } end
  end
  local seen = ARGV[a + 1]
  if old then
    if sub(old, SEEN, SEEN - 1 + #seen) ~= seen then return { 'V', sub(old, 1, entries_at - 1) } end
  elseif seen ~= FRESH then
    return { 'V', false }
  end

  local bases = ''
  if #plan >= extra_at then
    local unsound, n_rewards, n_moves, n_alternatives, n_rules, lease
    unsound, n_rewards, at = unpack_bytes('>I2B', plan, extra_at + 1)
    if unsound > 0 then return { 'F', unsound } end
    local hit = false
    for k = 1, n_rewards do
      local reward
      reward, at = unpack_bytes('>Bc0', plan, at)
      if stopped and find(stopped, ',' .. reward .. ',', 1, true) then hit = true end
    end
    n_moves, at = read_moves(plan, at)
    local no = refused(n_moves, plan, at, hit)
    n_alternatives, at = unpack_bytes('>B', plan, at)
    n_rules, at = unpack_bytes('>B', plan, at + MOVE * n_alternatives)
    local rules = {}
    for k = 1, n_rules do
      rules[k], at = unpack_bytes('>Bc0', plan, at)
    end
    local n_codes
    n_codes, at = unpack_bytes('>B', plan, at)
    local codes_at = at
    at = at + CODE * n_codes
    lease, at = unpack_bytes('>I2', plan, at)
    if lease > 0 and found[BEFORE + n_counters + n + lease] ~= sub(plan, at) then return { 'H' } end
    if no then return no end
    -- From here on this commit is done: what follows only fills tables.
    for k = 1, n_rules do new_rules[#new_rules + 1] = rules[k] end
    local based = {}
    for k = 1, n_moves do
      local which = where[k]
      if not issued[which] then
        issued[which], ceiling[which], rest[which] = 0, 0, '0 0'
        if kind[k] < 4 then new_names[#new_names + 1] = which end
      end
      local given = issued[which]
      if kind[k] == 3 and not based[which] then
        based[which] = given
        bases = bases .. format(' %d', given)
      end
      given = given + add[k]
      issued[which] = given
      if kind[k] == 4 then passing[which] = true end
      if kind[k] == 1 or kind[k] >= 4 then ceiling[which] = bound[k] > given and bound[k] or given end
      dirty[which] = true
    end
    for k = 1, n_codes do
      local which, unit, grant = unpack_bytes('>I2I2c8', plan, codes_at + (k - 1) * CODE)
      units = units .. grant .. pack_bytes('>i8', based[which] + unit)
    end
  end

  local first = rows
  if count > 0 then
    fields[n_fields + 1] = format('%d', last_row) .. bases
    fields[n_fields + 2] = ARGV[a + 6]
    n_fields = n_fields + 2
    last_row = first
    rows = rows + count
  end
  if not old then people = people + 1 end
  if timer ~= new_timer then
    timer = new_timer
    local member = sub(KEYS[FIXED + n_counters + i], -32)
    if timer == NEVER then
      undue[#undue + 1] = member
    else
      due[#due + 1] = format('%d', (unpack_bytes('>i8', timer)))
      due[#due + 1] = member
    end
  end

  -- The answers: those too old go, then the oldest beyond the newest sixteen.
  local entries = ''
  if answers > 0 then
    local from = entries_at
    if entry ~= '' and (same or now - oldest >= DAY_MS) then
      local kept, left = {}, 0
      oldest = NOT_YET
      for k = 1, answers do
        local when = unpack_bytes('>I6', old, from + 16)
        if now - when < DAY_MS and k ~= same then
          left = left + 1
          kept[left] = sub(old, from, from + ENTRY - 1)
          if when < oldest then oldest = when end
        end
        from = from + ENTRY
      end
      entries, answers = table.concat(kept, '', left == MOST and 2 or 1), left == MOST and MOST - 1 or left
    else
      if entry ~= '' and answers == MOST then
        from, answers = from + ENTRY, answers - 1
      end
      entries = sub(old, from, units_at - 1)
    end
  end
  if entry ~= '' then
    texts[n_texts + 1] = ''
    texts[n_texts + 2] = ARGV[a + 5]
    n_texts = n_texts + 2
    entry = entry .. pack_bytes('>I6I4I2', answers_ms, answers_seq, n_texts / 2)
    answers = answers + 1
    if now < oldest then oldest = now end
  end
  local grants, before = ARGV[a + 4], ''
  if grants_length > 0 and all_grants == 0 then
    before = sub(old, grants_at, entries_at - 1)
  end
  new_values[n_values + 1] = KEYS[FIXED + n_counters + i]
  new_values[n_values + 2] = pack_bytes('>Bi8c8I6BI4', units == '' and 2 or 3, last_row, timer, oldest, answers, #before + #grants)
    .. ARGV[a + 2] .. before .. grants .. entries .. entry .. units
  n_values = n_values + 2
  return first
end

local first_of_all = rows
for i = 1, n do
  results[i] = settle(i, 7 + (i - 1) * STRIDE)
end

if n_values == 0 then
  if replayed and ARGV[7] == '1' and tally then call('SET', KEYS[9], tally) end
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
if n_texts > 0 then
  -- One without a record that names it, should the next call fail, does no harm.
  local oldest = format('%d', math.max(answers_ms - KEEP_MS, 0))
  call('XADD', KEYS[5], 'MINID', '~', oldest, format('%d-%d', answers_ms, answers_seq), unpack(texts))
end
if n_fields > 0 then
  call('XADD', KEYS[1], format('%d-0', first_of_all + 1), unpack(fields))
end
if #new_rules > 0 then call('SADD', KEYS[3], unpack(new_rules)) end
if #due > 0 then call('ZADD', KEYS[2], unpack(due)) end
if #undue > 0 then call('ZREM', KEYS[2], unpack(undue)) end
if #new_names > 0 then
  local names = {}
  for k, which in ipairs(new_names) do names[k] = match(KEYS[FIXED + which], '/c/(.*)$') end
  call('SADD', KEYS[4], unpack(names))
end
new_values[n_values + 1] = KEYS[9]
new_values[n_values + 2] = format('%d %d %d %d', rows, people, answers_ms, answers_seq)
n_values = n_values + 2
for which in pairs(dirty) do
  new_values[n_values + 1] = KEYS[FIXED + which]
  new_values[n_values + 2] = format('%d %d ', issued[which], ceiling[which]) .. rest[which]
  n_values = n_values + 2
end
call('MSET', unpack(new_values))
for which in pairs(passing) do call('PEXPIRE', KEYS[FIXED + which], TALLY_MS) end
return results
