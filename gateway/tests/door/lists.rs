//! A list in the store, looked up by several processes: put by one, it is the other's within the time of a change; who is on it is
//! told by the new list or the old one; and what the store does not say is unknown.

use std::sync::Arc;
use std::time::Duration;

use function::http::Shell;
use machine::ids::Pseudonym;
use machine::world::{Action, Admin, AdminOutcome, Lines};

use crate::relay::House;

/// For those on `vip`, of which there is no file but an empty one.
const GAME: &str = "
audience: { any_of: [{ list: vip }] }
events: { study: { payload: {} } }
machine:
  initial: a
  states: { a: { events: { study: [{}] } } }
";

async fn put(shell: &Shell, members: &[Pseudonym]) {
    let mut members = members.to_vec();
    members.sort_unstable();
    let change = Admin {
        tenant: "acme".into(),
        by: "ops".into(),
        at: 1,
        key: None,
        action: Action::PutList {
            list: "vip".into(),
            version: "".into(),
            members: 0,
            lines: Lines::default(),
            sha256: [1; 32],
        },
        why: None,
    };
    let outcome = shell.store.put_list(Box::new(change), members).await;
    assert!(matches!(outcome, Ok(AdminOutcome::Done(_))), "{outcome:?}");
}

/// Whether this process finds the member on the list.
async fn on(shell: &Shell, member: &str) -> bool {
    let snapshot = shell.registry.snapshot();
    let tenant = &snapshot.tenants["acme"];
    let served = &tenant.campaigns["game"];
    let listed = tenant
        .listed(&*shell.store, served, tenant.pseudonym(member))
        .await;
    let campaign = served.newest().unwrap();
    tenant.facts(campaign, member, &listed).holds(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_every_processes() {
    for house in House::both_with(&[("game", GAME)], &[("vip", "eve\n")]).await {
        let here = house.shell.clone();
        let there: Arc<Shell> = house.beside().await.unwrap_or_else(|| here.clone());
        for shell in [&here, &there] {
            assert!(on(shell, "eve").await && !on(shell, "ann").await);
        }
        let mut changes = there.store.changes();
        changes.mark_unchanged();
        put(&here, &[house.user("ann")]).await;
        here.registry.refresh().await.unwrap();
        assert!(on(&here, "ann").await && !on(&here, "eve").await);
        if there.store.is_remote() {
            // What `serve` waits for before it looks again.
            let told = tokio::time::timeout(Duration::from_secs(20), changes.changed());
            told.await.expect("the other process is told").unwrap();
        }
        there.registry.refresh().await.unwrap();
        assert!(on(&there, "ann").await && !on(&there, "eve").await);
        // Replaced behind its back: it sees the old list whole, or, when told, the new one.
        put(&here, &[house.user("bob")]).await;
        if there.store.is_remote() {
            assert!(on(&there, "ann").await && !on(&there, "bob").await);
            assert!(!on(&there, "carl").await);
        }
        there.registry.refresh().await.unwrap();
        assert!(on(&there, "bob").await && !on(&there, "ann").await);
        assert_eq!(here.store.lists("acme").await.unwrap().len(), 1);
    }
}
