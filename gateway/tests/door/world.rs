//! A whole house in one process: a configs folder and a store in a temporary folder, a clock that the test holds, the
//! functions of all activities behind the public door. Calls go in as requests and come out as answers; no socket.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request};
use campaign::Activity;
use campaign::tenant::{Alg, KeySource, KeySpec};
use custom::Custom;
use function::clock::Clock;
use function::http::Shell;
use function::identity::{Cache, Minter, Ticket};
use function::registry::{Registry, Report, material};
use function::telemetry::AccessLog;
use gateway::door::{self, Bounds};
use gift_pack::GiftPack;
use http_body_util::BodyExt as _;
use lottery::Lottery;
use machine::Millis;
use machine::world::{Action, Admin, AdminOutcome};
use serde_json::{Map, Value, json};
use sign_in::SignIn;
use store::Store;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::faults::Faulty;

pub const ACTIVITIES: [&'static dyn Activity; 4] = [&SignIn, &GiftPack, &Lottery, &Custom];

/// Noon of Sunday, 22 November 2026 in Shanghai.
pub const NOON: &str = "2026-11-22T12:00:00+08:00";

/// A clock that stands still until a test moves it.
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn set(&self, rfc3339: &str) {
        self.0.store(millis(rfc3339), Ordering::SeqCst);
    }

    pub fn advance(&self, by: std::time::Duration) {
        self.0
            .fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub fn secs(&self) -> i64 {
        self.now() / 1000
    }
}

impl Clock for TestClock {
    fn now(&self) -> Millis {
        self.0.load(Ordering::SeqCst)
    }
}

pub fn millis(rfc3339: &str) -> Millis {
    chrono::DateTime::parse_from_rfc3339(rfc3339)
        .unwrap()
        .timestamp_millis()
}

pub struct World {
    pub folder: Arc<TempDir>,
    pub clock: Arc<TestClock>,
    pub store: Arc<Faulty>,
    pub registry: Arc<Registry>,
    /// What the load at the start did.
    pub report: Report,
    pub shell: Arc<Shell>,
    pub door: Router,
}

impl World {
    /// A house with these files in its configs folder.
    pub async fn of<T: AsRef<[u8]>>(files: &[(&str, T)]) -> Self {
        Self::within(files, Bounds::default()).await
    }

    /// The same with other bounds at the door.
    pub async fn within<T: AsRef<[u8]>>(files: &[(&str, T)], bounds: Bounds) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let clock = Arc::new(TestClock(AtomicI64::new(millis(NOON))));
        for (path, text) in files {
            write(&folder.path().join("configs").join(path), text);
        }
        Self::open(folder, clock, bounds, false).await
    }

    /// The same as `of` over a store that says it is on another machine.
    pub async fn remote(files: &[(&str, &str)]) -> Self {
        let world = Self::of(files).await;
        world.again_as(true).await
    }

    /// Two houses with the same past, secrets and seeds too, and one clock: the first over an embedded store, the other over
    /// one that says it is remote.
    pub async fn twins(files: &[(&str, &str)]) -> (Self, Self) {
        let world = Self::of(files).await;
        let (folder, clock) = (world.folder.clone(), world.clock.clone());
        drop(world);
        let copy = Arc::new(tempfile::tempdir().unwrap());
        copy_folder(folder.path(), copy.path());
        let bounds = Bounds::default;
        (
            Self::open(folder, clock.clone(), bounds(), false).await,
            Self::open(copy, clock, bounds(), true).await,
        )
    }

    /// Another process beside this one, on the same store and folder: it knows nobody yet.
    pub async fn beside(&self) -> Self {
        let (folder, clock) = (self.folder.clone(), self.clock.clone());
        Self::over(folder, clock, Bounds::default(), self.store.clone()).await
    }

    /// The same folder and clock, everything else anew, as after a restart. The old house must be gone.
    pub async fn again(self) -> Self {
        self.again_as(false).await
    }

    async fn again_as(self, remote: bool) -> Self {
        let (folder, clock) = (self.folder.clone(), self.clock.clone());
        drop(self);
        Self::open(folder, clock, Bounds::default(), remote).await
    }

    async fn open(
        folder: Arc<TempDir>,
        clock: Arc<TestClock>,
        bounds: Bounds,
        remote: bool,
    ) -> Self {
        let store = Arc::new(Faulty::new(
            store::embedded::open(&folder.path().join("data")).unwrap(),
        ));
        store.remote.store(remote, Ordering::SeqCst);
        Self::over(folder, clock, bounds, store).await
    }

    async fn over(
        folder: Arc<TempDir>,
        clock: Arc<TestClock>,
        bounds: Bounds,
        store: Arc<Faulty>,
    ) -> Self {
        let configs = folder.path().join("configs");
        let registry = Registry::new(&configs, &ACTIVITIES, store.clone(), clock.clone());
        Self::around(folder, clock, bounds, store, registry).await
    }

    /// Another process beside this one, on the same store, with configs of its own.
    pub async fn with(&self, registry: Registry) -> Self {
        let (folder, clock) = (self.folder.clone(), self.clock.clone());
        Self::around(
            folder,
            clock,
            Bounds::default(),
            self.store.clone(),
            registry,
        )
        .await
    }

    async fn around(
        folder: Arc<TempDir>,
        clock: Arc<TestClock>,
        bounds: Bounds,
        store: Arc<Faulty>,
        registry: Registry,
    ) -> Self {
        let shared: Arc<dyn Store> = store.clone();
        let registry = Arc::new(registry);
        let report = registry.load().await.unwrap();
        let seen: Arc<function::engine::LastSeen> = Arc::default();
        let shell = |activity: Option<&'static str>| {
            Arc::new(Shell {
                registry: registry.clone(),
                store: shared.clone(),
                clock: clock.clone(),
                tokens: Cache::new(1000),
                seen: seen.clone(),
                access: AccessLog::new(1),
                activity,
            })
        };
        let functions = ACTIVITIES.iter().map(|activity| {
            (
                activity.id(),
                function::http::Function::new(shell(Some(activity.id()))),
            )
        });
        let door = door::router_within(registry.clone(), functions.collect(), bounds);
        let all = shell(None);
        Self {
            folder,
            clock,
            store,
            registry,
            report,
            shell: all,
            door,
        }
    }

    pub fn configs(&self) -> PathBuf {
        self.folder.path().join("configs")
    }

    /// Changes a file and loads the folder, as the watch does.
    pub async fn rewrite(&self, path: &str, text: &str) -> Report {
        write(&self.configs().join(path), text);
        self.registry.load().await.unwrap()
    }

    /// What ops staff do, and what every function hears of it within a second.
    pub async fn admin(&self, tenant: &str, action: Action) -> AdminOutcome {
        let outcome = self.admin_unheard(tenant, action).await;
        self.registry.refresh().await.unwrap();
        outcome
    }

    /// What ops staff did just now, and no function has heard of yet.
    pub async fn admin_unheard(&self, tenant: &str, action: Action) -> AdminOutcome {
        let (tenant, by) = (tenant.into(), "ops".into());
        self.store
            .admin(Box::new(Admin {
                tenant,
                by,
                at: self.clock.now(),
                key: None,
                action,
                why: None,
            }))
            .await
            .unwrap()
    }

    pub fn minter(&self, tenant: &str, kid: &str) -> Minter {
        let spec = KeySpec {
            kid: kid.into(),
            alg: Alg::HS256,
            source: KeySource::Dev,
        };
        Minter::hs256(kid, &material(&self.configs(), tenant, &spec).unwrap()).unwrap()
    }

    /// A user's token.
    pub fn token(&self, tenant: &str, sub: &str, claims: &Value) -> String {
        let extra: Map<String, Value> = claims.as_object().cloned().unwrap_or_default();
        self.minter(tenant, "users")
            .sign(
                &Ticket {
                    extra,
                    ..Ticket::user(tenant, sub)
                },
                self.clock.secs(),
            )
            .unwrap()
    }

    /// A back end's token.
    pub fn service(&self, tenant: &str) -> String {
        self.minter(tenant, "backend")
            .sign(&Ticket::service(tenant, "shop"), self.clock.secs())
            .unwrap()
    }

    /// A call that is being made up.
    pub fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        Ask {
            world: self,
            request: Request::builder().method(method).uri(path),
            body: Vec::new(),
            peer: None,
        }
    }

    /// A user of `acme` looks.
    pub async fn get(&self, user: &str, path: &str) -> Answer {
        self.ask("GET", path).by(user).send().await
    }

    /// A user of `acme` sends an event.
    pub async fn post(&self, user: &str, path: &str, key: &str, body: Value) -> Answer {
        self.ask("POST", path)
            .by(user)
            .key(key)
            .json(&body)
            .send()
            .await
    }

    /// The back end of `acme` reports an event.
    pub async fn report(&self, path: &str, key: &str, body: Value) -> Answer {
        let token = self.service("acme");
        self.ask("POST", path)
            .bearer(&token)
            .key(key)
            .json(&body)
            .send()
            .await
    }

    /// How many rows the ledger of a live lane has.
    pub async fn rows(&self, campaign: &str) -> Vec<store::LedgerRow> {
        let key = machine::ids::CampaignKey {
            tenant: "acme".into(),
            campaign: campaign.into(),
            edition: 1,
            lane: machine::ids::Lane::Live,
        };
        self.store.ledger(&key, 0, 100_000).await.unwrap()
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let dest = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &dest);
        } else {
            std::fs::copy(entry.path(), dest).unwrap();
        }
    }
}

pub fn write(path: &Path, text: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A request under construction.
pub struct Ask<'a> {
    world: &'a World,
    request: axum::http::request::Builder,
    body: Vec<u8>,
    peer: Option<SocketAddr>,
}

impl Ask<'_> {
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.request = self.request.header(name, value.as_ref());
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// By a user of `acme` without claims.
    pub fn by(self, user: &str) -> Self {
        let token = self.world.token("acme", user, &json!({}));
        self.bearer(&token)
    }

    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// From this address.
    pub fn from(mut self, peer: &str) -> Self {
        self.peer = Some(SocketAddr::new(peer.parse().unwrap(), 40_000));
        self
    }

    /// The request, to send in some other way.
    pub fn request(self) -> Request<Body> {
        let mut request = self.request.body(Body::from(self.body)).unwrap();
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        request
    }

    pub async fn send(self) -> Answer {
        let door = self.world.door.clone();
        Answer::to(door, self.request()).await
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub async fn to(door: Router, request: Request<Body>) -> Self {
        let (parts, body) = door.oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            bytes,
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn replayed(&self) -> bool {
        self.header("idempotency-replayed") == Some("true")
    }

    /// Done, and not a replay.
    #[track_caller]
    pub fn done(&self) -> Value {
        assert_eq!(
            (self.status, self.replayed()),
            (200, false),
            "{}",
            self.text()
        );
        self.json()
    }

    /// A problem with this status and code, in the shape that every problem has.
    #[track_caller]
    pub fn no(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{}",
            self.text()
        );
        assert_eq!(self.header("cache-control"), Some("no-store"));
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(
            problem["request_id"].as_str(),
            self.header("x-request-id"),
            "{problem}"
        );
        assert_eq!(
            problem["retryable"],
            matches!(status, 429 | 503),
            "{problem}"
        );
        assert_eq!(
            self.header("retry-after").is_some(),
            matches!(status, 429 | 503),
            "{problem}"
        );
        assert!(
            problem["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty()),
            "{problem}"
        );
        problem
    }

    /// What a view or an answer says of one event.
    #[track_caller]
    pub fn event(&self, name: &str) -> Value {
        let events = self.json()["events"].clone();
        let found = events
            .as_array()
            .and_then(|events| events.iter().find(|event| event["event"] == name));
        found
            .cloned()
            .unwrap_or_else(|| panic!("no event {name} in {events}"))
    }

    /// The rewards that an answer lists.
    pub fn rewards(&self) -> Vec<String> {
        let grants = self.json()["grants"].clone();
        let names = grants
            .as_array()
            .into_iter()
            .flatten()
            .map(|grant| grant["reward"].as_str().unwrap().to_owned());
        names.collect()
    }
}
