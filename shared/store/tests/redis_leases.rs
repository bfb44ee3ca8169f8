//! Leases on a real server: what its keys hold, and what outlives them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

use std::sync::Arc;
use std::time::{Duration, Instant};

use machine::ids::CampaignKey;
use store::conformance::sample;
use store::redis::lease::{lease_key, take};
use store::redis::link::Links;
use store::{Error, Lease};
use testbed::Server;

const LONG: Duration = Duration::from_mins(10);
const SHORT: Duration = Duration::from_millis(20);

async fn links(server: &Server) -> Arc<Links> {
    let address = server.address().parse().expect("an address");
    Arc::new(Links::open(&address).await.expect("a connection"))
}

/// Takes a lease that is free, or will be.
async fn taken(links: &Arc<Links>, key: &CampaignKey, term: Duration) -> Lease {
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        match take(links, key, "sweep", term).await {
            Ok(Some(lease)) => return lease,
            Ok(None) | Err(_) => tokio::time::sleep(Duration::from_millis(2)).await,
        }
    }
    panic!("the lease did not become free");
}

#[tokio::test]
async fn it_is_one_owners_until_its_term_is_over() {
    let server = Server::start();
    let links = links(&server).await;
    let key = sample::live();
    let first = taken(&links, &key, LONG).await;
    assert!(take(&links, &key, "sweep", LONG).await.unwrap().is_none());
    assert!(take(&links, &key, "settle", LONG).await.unwrap().is_some());
    let name = lease_key(&key, "sweep");
    assert_eq!(name, "{acme/spring/0}/v1/1/live/lease/sweep");
    assert_eq!(server.ask::<String>(&["GET", &name]), first.value());
    assert!(
        first.value().starts_with(&format!("{}:", first.fence())),
        "a script can compare the fence"
    );
    assert!(first.renew().await.unwrap());
    assert!(first.release().await.unwrap());
    assert!(!first.release().await.unwrap());
    assert_eq!(server.ask::<Option<String>>(&["GET", &name]), None);

    let second = taken(&links, &key, SHORT).await;
    assert!(second.fence() > first.fence());
    let third = taken(&links, &key, LONG).await;
    assert!(third.fence() > second.fence());
    assert!(!second.is_live());
    assert!(!second.renew().await.unwrap());
    assert!(!second.release().await.unwrap());
    assert_eq!(server.ask::<String>(&["GET", &name]), third.value());
}

#[tokio::test]
async fn the_number_grows_although_server_and_scripts_forget() {
    let mut server = Server::start();
    let links = links(&server).await;
    let key = sample::live();
    let before = taken(&links, &key, LONG).await;
    server.command(&["SCRIPT", "FLUSH"]);
    assert!(before.renew().await.unwrap());
    server.wipe_and_restart();
    let after = taken(&links, &key, LONG).await;
    assert!(after.fence() > before.fence());
    assert!(!before.renew().await.unwrap());
    assert!(!before.release().await.unwrap());
    assert!(after.renew().await.unwrap());
}

#[tokio::test]
async fn of_many_processes_one_gets_it() {
    let server = Server::start();
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let links = links(&server).await;
        asking.spawn(async move { take(&links, &sample::live(), "sweep", LONG).await });
    }
    let got = asking.join_all().await;
    let got = got
        .into_iter()
        .filter(|one| one.as_ref().unwrap().is_some());
    assert_eq!(got.count(), 1);
}

#[tokio::test]
async fn a_key_of_another_kind_is_an_error_and_stays() {
    let server = Server::start();
    let links = links(&server).await;
    let key = sample::live();
    let fence = format!("{}/fence", lease_key(&key, "sweep"));
    server.command(&["RPUSH", &fence, "x"]);
    let refused = take(&links, &key, "sweep", LONG).await;
    assert!(matches!(refused, Err(Error::NotWritten(_))), "{refused:?}");
    let name = lease_key(&key, "sweep");
    assert_eq!(server.ask::<u32>(&["EXISTS", &name]), 0);
}
