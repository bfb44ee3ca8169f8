//! A draw from all who entered, over both stores: entered, closed, drawn, told, claimed, lapsed, taken over; by several
//! processes, after crashes, and verified from the ledger alone.

use std::collections::{BTreeMap, BTreeSet};

use campaign::verify::{Promise, Published, Row, verify};
use function::raffle::Raffles;
use machine::ids::{CampaignKey, Lane};
use machine::world::{Action, CounterKey, Measure, Pause};
use serde_json::Value;

use crate::relay::{House, key};

const DAY_MS: i64 = 24 * 3_600_000;

/// The end of the entries, and the draw an hour later: far ahead of whenever this runs.
const CLOSE_AT: i64 = 1_956_528_000_000; // 2032-01-01
const FILE: &str = "
claim_until: 2036-01-01
rewards:
  laptop: { title: { en: Laptop }, kind: physical, stock: 1 }
  coupon: { title: { en: Coupon }, kind: coupon, stock: 2 }
raffle:
  entries_close: 2032-01-01T00:00:00Z
  draw_at: 2032-01-01T01:00:00Z
  entries_each: 2
  prizes: [{ reward: laptop, winners: 1 }, { reward: coupon, winners: 2 }]
  alternates: 2
  claim_within: 7 days
machine:
  initial: a
  states:
    a:
      events:
        enter: [{ do: [{ enter: raffle }] }]
        claim-prize: [{ when: prize_lapsed(), reject: too-late }, { do: [{ claim_prize: raffle }] }]
messages: { too-late: { en: Too late } }
";

const USERS: [&str; 8] = ["ann", "bob", "cleo", "dan", "eve", "fay", "gus", "hal"];

impl House {
    /// Sets the clock to so long after the entries close.
    fn after_close(&self, millis: i64) {
        self.pass(CLOSE_AT + millis - self.now());
    }

    async fn draw(&self, raffles: &mut Raffles) -> usize {
        let mut all = 0;
        loop {
            self.free_of("raffle", "prizes").await;
            let done = raffles.round(&self.shell).await;
            all += done;
            if done == 0 {
                return all;
            }
        }
    }

    async fn state(&self, user: &str) -> String {
        let view = self.view("prizes", user).await;
        view["raffle"]["state"].as_str().unwrap().to_owned()
    }

    async fn states(&self) -> BTreeMap<&'static str, String> {
        let mut found = BTreeMap::new();
        for user in USERS {
            found.insert(user, self.state(user).await);
        }
        found
    }

    async fn counter(&self, counter: &CounterKey) -> (i64, i64) {
        let lane = self.process.store.lane(&key("prizes")).await.unwrap();
        let counters = lane.unwrap().counters;
        let (_, found) = counters.iter().find(|(known, _)| known == counter).unwrap();
        (found.issued, found.ceiling)
    }

    async fn all_enter(&self) {
        for user in USERS {
            assert_eq!(
                self.event("prizes", user, "enter").await["status"],
                Value::Null
            );
        }
        for user in &USERS[..3] {
            self.event("prizes", user, "enter").await;
        }
    }

    /// The ledger as it is exported.
    async fn rows(&self, key: &CampaignKey) -> Vec<Row> {
        let rows = self.process.store.ledger(key, 0, 10_000).await.unwrap();
        let of = |row: &store::LedgerRow| {
            Row::of(row.number, key, row.revision, &row.user, row.at, &row.row)
        };
        rows.iter().map(of).collect()
    }

    async fn verified(&self) {
        let key = key("prizes");
        let store = &self.process.store;
        let seed = store.setup(&key).await.unwrap().unwrap().seed;
        let mut revisions = BTreeMap::new();
        for number in 1.. {
            let found = store.revision("acme", "prizes", 1, number).await.unwrap();
            let Some(found) = found else { break };
            let definition = found.definition.to_vec();
            let sha256 = found.sha256;
            revisions.insert(number, Published { sha256, definition });
        }
        let promise = Promise {
            revisions: &revisions,
            seed: &seed,
            commitment: seed.commitment(),
            whole: true,
        };
        let report = verify(&promise, self.rows(&key).await);
        assert_eq!((report.findings.as_slice(), report.raffles), (&[][..], 1));
    }
}

fn of<'a>(states: &'a BTreeMap<&'static str, String>, wanted: &'a str) -> Vec<&'static str> {
    let found = states.iter().filter(|(_, state)| *state == wanted);
    found.map(|(user, _)| *user).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raffle_is_drawn_claimed_and_taken_over() {
    for house in House::both(&[("prizes", FILE)]).await {
        let mut raffles = Raffles::default();
        house.all_enter().await;
        // Two each, and no more.
        let no = house.event("prizes", "ann", "enter").await;
        assert_eq!(no["code"], "not-possible");
        assert_eq!(house.state("ann").await, "entered");
        assert_eq!(house.draw(&mut raffles).await, 0, "it is not time");
        house.after_close(0);
        let no = house.event("prizes", "dan", "enter").await;
        assert_eq!(no["code"], "closed");
        assert_eq!(house.draw(&mut raffles).await, 0, "it is not time");
        house.after_close(3_600_000);
        // The draw, three winners, two alternates.
        assert_eq!(house.draw(&mut raffles).await, 1 + 5);
        let entries = CounterKey::Entries("raffle".into());
        assert_eq!(house.counter(&entries).await, (11, 11));
        let page = house.public("prizes").await;
        assert_eq!(page["raffle"]["drawn"]["entries"], 11);
        assert_eq!(
            page["raffle"]["drawn"]["sha256"].as_str().unwrap().len(),
            64
        );
        let states = house.states().await;
        let (won, next) = (of(&states, "won"), of(&states, "alternate"));
        assert_eq!(
            (won.len(), next.len(), of(&states, "not-won").len()),
            (3, 2, 3)
        );
        // Nothing is given before it is claimed.
        let coupons = CounterKey::Stock("coupon".into());
        assert_eq!(house.counter(&coupons).await, (0, 2));
        let claimed = house.event("prizes", won[0], "claim-prize").await;
        assert_eq!(claimed["outcome"], "claimed");
        let again = house.event("prizes", won[0], "claim-prize").await;
        assert_eq!(again["code"], "not-possible");
        let other = house.event("prizes", next[0], "claim-prize").await;
        assert_eq!(other["code"], "not-possible");
        // The time of the other two is over; the two alternates take over what was theirs.
        house.after_close(3_600_000 + 7 * DAY_MS + 60_000);
        let late = house.event("prizes", won[1], "claim-prize").await;
        assert_eq!(late["code"], "too-late");
        assert_eq!(house.draw(&mut raffles).await, 2 + 2);
        let states = house.states().await;
        assert_eq!(of(&states, "won"), next);
        assert_eq!(of(&states, "lapsed"), won[1..]);
        for user in next {
            let claimed = house.event("prizes", user, "claim-prize").await;
            assert_eq!(claimed["outcome"], "claimed");
        }
        let laptops = CounterKey::Stock("laptop".into());
        assert_eq!(house.counter(&laptops).await, (1, 1));
        assert_eq!(house.counter(&coupons).await, (2, 2));
        assert_eq!(house.draw(&mut Raffles::default()).await, 0);
        house.verified().await;
        let found = store::reconcile::reconcile(&*house.process.store, &key("prizes")).await;
        assert_eq!(found.unwrap().unwrap().differences, []);
    }
}

/// Neither the lease nor what a process remembers is what keeps a draw from being made twice.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_make_one_draw_and_tell_each_once() {
    for house in House::both(&[("prizes", FILE)]).await {
        house.all_enter().await;
        house.after_close(3_600_000);
        let other = house.beside().await.unwrap_or_else(|| house.shell.clone());
        for _ in 0..6 {
            let (mut one, mut two) = (Raffles::default(), Raffles::default());
            tokio::join!(one.round(&house.shell), two.round(&other));
            house.free_of("raffle", "prizes").await;
        }
        let rows = house.process.store.ledger(&key("prizes"), 0, 1000).await;
        let rows = rows.unwrap();
        let draws = |row: &&store::LedgerRow| matches!(row.row, machine::ledger::Row::Raffle(_));
        assert_eq!(rows.iter().filter(draws).count(), 1);
        let told: Vec<_> = rows
            .iter()
            .filter(|row| matches!(&row.row, machine::ledger::Row::Message(told) if &*told.message == "raffle-won"))
            .map(|row| row.user)
            .collect();
        let different: BTreeSet<_> = told.iter().collect();
        assert_eq!((told.len(), different.len()), (3, 3));
        house.verified().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_entry_comes_after_the_list_is_closed() {
    for house in House::both(&[("prizes", FILE)]).await {
        house.all_enter().await;
        // Closed in the store, while clocks that are behind still let users enter.
        let close = Action::CloseEntries {
            campaign: "prizes".into(),
            edition: 1,
            lane: Lane::Live,
            draw: "raffle".into(),
        };
        house.admin(close).await;
        let no = house.event("prizes", "dan", "enter").await;
        assert_eq!(no["code"], "closed");
        // A draw is of the list as it was closed; no publish opens it again.
        house.after_close(3_600_000);
        assert_eq!(house.draw(&mut Raffles::default()).await, 6);
        house.verified().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_campaign_draws_when_it_goes_on() {
    for house in House::both(&[("prizes", FILE)]).await {
        house.all_enter().await;
        let pause = Pause {
            reason: "test".to_owned(),
            notice: None,
            until: None,
            event: None,
        };
        let campaign: std::sync::Arc<str> = "prizes".into();
        house
            .admin(Action::Pause {
                campaign: campaign.clone(),
                edition: 1,
                pause,
            })
            .await;
        house.after_close(3_600_000 + 3 * DAY_MS);
        let mut raffles = Raffles::default();
        assert_eq!(house.draw(&mut raffles).await, 0);
        let edition = 1;
        house.admin(Action::Resume { campaign, edition }).await;
        assert_eq!(house.draw(&mut raffles).await, 6);
        // Their time to claim begins when they are told.
        house.after_close(3_600_000 + 9 * DAY_MS);
        assert_eq!(house.draw(&mut raffles).await, 0);
        house.verified().await;
    }
}

/// Whoever won has a right to that very prize: while it can't be had, nothing stands in for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_prize_is_claimed_later_and_nothing_stands_in_for_it() {
    let file = FILE.replace(
        "raffle:",
        "  mug: { title: { en: Mug }, kind: physical, stock: 9 }\nwhen_gone: { laptop: mug, coupon: mug }\nraffle:",
    );
    for house in House::both(&[("prizes", &file)]).await {
        house.all_enter().await;
        house.after_close(3_600_000);
        assert_eq!(house.draw(&mut Raffles::default()).await, 6);
        let states = house.states().await;
        let won = of(&states, "won");
        for reward in ["laptop", "coupon"] {
            let stop = Measure::StopReward {
                campaign: "prizes".into(),
                edition: 1,
                reward: reward.into(),
            };
            house.admin(Action::Measure(stop)).await;
        }
        for user in &won {
            let no = house.event("prizes", user, "claim-prize").await;
            assert_eq!(no["code"], "sold-out", "{user}");
            assert_eq!(house.state(user).await, "won");
        }
        for reward in ["laptop", "coupon"] {
            let start = Measure::StartReward {
                campaign: "prizes".into(),
                edition: 1,
                reward: reward.into(),
            };
            house.admin(Action::Measure(start)).await;
        }
        for user in &won {
            let claimed = house.event("prizes", user, "claim-prize").await;
            assert_eq!(claimed["outcome"], "claimed", "{user}");
        }
        let mugs = CounterKey::Stock("mug".into());
        assert_eq!(house.counter(&mugs).await, (0, 9));
        house.verified().await;
    }
}

/// The test lane's clock, moved over the draw: it is drawn there, told and claimed, and the live lane knows nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_test_lanes_clock_is_moved_over_a_draw() {
    let file = format!("{FILE}testers: [{{ list: inner }}]\n");
    let inner = [("inner", "ann\nbob\n")];
    for house in House::both_with(&[("prizes", &file)], &inner).await {
        let mut raffles = Raffles::default();
        let state = async |user: &str| {
            let view = house.view("prizes?lane=test", user).await;
            view["raffle"]["state"].as_str().unwrap().to_owned()
        };
        for user in ["ann", "bob"] {
            let entered = house.event("prizes", user, "enter?lane=test").await;
            assert_eq!(entered["lane"], "test", "{entered}");
        }
        house.event("prizes", "ann", "enter").await;
        assert_eq!(house.draw(&mut raffles).await, 0, "it is not time");
        let moved = Action::MoveClock {
            campaign: "prizes".into(),
            edition: 1,
            offset: CLOSE_AT + 2 * 3_600_000 - house.now(),
        };
        house.admin(moved).await;
        let no = house.event("prizes", "bob", "enter?lane=test").await;
        assert_eq!(no["code"], "closed", "{no}");
        // The lease of the lane's last round may still run.
        let until = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
        while state("ann").await != "won" || state("bob").await != "won" {
            assert!(tokio::time::Instant::now() < until, "nothing is drawn");
            raffles.round(&house.shell).await;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let claimed = house.event("prizes", "ann", "claim-prize?lane=test").await;
        assert_eq!(claimed["grants"].as_array().map(Vec::len), Some(1));
        // The live lane's own time has not come.
        assert_eq!(house.state("ann").await, "entered");
        let bob = house.view("prizes", "bob").await;
        assert_eq!(bob["raffle"]["entries"], 0, "{bob}");
        let page = house.public("prizes").await;
        assert!(page["raffle"]["drawn"].is_null(), "{page}");
        let live = house.rows(&key("prizes")).await;
        assert_eq!(live.len(), 1, "one entry");
    }
}
