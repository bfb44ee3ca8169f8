//! What one campaign emits reaches those that listen, once: over the embedded store and a real Redis, however often it is
//! delivered, by whomever, and whatever stands in its way.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use campaign::tenant::{Alg, KeySource, KeySpec};
use function::clock::{Clock, SystemClock};
use function::engine::{Caller, Message, Told, hear};
use function::http::{Shell, router};
use function::identity::{Cache, Minter, Ticket};
use function::lists::Listed;
use function::registry::material;
use function::relay::Relay;
use function::serve::{Process, StoreChoice, open};
use function::telemetry::AccessLog;
use machine::Millis;
use machine::ids::{CampaignKey, Lane, Pseudonym};
use machine::ledger::Row;
use machine::participant::Heard;
use machine::world::{Action, Admin, Attribution, Pause};
use serde_json::{Value, json};
use tempfile::TempDir;
use testbed::Server;

use crate::one_store::TENANT;
use crate::world::{ACTIVITIES, Answer, write};

pub const HEAD: &str = "
activity: custom
title: { en: Test }
opens: 2026-01-01
closes: 2036-01-01
durability: standard
";

/// Emits whatever is reported, and something that nobody listens for.
const WORDS: &str = "
events: { study: { from: backend, payload: { n: { type: int } } } }
machine:
  initial: a
  states:
    a: { events: { study: [{ do: [{ emit: noise }, { emit: { message: day-done, with: { n: event.n } } }] }] } }
";

/// Adds up what it hears; thirteen it refuses, above a hundred it can't take, and with a hundred a rule fails.
pub const EAR: &str = r#"
context: { times: { type: int, default: 0, show: true }, sum: { type: int, default: 0, show: true } }
events: { day-done: { from: [backend, { campaign: words }], payload: { n: { type: int, at_most: 100 } } } }
machine:
  initial: a
  states:
    a:
      events:
        day-done:
          - { when: event.n == 13, reject: unlucky }
          # Fails on no day that a check looks at.
          - { when: "event.n == 100 && (today < date('2026-02-01') ? 1 : 1 / (event.n - 100)) == 1", to: a }
          - { do: [{ set: { times: times + 1, sum: sum + event.n } }] }
messages: { unlucky: { en: Unlucky } }
"#;

/// The real time, moved by a test.
struct Moved(AtomicI64);

impl Clock for Moved {
    fn now(&self) -> Millis {
        SystemClock.now() + self.0.load(Ordering::SeqCst)
    }
}

/// A process on a store of its own.
pub struct House {
    folder: TempDir,
    redis: Option<Server>,
    pub process: Process,
    clock: Arc<Moved>,
    pub shell: Arc<Shell>,
}

impl House {
    /// One over each kind of store.
    pub async fn both(files: &[(&str, &str)]) -> Vec<Self> {
        vec![
            Self::over(files, None).await,
            Self::over(files, Some(server())).await,
        ]
    }

    async fn over(files: &[(&str, &str)], redis: Option<Server>) -> Self {
        Self::over_with(files, &[], redis).await
    }

    /// The same, with these lists in the folder.
    pub async fn both_with(files: &[(&str, &str)], lists: &[(&str, &str)]) -> Vec<Self> {
        vec![
            Self::over_with(files, lists, None).await,
            Self::over_with(files, lists, Some(server())).await,
        ]
    }

    async fn over_with(
        files: &[(&str, &str)],
        lists: &[(&str, &str)],
        redis: Option<Server>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let configs = folder.path().join("configs/acme");
        for (name, text) in lists {
            write(&configs.join(format!("lists/{name}.csv")), text);
        }
        write(&configs.join("tenant.yaml"), TENANT);
        for (name, text) in files {
            write(
                &configs.join(format!("{name}.yaml")),
                format!("{HEAD}{text}"),
            );
        }
        let process = opened(folder.path(), redis.as_ref()).await;
        let clock = Arc::new(Moved(AtomicI64::new(0)));
        let shell = shell_of(&process, &clock);
        Self {
            folder,
            redis,
            process,
            clock,
            shell,
        }
    }

    /// Another process over the same store, where several can be.
    pub async fn beside(&self) -> Option<Arc<Shell>> {
        self.redis.as_ref()?;
        let process = opened(self.folder.path(), self.redis.as_ref()).await;
        Some(shell_of(&process, &self.clock))
    }

    fn minter(&self, kid: &str) -> Minter {
        let spec = KeySpec {
            kid: kid.into(),
            alg: Alg::HS256,
            source: KeySource::Dev,
        };
        let configs = self.folder.path().join("configs");
        Minter::hs256(kid, &material(&configs, "acme", &spec).unwrap()).unwrap()
    }

    async fn call(&self, method: &str, path: &str, token: String, key: &str, body: Value) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .header("idempotency-key", key)
            .body(Body::from(body.to_string()))
            .unwrap();
        Answer::to(router(self.shell.clone()), request).await.done()
    }

    /// The back end reports that somebody studied.
    pub async fn study(&self, user: &str, n: i64) {
        static KEYS: AtomicI64 = AtomicI64::new(0);
        let key = format!("k{}", KEYS.fetch_add(1, Ordering::SeqCst));
        let secs = self.clock.now() / 1000;
        let token = self
            .minter("backend")
            .sign(&Ticket::service("acme", "shop"), secs);
        let path = format!("/v1/acme/words/users/{user}/events/study");
        self.call("POST", &path, token.unwrap(), &key, json!({ "n": n }))
            .await;
    }

    /// How often somebody was heard, and what that comes to.
    async fn heard(&self, user: &str) -> (i64, i64) {
        let secs = self.clock.now() / 1000;
        let token = self.minter("users").sign(&Ticket::user("acme", user), secs);
        let view = self
            .call("GET", "/v1/acme/ear", token.unwrap(), "k", json!({}))
            .await;
        let number = |name: &str| view["context"][name].as_i64().unwrap();
        (number("times"), number("sum"))
    }

    /// A user sends an event without a payload; the answer, or the problem.
    pub async fn event(&self, campaign: &str, user: &str, event: &str) -> Value {
        static KEYS: AtomicI64 = AtomicI64::new(0);
        let key = format!("e{}", KEYS.fetch_add(1, Ordering::SeqCst));
        let path = format!("/v1/acme/{campaign}/events/{event}");
        self.ask("POST", &path, user, &key).await
    }

    /// What a user's page shows.
    pub async fn view(&self, campaign: &str, user: &str) -> Value {
        self.ask("GET", &format!("/v1/acme/{campaign}"), user, "k")
            .await
    }

    /// What anybody's shows.
    pub async fn public(&self, campaign: &str) -> Value {
        self.ask("GET", &format!("/v1/acme/{campaign}/public"), "ann", "k")
            .await
    }

    async fn ask(&self, method: &str, path: &str, user: &str, key: &str) -> Value {
        let secs = self.clock.now() / 1000;
        let token = self.minter("users").sign(&Ticket::user("acme", user), secs);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", token.unwrap()))
            .header("idempotency-key", key)
            .body(Body::from(if method == "POST" { "{}" } else { "" }))
            .unwrap();
        Answer::to(router(self.shell.clone()), request).await.json()
    }

    /// The clock.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Lets time pass.
    pub fn pass(&self, millis: i64) {
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    pub fn user(&self, member: &str) -> Pseudonym {
        self.process.registry.snapshot().tenants["acme"].pseudonym(member)
    }

    async fn version(&self, member: &str) -> u64 {
        let recalled = self
            .process
            .store
            .recall(&key("ear"), self.user(member), None)
            .await;
        recalled
            .unwrap()
            .participant
            .map_or(0, |record| record.core.version)
    }

    pub async fn admin(&self, action: Action) {
        let change = Admin {
            tenant: "acme".into(),
            by: "ops".into(),
            at: self.clock.now(),
            key: None,
            action,
            why: None,
        };
        self.process.store.admin(Box::new(change)).await.unwrap();
        self.process.registry.refresh().await.unwrap();
    }

    async fn mark(&self) -> Option<u64> {
        let marks = self.process.store.marks(&key("ear")).await.unwrap();
        marks
            .into_iter()
            .find(|(name, _)| &**name == "relay/words/1")
            .map(|(_, at)| at)
    }

    /// The lease of a round that is over ends by itself.
    pub async fn free(&self) {
        self.free_of("relay", "ear").await;
    }

    /// Waits until nobody does this job.
    pub async fn free_of(&self, job: &str, campaign: &str) {
        if !self.process.store.is_remote() {
            return;
        }
        let (key, term) = (key(campaign), Duration::from_secs(5));
        let until = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            let lease = self.process.store.lease(&key, job, term);
            if let Some(lease) = lease.await.unwrap() {
                lease.release().await.unwrap();
                return;
            }
            assert!(tokio::time::Instant::now() < until, "the lease never ends");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn round(&self, relay: &mut Relay) -> usize {
        self.free().await;
        relay.round(&self.shell).await
    }
}

/// A Redis that keeps what `durability: standard` declares.
fn server() -> Server {
    Server::with(&[("appendonly", "yes"), ("appendfsync", "everysec")])
}

async fn opened(folder: &Path, redis: Option<&Server>) -> Process {
    let address = redis.map(Server::address);
    let data = folder.join("data");
    std::fs::create_dir_all(&data).unwrap();
    let choice = StoreChoice::of(address.as_deref(), &data).unwrap();
    let process = open(&folder.join("configs"), &choice, &ACTIVITIES, true)
        .await
        .unwrap();
    assert_eq!(process.report.problems, [""; 0]);
    process
}

fn shell_of(process: &Process, clock: &Arc<Moved>) -> Arc<Shell> {
    Arc::new(Shell {
        registry: process.registry.clone(),
        store: process.store.clone(),
        clock: clock.clone(),
        tokens: Cache::new(1000),
        seen: process.seen.clone(),
        access: AccessLog::new(1),
        activity: None,
    })
}

pub fn key(campaign: &str) -> CampaignKey {
    CampaignKey {
        tenant: "acme".into(),
        campaign: campaign.into(),
        edition: 1,
        lane: Lane::Live,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_has_one_effect_however_often_it_is_delivered() {
    for house in House::both(&[("words", WORDS), ("ear", EAR)]).await {
        for n in 1..=20 {
            for user in ["ann", "bob", "cleo"] {
                house.study(user, n).await;
            }
        }
        let mut relay = Relay::default();
        assert_eq!(house.round(&mut relay).await, 19 * 3);
        let all = (1..=20).sum::<i64>() - 13;
        assert_eq!(house.heard("ann").await, (19, all));
        let version = house.version("ann").await;
        assert_eq!(house.mark().await, Some(120));
        // Nothing new; a process that knows nothing; and everything again, by several at once where they can be.
        assert_eq!(house.round(&mut relay).await, 0);
        assert_eq!(house.round(&mut Relay::default()).await, 0);
        let (mut one, mut two) = (Relay::from_the_beginning(), Relay::from_the_beginning());
        let other = house.beside().await.unwrap_or_else(|| house.shell.clone());
        house.free().await;
        let (first, second) = tokio::join!(one.round(&house.shell), two.round(&other));
        assert_eq!((first, second), (0, 0));
        assert_eq!(house.round(&mut Relay::from_the_beginning()).await, 0);
        for user in ["ann", "bob", "cleo"] {
            assert_eq!(house.heard(user).await, (19, all));
        }
        assert_eq!(house.version("ann").await, version);
        // What the ledger of the listener says of it.
        house.study("ann", 21).await;
        assert_eq!(house.round(&mut relay).await, 1);
        assert_eq!(house.heard("ann").await, (20, all + 21));
    }
}

/// No lease, and no mark either: the record alone.
#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_without_a_lease_have_one_effect() {
    for house in House::both(&[("words", WORDS), ("ear", EAR)]).await {
        let other = house.beside().await.unwrap_or_else(|| house.shell.clone());
        for n in 1..=8 {
            house.study("ann", n).await;
        }
        let rows = house
            .process
            .store
            .ledger(&key("words"), 0, 100)
            .await
            .unwrap();
        let snapshot = house.process.registry.snapshot();
        let tenant = &snapshot.tenants["acme"];
        let mut effects = 0;
        for row in &rows {
            let Row::Message(message) = &row.row else {
                continue;
            };
            let tell = |shell: Arc<Shell>| async move {
                let caller = Caller {
                    shell: tenant,
                    served: &tenant.campaigns["ear"],
                    member: "",
                    user: row.user,
                    claims: None,
                    lane: Lane::Live,
                    rehearsal: false,
                    now: shell.clock.now(),
                    language: "en",
                    listed: Listed::default(),
                };
                let message = Message {
                    heard: Heard {
                        source: "words/1".into(),
                        sequence: row.number,
                    },
                    campaign: "words",
                    row: message,
                    attribution: Attribution::default(),
                };
                hear(&*shell.store, &caller, &message, None).await.unwrap()
            };
            let shells = [&house.shell, &other, &house.shell, &other];
            let all = shells.map(|shell| tell(shell.clone()));
            let all = futures_util::future::join_all(all).await;
            effects += all.iter().filter(|told| **told == Told::Now).count();
        }
        assert_eq!(effects, 8);
        assert_eq!(house.heard("ann").await, (8, 36));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_never_be_taken_is_parked_and_holds_nobody_up() {
    for house in House::both(&[("words", WORDS), ("ear", EAR)]).await {
        for n in [1, 101, 2, 100, 13, 3] {
            house.study("ann", n).await;
        }
        house.study("bob", 4).await;
        let mut relay = Relay::default();
        assert_eq!(house.round(&mut relay).await, 4);
        assert_eq!(house.heard("ann").await, (3, 6));
        assert_eq!(house.heard("bob").await, (1, 4));
        assert_eq!(house.mark().await, Some(14));
        let parking = house.process.store.parking("acme").await.unwrap();
        let mut codes: Vec<&str> = parking.events.iter().map(|parked| &*parked.code).collect();
        codes.sort_unstable();
        assert_eq!(codes, ["invalid-payload", "rule-failed"]);
        let parked = parking
            .events
            .iter()
            .find(|parked| &*parked.code == "rule-failed")
            .unwrap();
        let whole = house
            .process
            .store
            .parked("acme", &parked.id)
            .await
            .unwrap()
            .unwrap();
        let said: Value = serde_json::from_slice(&whole.data).unwrap();
        let user = house.user("ann").to_string();
        assert_eq!(
            said,
            json!({
                "source": "words", "edition": 1, "lane": "live", "sequence": 7, "user": user,
                "campaign": "ear", "message": "day-done", "fields": { "n": 100 },
            })
        );
        // A no of the rules is the end of a message, and so is parking.
        assert_eq!(house.round(&mut Relay::default()).await, 0);
        assert_eq!(
            house
                .process
                .store
                .parking("acme")
                .await
                .unwrap()
                .events
                .len(),
            2
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_its_own_messages_only() {
    let two = EAR.replace("campaign: words", "campaign: [words, others]");
    let files = [("words", WORDS), ("others", WORDS), ("ear", &two)];
    for house in House::both(&files).await {
        let mut relay = Relay::default();
        house.study("ann", 1).await;
        assert_eq!(house.round(&mut relay).await, 1);
        let pause = Pause {
            reason: "look".into(),
            notice: None,
            until: None,
            event: Some("day-done".into()),
        };
        let (campaign, edition) = ("ear".into(), 1);
        house
            .admin(Action::Pause {
                campaign,
                edition,
                pause,
            })
            .await;
        house.study("ann", 2).await;
        for _ in 0..3 {
            assert_eq!(house.round(&mut relay).await, 0);
        }
        assert_eq!(house.heard("ann").await, (1, 1));
        // It waits before its message, and has passed what is nobody's.
        assert!(house.mark().await <= Some(3));
        let (campaign, edition) = ("ear".into(), 1);
        house.admin(Action::Resume { campaign, edition }).await;
        assert_eq!(house.round(&mut relay).await, 1);
        assert_eq!(house.heard("ann").await, (2, 3));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_emitted_before_the_opening_waits_for_it() {
    let day = 24 * 3_600_000;
    let tomorrow = chrono::DateTime::from_timestamp_millis(SystemClock.now() + day)
        .unwrap()
        .format("%Y-%m-%d %H:%M")
        .to_string();
    // It opens too late for the rule that fails to look sound.
    let ear = EAR.replace("2026-02-01", "2099-01-01");
    for redis in [None, Some(server())] {
        let house = House::over(&[("words", WORDS)], redis).await;
        house.study("ann", 1).await;
        // What is published later listens from then on.
        let text =
            format!("{HEAD}{ear}").replace("opens: 2026-01-01", &format!("opens: {tomorrow}"));
        write(&house.folder.path().join("configs/acme/ear.yaml"), &text);
        // Two steps of a clock of milliseconds lie between what was said before and after.
        let before = house.clock.now();
        while house.clock.now() < before + 2 {
            tokio::task::yield_now().await;
        }
        let report = house.process.registry.load().await.unwrap();
        assert_eq!(report.published.len(), 1, "{report:?}");
        house.study("ann", 2).await;
        let mut relay = Relay::default();
        assert_eq!(house.round(&mut relay).await, 0);
        assert_eq!(house.mark().await, None);
        house.clock.0.store(2 * day, Ordering::SeqCst);
        assert_eq!(house.round(&mut relay).await, 1);
        assert_eq!(house.heard("ann").await, (1, 2));
        assert_eq!(house.round(&mut Relay::default()).await, 0);
    }
}
