//! Holds the players' books against what the server keeps: the ledger, the counters, each user's list.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::books::{Ack, Call};
use crate::client::{Answer, get};
use crate::player::Player;
use crate::server::Ports;
use crate::world::{BUDGETS, CAMPAIGNS, STOCK, TENANT, finance_token};

/// Of these a user gets one at most.
const ONE_EACH: [&str; 4] = ["mug", "book", "pen", "one"];

/// What was found.
#[derive(Debug, Default)]
pub struct Verdict {
    pub rows: u64,
    pub grants: u64,
    pub sold_out: u64,
    pub violations: Vec<String>,
}

impl Verdict {
    fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.violations.push(what());
        }
    }
}

/// Judges a server at rest: no call is open any more.
pub fn judge(ports: Ports, players: &mut [Player]) -> Verdict {
    let mut verdict = Verdict::default();
    for campaign in CAMPAIGNS {
        let acks: Vec<Ack> = players
            .iter()
            .flat_map(|player| &player.books.acks)
            .filter(|ack| ack.call.campaign == campaign)
            .cloned()
            .collect();
        let rows = ledger(ports, campaign);
        verdict.rows += rows.len() as u64;
        books_and_ledger(campaign, &acks, &rows, &mut verdict);
        for (key, code) in players.iter().flat_map(|player| &player.books.rejected) {
            let row = rows.iter().find(|row| row["request_id"] == **key);
            verdict.check(row.is_none(), || {
                format!("{campaign}: {key} was answered `{code}`, and the ledger has {row:?}")
            });
        }
        let all_gone = players
            .iter()
            .any(|player| player.books.sold_out.contains(campaign));
        verdict.check(!all_gone || last_unit_is_gone(campaign, &rows), || {
            format!("{campaign}: it was said to be sold out, and a unit is left")
        });
        units(campaign, &rows, &stats(ports, campaign), &mut verdict);
    }
    for player in players.iter_mut() {
        lists(ports, player, &mut verdict);
    }
    for player in players {
        verdict.violations.append(&mut player.books.violations);
        verdict.check(player.books.open.is_empty(), || {
            format!("still open: {:?}", player.books.open)
        });
    }
    verdict
}

/// Whether some reward of a campaign has been given to its last unit. Nobody adds any.
fn last_unit_is_gone(campaign: &str, rows: &[Value]) -> bool {
    STOCK.iter().any(|(of, reward, configured)| {
        let given = rows.iter().filter(|row| row["grant"]["reward"] == *reward);
        *of == campaign && given.count() as i64 >= *configured
    })
}

/// Each answer has its rows, each row its answer.
fn books_and_ledger(campaign: &str, acks: &[Ack], rows: &[Value], verdict: &mut Verdict) {
    let misnumbered = rows
        .iter()
        .enumerate()
        .find(|(at, row)| row["number"].as_u64() != Some(*at as u64));
    verdict.check(misnumbered.is_none(), || {
        format!("{campaign}: the ledger's numbers have gaps: {misnumbered:?}")
    });
    let (mut grants, mut draws): (BTreeMap<&str, Vec<&str>>, BTreeMap<&str, u64>) =
        Default::default();
    let mut ids: BTreeSet<&str> = BTreeSet::new();
    let mut indexes: BTreeMap<&str, u64> = BTreeMap::new();
    let mut misses: BTreeMap<&str, u64> = BTreeMap::new();
    for row in rows {
        let key = row["request_id"].as_str().unwrap_or_default();
        if let Some(id) = row["grant"]["id"].as_str() {
            verdict.grants += 1;
            verdict.check(ids.insert(id), || {
                format!("{campaign}: grant {id} was given twice")
            });
            grants.entry(key).or_default().push(id);
        }
        if let Some(index) = row["draw"]["index"].as_u64() {
            *draws.entry(key).or_default() += 1;
            let next = indexes
                .entry(row["user"].as_str().unwrap_or_default())
                .or_default();
            verdict.check(index == *next, || {
                format!("{campaign}: draw {index} came where {next} was due: {row}")
            });
            *next = index + 1;
            // Each draw was made on the record that the one before it left behind.
            let missed = misses
                .entry(row["user"].as_str().unwrap_or_default())
                .or_default();
            let counted = row["draw"]["misses"].as_u64();
            verdict.check(counted == Some(*missed), || {
                format!("{campaign}: {missed} misses in a row were due, not these: {row}")
            });
            *missed = match row["draw"]["given"] {
                Value::Null => *missed + 1,
                _ => 0,
            };
        }
    }
    for ack in acks {
        let mut told = ack.grants();
        let key = ack.call.key.as_str();
        let mut kept = grants.remove(key).unwrap_or_default();
        told.sort();
        kept.sort_unstable();
        verdict.check(told == kept, || {
            format!(
                "{:?} was told of {told:?}, the ledger has {kept:?}",
                ack.call
            )
        });
        let drawn = draws.remove(key).unwrap_or(0);
        let due = u64::from(ack.call.event == "draw");
        verdict.check(drawn == due, || {
            format!("{:?} drew {drawn} times", ack.call)
        });
    }
    verdict.check(grants.is_empty(), || {
        format!("{campaign}: nobody was told of {grants:?}")
    });
    verdict.check(draws.is_empty(), || {
        format!("{campaign}: nobody was told of the draws {draws:?}")
    });
}

/// Units given and units left make up the stock; no unit is given twice, no user has more than the rules allow.
fn units(campaign: &str, rows: &[Value], stats: &Value, verdict: &mut Verdict) {
    let lane = &stats["lanes"][0];
    verdict.check(lane["rows"].as_u64() == Some(rows.len() as u64), || {
        format!("{campaign}: {lane} for {} rows", rows.len())
    });
    for (of, reward, configured) in STOCK {
        if of != campaign {
            continue;
        }
        let given: Vec<&Value> = rows
            .iter()
            .filter(|row| row["grant"]["reward"] == reward)
            .collect();
        let serials: BTreeSet<u64> = given
            .iter()
            .filter_map(|row| row["grant"]["serial"].as_u64())
            .collect();
        let issued = given.len() as i64;
        let gapless = serials.iter().copied().eq(0..given.len() as u64);
        verdict.check(gapless, || {
            format!("{campaign}/{reward}: {issued} units have the serials {serials:?}")
        });
        let stock = lane["stock"]
            .as_array()
            .and_then(|all| all.iter().find(|one| one["reward"] == reward));
        let figure = |name: &str| stock.and_then(|stock| stock[name].as_i64()).unwrap_or(-1);
        let holds = figure("issued") == issued
            && figure("left") + issued == configured
            && figure("ceiling") == configured;
        verdict.check(holds, || {
            format!("{campaign}/{reward}: {issued} of {configured} in the ledger, and {stock:?}")
        });
        verdict.sold_out += u64::from(figure("left") == 0);
        if ONE_EACH.contains(&reward) {
            let users: BTreeSet<&str> = given
                .iter()
                .filter_map(|row| row["user"].as_str())
                .collect();
            verdict.check(users.len() == given.len(), || {
                format!("{campaign}/{reward}: a user has two")
            });
        }
    }
    if let Some(spent) = lane["budget"]["spent"].as_str() {
        let costs: i64 = rows
            .iter()
            .filter_map(|row| cents(row["grant"]["cost"].as_str()?))
            .sum();
        verdict.check(cents(spent) == Some(costs), || {
            format!("{campaign}: {spent} booked, {costs} cents in the ledger")
        });
        let cap = BUDGETS.iter().find(|(of, _)| *of == campaign);
        verdict.check(cap.is_none_or(|(_, cap)| costs <= *cap), || {
            format!("{campaign}: {costs} cents given away, of {cap:?}")
        });
    }
    if campaign == "check-in" {
        let given = rows.iter().filter(|row| row["type"] == "grant");
        let days: Vec<(&str, &str)> = given
            .filter_map(|row| Some((row["user"].as_str()?, row["grant"]["period"].as_str()?)))
            .collect();
        let distinct: BTreeSet<&(&str, &str)> = days.iter().collect();
        verdict.check(distinct.len() == days.len(), || {
            "check-in: a user signed one day twice".to_owned()
        });
    }
}

/// What each user sees is what the user was told.
fn lists(ports: Ports, player: &mut Player, verdict: &mut Verdict) {
    let mut told: BTreeMap<(String, &'static str), BTreeSet<String>> = BTreeMap::new();
    for ack in &player.books.acks {
        told.entry((ack.call.user.clone(), ack.call.campaign))
            .or_default()
            .extend(ack.grants());
    }
    for ((user, campaign), told) in told {
        let call = Call {
            user,
            campaign,
            event: "",
            key: String::new(),
        };
        let listed = player.lists(ports.public, &call).expect("a list");
        let seen: BTreeSet<String> = listed.iter().cloned().collect();
        let holds = seen == told && seen.len() == listed.len();
        verdict.check(holds, || {
            format!(
                "{} in {campaign} was told of {told:?} and sees {listed:?}",
                call.user
            )
        });
    }
}

/// How long a store that has just come back may take to be found again.
const PATIENCE: Duration = Duration::from_secs(20);

/// An answer of the desk; a 503 is asked again.
fn ask(ports: Ports, path: &str) -> Answer {
    let until = Instant::now() + PATIENCE;
    loop {
        let answer = get(ports.admin, path, &finance_token()).expect("an answer of the desk");
        if answer.status != 503 || Instant::now() > until {
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
            return answer;
        }
        sleep(Duration::from_millis(50));
    }
}

pub fn ledger(ports: Ports, campaign: &str) -> Vec<Value> {
    ask(
        ports,
        &format!("/admin/v1/{TENANT}/ledger?campaign={campaign}"),
    )
    .body
    .lines()
    .map(|line| serde_json::from_str(line).expect("a row"))
    .collect()
}

pub fn stats(ports: Ports, campaign: &str) -> Value {
    let path = format!("/admin/v1/{TENANT}/campaigns/{campaign}/stats");
    let answer = ask(ports, &path);
    serde_json::from_str(&answer.body).expect("figures")
}

/// `1.50` as 150.
fn cents(money: &str) -> Option<i64> {
    let (whole, rest) = money.split_once('.')?;
    Some(whole.parse::<i64>().ok()? * 100 + rest.parse::<i64>().ok().filter(|_| rest.len() == 2)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ack(key: &str, grants: &[&str]) -> Ack {
        let grants: Vec<Value> = grants.iter().map(|id| json!({ "id": id })).collect();
        let call = Call {
            user: "u".to_owned(),
            campaign: "wheel",
            event: "draw",
            key: key.to_owned(),
        };
        Ack {
            call,
            body: json!({ "grants": grants }).to_string(),
            at: Instant::now(),
        }
    }

    fn draw(number: u64, key: &str, index: u64) -> Value {
        json!({ "number": number, "request_id": key, "user": "u", "type": "draw", "draw": { "index": index, "misses": index } })
    }

    fn cup(number: u64, key: &str, id: &str, serial: u64) -> Value {
        let grant = json!({ "id": id, "reward": "cup", "serial": serial, "cost": "0.50" });
        json!({ "number": number, "request_id": key, "user": "u", "type": "grant", "grant": grant })
    }

    fn stats(rows: u64, issued: i64, left: i64) -> Value {
        let stock = json!([
            { "reward": "cup", "issued": issued, "ceiling": 400, "left": left },
            { "reward": "mug", "issued": 0, "ceiling": 25, "left": 25 },
        ]);
        json!({ "lanes": [{ "rows": rows, "stock": stock, "budget": { "spent": "0.50" } }] })
    }

    fn found(acks: &[Ack], rows: &[Value], stats: &Value) -> Vec<String> {
        let mut verdict = Verdict::default();
        books_and_ledger("wheel", acks, rows, &mut verdict);
        units("wheel", rows, stats, &mut verdict);
        verdict.violations
    }

    /// A judge that finds nothing proves nothing: each fault is found, and books without one are passed.
    #[test]
    fn crash_serve_judge_finds_each_fault() {
        let acks = [ack("k1", &["g1"]), ack("k2", &[])];
        let rows = vec![cup(0, "k1", "g1", 0), draw(1, "k1", 0), draw(2, "k2", 1)];
        assert_eq!(found(&acks, &rows, &stats(3, 1, 399)), Vec::<String>::new());

        let with = |at: usize, row: Value| {
            rows.iter()
                .take(at)
                .cloned()
                .chain([row])
                .collect::<Vec<Value>>()
        };
        let faults: [(&str, Vec<Ack>, Vec<Value>, Value); 8] = [
            (
                "a lost grant",
                acks.to_vec(),
                vec![draw(0, "k1", 0), draw(1, "k2", 1)],
                stats(2, 0, 400),
            ),
            (
                "a lost draw",
                acks.to_vec(),
                rows[..2].to_vec(),
                stats(2, 1, 399),
            ),
            (
                "a grant given twice",
                acks.to_vec(),
                with(3, cup(3, "k1", "g1", 1)),
                stats(4, 2, 398),
            ),
            (
                "a draw made twice",
                acks.to_vec(),
                with(3, draw(3, "k2", 2)),
                stats(4, 1, 399),
            ),
            (
                "a grant that nobody was told of",
                acks.to_vec(),
                with(3, cup(3, "k9", "g9", 1)),
                stats(4, 2, 398),
            ),
            (
                "a gap in the ledger",
                acks.to_vec(),
                with(2, draw(3, "k2", 1)),
                stats(3, 1, 399),
            ),
            (
                "a gap in the draws",
                acks.to_vec(),
                with(2, draw(2, "k2", 2)),
                stats(3, 1, 399),
            ),
            (
                "a unit that vanished",
                acks.to_vec(),
                rows.clone(),
                stats(3, 1, 398),
            ),
        ];
        for (fault, acks, rows, stats) in faults {
            assert!(
                !found(&acks, &rows, &stats).is_empty(),
                "{fault} was not found"
            );
        }
    }
}
