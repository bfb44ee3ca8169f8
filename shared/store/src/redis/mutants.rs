//! Who guards the guards: the commit script with one check taken out, or one write falsified, must fail the conformance suite.
//! A mutant that passes it names a promise that nothing holds the script to.

use std::sync::Arc;

use machine::Millis;
use machine::luck::Seed;
use machine::world::{Action, Outcome};
use testbed::Server;

use super::address::Address;
use super::link::Links;
use super::script::Script;
use super::shared::Scripts;
use super::{Grouping, open_scripted};
use crate::Store;
use crate::conformance::CASES;
use crate::conformance::sample::{START, admin, commit, giving, live, publish, user};

const COMMIT: &str = include_str!("scripts/commit.lua");

/// What is wrong with each, what it is made from, and what that becomes.
const MUTANTS: &[(&str, &str, &str)] = &[
    (
        "no version is checked",
        "if sub(old, SEEN, SEEN - 1 + #seen) ~= seen then",
        "if false then",
    ),
    (
        "versions are compared, and not what they name",
        "if sub(old, SEEN, SEEN - 1 + #seen) ~= seen then",
        "if sub(old, SEEN, SEEN + 7) ~= sub(seen, 1, 8) then",
    ),
    (
        "who has no record may claim any version",
        "elseif seen ~= FRESH then",
        "elseif false then",
    ),
    ("what is lacking is given", "if no then return no end", ""),
    (
        "every code of a commit is the first of them",
        "pack_bytes('>i8', based[which] + unit)",
        "pack_bytes('>i8', based[which])",
    ),
    (
        "units are lost at the next answer",
        "if form == 3 then units = sub(old, units_at) end",
        "",
    ),
    (
        "answers are kept with the units behind them",
        "entries = sub(old, from, units_at - 1)",
        "entries = sub(old, from)",
    ),
    (
        "two moves of one counter are looked at one by one",
        "wanted = wanted + add[k]",
        "wanted = add[k]",
    ),
    (
        "a commit does not see what those before it in the call took",
        "local given, left = issued[at], nil",
        "local given, left = tonumber(match(found[BEFORE + at] or '', '^%d+')), nil",
    ),
    (
        "a missing stock is an empty one",
        "elseif kind == 2 or not given then\n    return nil",
        "elseif kind == 2 or not given then\n    return 0",
    ),
    (
        "a budget of a day has no bound",
        "left = bound - (given or 0)",
        "left = bound",
    ),
    (
        "a ceiling is taken for what is left",
        "left = ceiling[at] - bound - given",
        "left = ceiling[at] - bound",
    ),
    (
        "what waits for a later release is given",
        "left = ceiling[at] - bound - given",
        "left = ceiling[at] - given",
    ),
    (
        "the alternatives that are gone are not named",
        "for i = 1, (read_moves(plan, at)) do",
        "for i = 1, 0 do",
    ),
    (
        "remembered answers are not looked up",
        "if answers > 0 then\n      local at",
        "if false then\n      local at",
    ),
    (
        "a key means the same whatever it is used for",
        "if sub(old, at + 8, at + 15) ~= sub(entry, 9, 16) then",
        "if false then",
    ),
    (
        "answers are remembered for ever",
        "if now - when < DAY_MS then\n          if",
        "if true then\n          if",
    ),
    (
        "the fifteen newest answers are kept",
        "DAY_MS, MOST, ENTRY, STRIDE = 86400000, 16,",
        "DAY_MS, MOST, ENTRY, STRIDE = 86400000, 15,",
    ),
    (
        "answers are never dropped",
        "if entry ~= '' and answers == MOST then",
        "if false then",
    ),
    (
        "the answer of the first in the call is replayed to all",
        "answers_ms, answers_seq, n_texts / 2",
        "answers_ms, answers_seq, 1",
    ),
    (
        "nobody is paused",
        "if mark ~= '-' and ARGV[6] == 'live'",
        "if false and ARGV[6] == 'live'",
    ),
    (
        "a pause of one event pauses all",
        "(mark == '*' or mark == '=' .. sub(plan, at, extra_at - 1))",
        "true",
    ),
    (
        "a pause stops the test lane too",
        "if mark ~= '-' and ARGV[6] == 'live' and",
        "if mark ~= '-' and",
    ),
    (
        "a pause of all of the tenant is not looked at",
        "if halt then return { 'T', halt } end",
        "",
    ),
    (
        "a pause of all of the tenant stops the test lane too",
        "if ARGV[6] ~= 'live' then halt = nil end",
        "",
    ),
    (
        "staff may amend nothing while it is paused",
        "local all_grants, amends = marks % 2, marks >= 2",
        "local all_grants, amends = marks % 2, false",
    ),
    (
        "nobody is blocked",
        "if head and call('EXISTS', KEYS[6]) == 1 then",
        "if false then",
    ),
    (
        "a block never ends",
        "(ends == '-' or clock < tonumber(ends))",
        "true",
    ),
    (
        "a block that has an end does not hold",
        "(ends == '-' or clock < tonumber(ends))",
        "ends == '-'",
    ),
    (
        "nothing is stopped",
        "if hit then lacking = lacking or { 'E' } end",
        "",
    ),
    (
        "a reward is stopped in the test lane too",
        "if stopped == ',' or ARGV[6] ~= 'live' then stopped = nil end",
        "if stopped == ',' then stopped = nil end",
    ),
    (
        "what was withdrawn is sold out",
        "withdrawn[#withdrawn + 1] = stock",
        "",
    ),
    (
        "what is stopped is not named",
        "lacking[#lacking + 1] = reward end",
        "end",
    ),
    (
        "any revision is live",
        "if place < from or place >= below then return { 'S' } end",
        "",
    ),
    (
        "a live revision is everybody's",
        "if place < from or place >= below then return { 'S' } end",
        "if below == 0 then return { 'S' } end",
    ),
    (
        "the newer revision's share begins where the older one's does",
        "at = at + share\n",
        "\n",
    ),
    (
        "the epoch is not looked at",
        "if ARGV[4] ~= '' and ARGV[4] ~= epoch then everyone = { 'L' } end",
        "",
    ),
    (
        "a lost lease is good enough",
        "if lease > 0 and found",
        "if false and found",
    ),
    (
        "what does not add up is committed",
        "if unsound > 0 then return { 'F', unsound } end",
        "",
    ),
    (
        "new grants replace the old ones",
        "before = sub(old, grants_at, entries_at - 1)",
        "before = ''",
    ),
    (
        "carried grants are appended to the old ones",
        "if grants_length > 0 and all_grants == 0 then",
        "if grants_length > 0 then",
    ),
    (
        "a counter is moved once a commit, whatever was asked",
        "given = given + add[k]",
        "given = given + 1",
    ),
    ("counters are not written", "dirty[which] = true", ""),
    (
        "serials begin at one",
        "bases = bases .. format(' %d', given)",
        "bases = bases .. format(' %d', given + 1)",
    ),
    (
        "a new counter is not named",
        "new_names[#new_names + 1] = which",
        "",
    ),
    (
        "a participant's rows are not chained",
        "last_row = first\n",
        "\n",
    ),
    (
        "rows are not counted",
        "rows = rows + count",
        "rows = rows + 1",
    ),
    (
        "participants are counted at each visit",
        "if not old then people = people + 1 end",
        "people = people + 1",
    ),
    (
        "timers are never set",
        "if timer ~= new_timer then",
        "if false then",
    ),
    ("timers are never removed", "undue[#undue + 1] = member", ""),
    (
        "rules are not noted",
        "new_rules[#new_rules + 1] = rules[k]",
        "",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_mutant_of_the_commit_script_fails_the_conformance_suite() {
    let server = Server::start();
    let address: Address = server.address().parse().unwrap();
    let mut alive = Vec::new();
    for (wrong, from, to) in MUTANTS {
        assert_eq!(COMMIT.matches(from).count(), 1, "{from} stands once");
        let text: &'static str = Box::leak(COMMIT.replace(from, to).into_boxed_str());
        match killer(&address, text).await {
            Some(case) => println!("{wrong}: {case}"),
            None => alive.push(*wrong),
        }
    }
    assert_eq!(killer(&address, COMMIT).await, None, "the script itself");
    assert!(alive.is_empty(), "no case fails where {alive:#?}");
}

/// The first case that fails with this text as the commit script.
async fn killer(address: &Address, text: &'static str) -> Option<&'static str> {
    for case in CASES {
        empty(address).await;
        if case.run(open(address, text).await).await.is_err() {
            return Some(case.name);
        }
    }
    (!gives_nothing_after_a_loss(address, text).await).then_some("nothing given after a loss")
}

async fn open(address: &Address, text: &'static str) -> Arc<dyn Store> {
    let scripts = Scripts {
        commit: Script::new(text),
        ..Scripts::default()
    };
    let store = open_scripted(address, Grouping::default(), scripts).await;
    Arc::new(store.unwrap())
}

async fn empty(address: &Address) {
    let links = Links::open(address).await.unwrap();
    links.send(&redis::cmd("FLUSHALL")).await.unwrap();
}

/// No case can empty a store behind its back: whether one that knows a campaign, which is then lost and made anew by another
/// process, refuses to give from the stock that begins at nought again.
async fn gives_nothing_after_a_loss(address: &Address, text: &'static str) -> bool {
    empty(address).await;
    let store = open(address, text).await;
    make_campaign(&*store, START).await;
    store.lane(&live()).await.unwrap().unwrap();
    empty(address).await;
    make_campaign(&*open(address, text).await, START + 1).await;
    let outcome = store.commit(Box::new(giving(commit(user(1), 0, "a"), "mug")));
    matches!(outcome.await, Ok(Outcome::Frozen(_)))
}

async fn make_campaign(store: &dyn Store, at: Millis) {
    let secret = Seed([9; 32]);
    let tenant = admin(Action::CreateTenant { secret });
    store.admin(Box::new(tenant)).await.unwrap();
    let text = "{\"durability\":\"standard\"}";
    let mut campaign = admin(publish(text, &[("mug", 7)], None));
    campaign.at = at;
    store.admin(Box::new(campaign)).await.unwrap();
}
