//! Two live revisions on every way that a step takes: what a back end reports, what another campaign tells, and time alone; over the
//! embedded store and a real Redis, where another process that has not heard of the second revision does nothing under the first.

use std::collections::BTreeMap;

use function::registry::{self, Checked, Sent, Terms};
use function::relay::Relay;
use function::sweep::sweep;
use machine::participant::Participant;
use machine::value::Value;
use machine::world::{Live, WHOLE, arm};

use crate::relay::{EAR, HEAD, House, key};

const USERS: u64 = 24;

/// Says what is reported, and an hour later notes that time passed.
const WORDS: &str = "
context: { late: { type: int, default: 0, show: true } }
events: { study: { from: backend, payload: { n: { type: int } } } }
machine:
  initial: a
  states:
    a: { events: { study: [{ do: [{ emit: { message: day-done, with: { n: event.n } } }], to: b }] } }
    b:
      events: { study: [{ do: [{ emit: { message: day-done, with: { n: event.n } } }] }] }
      after: [{ in: 1 hour, do: [{ set: { late: late + 1 } }], to: a }]
";

fn member(number: u64) -> String {
    format!("member-{number}")
}

/// Releases `text` of a campaign to `share` of the users.
async fn release(house: &House, campaign: &str, text: &str, share: u32) {
    let (store, registry) = (&*house.process.store, &house.process.registry);
    let sent = Sent {
        document: Some(format!("{HEAD}{text}").into()),
        ..Sent::default()
    };
    let checked = registry.check("acme", campaign, sent).await.unwrap();
    let Checked::Sound(definition, _, _) = checked else {
        panic!("{checked:?}");
    };
    let published = store.published().await.unwrap();
    let known = registry::edition(&published, "acme", &definition).unwrap();
    let parts = (share, false);
    let action = registry::release(store, &definition, known, parts, Terms::default(), 0).await;
    house.admin(action.unwrap().unwrap()).await;
}

/// The records in a campaign, by member.
async fn records(house: &House, campaign: &str) -> BTreeMap<u64, Participant> {
    let mut all = BTreeMap::new();
    for number in 0..USERS {
        let (key, user) = (key(campaign), house.user(&member(number)));
        let recalled = house.process.store.recall(&key, user, None);
        if let Some(record) = recalled.await.unwrap().participant {
            all.insert(number, (*record).clone());
        }
    }
    all
}

/// The revision of each member where the second one has `share`.
fn own(house: &House, campaign: &str, share: u32) -> BTreeMap<u64, u32> {
    let parts = [(1, WHOLE - share), (2, share)];
    let parts = parts.map(|(revision, share)| Live { revision, share });
    let own = |number: u64| arm(&parts, &key(campaign), &house.user(&member(number)));
    (0..USERS)
        .map(|number| (number, own(number).unwrap()))
        .collect()
}

fn revisions(records: &BTreeMap<u64, Participant>) -> BTreeMap<u64, u32> {
    let one = records.iter();
    one.map(|(number, record)| (*number, record.core.revision))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_is_the_users_own() {
    for house in House::both(&[("words", WORDS), ("ear", EAR)]).await {
        let stale = house.beside().await;
        release(
            &house,
            "words",
            &WORDS.replace("late + 1", "late + 2"),
            5000,
        )
        .await;
        release(
            &house,
            "ear",
            &EAR.replace("times + 1", "times + 100"),
            3000,
        )
        .await;
        for number in 0..USERS {
            house.study(&member(number), 1).await;
        }
        let (words, ear) = (own(&house, "words", 5000), own(&house, "ear", 3000));
        assert_eq!(revisions(&records(&house, "words").await), words);
        // A process that serves one revision tells only those whose revision that still is.
        let users = usize::try_from(USERS).unwrap();
        let first = ear.values().filter(|revision| **revision == 1).count();
        assert!((1..users).contains(&first));
        let mut told = 0;
        if let Some(stale) = &stale {
            house.free().await;
            told = Relay::default().round(stale).await;
            assert_eq!(told, first);
        }
        told += house.round(&mut Relay::default()).await;
        assert_eq!(told, users);
        let heard = records(&house, "ear").await;
        assert_eq!(revisions(&heard), ear);
        for (number, record) in &heard {
            let times = if ear[number] == 2 { 100 } else { 1 };
            assert_eq!(record.core.vars.first(), Some(&Value::Int(times)));
        }
        // Time alone, first where nobody told the process of the second revision.
        house.pass(2 * 3_600_000);
        let mut moved = 0;
        if let Some(stale) = &stale {
            moved = sweep(stale).await;
            let first = words.values().filter(|revision| **revision == 1);
            assert_eq!(moved, first.count());
            house.free_of("sweep", "words").await;
        }
        moved += sweep(&house.shell).await;
        assert_eq!(moved, users);
        let late = records(&house, "words").await;
        assert_eq!(revisions(&late), words);
        for (number, record) in &late {
            let late = if words[number] == 2 { 2 } else { 1 };
            assert_eq!(record.core.vars.first(), Some(&Value::Int(late)));
        }
        // The ledger says which arm it was.
        let rows = house.process.store.ledger(&key("words"), 0, 1000).await;
        for row in rows.unwrap() {
            let variant = row.attribution.variant.as_deref().map(str::to_owned);
            assert_eq!(variant, Some(format!("r{}", row.revision)));
        }
    }
}
