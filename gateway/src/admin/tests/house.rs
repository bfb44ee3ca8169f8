//! Two tenants, served for a test.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use campaign::{Activity, Use};
use function::clock::Clock;
use function::http::Shell;
use function::identity::{Cache, Minter, Role, Ticket};
use function::registry::{Registry, material};
use function::telemetry::AccessLog;
use machine::Millis;
use serde_json::Value as Json;
use store::Store;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::admin::{Desk, router};

/// A machine in YAML alone.
struct Demo;

impl Activity for Demo {
    fn id(&self) -> &'static str {
        "demo"
    }

    fn machine(&self) -> Option<&'static str> {
        None
    }

    fn sections(&self) -> &'static [(&'static str, Use)] {
        &[("machine", Use::Required)]
    }
}

const TENANT: &str = "
name: A tenant
timezone: Asia/Shanghai
currency: CNY
languages: [en, zh-CN]
keys: [{ kid: users, alg: HS256, dev: true }]
admin_keys: [{ kid: staff, alg: HS256, dev: true }]
service_keys: [{ kid: backend, alg: HS256, dev: true }]
";

/// A wheel that half of the draws win at, until three coupons are gone.
pub const WHEEL: &str = "
activity: demo
title: { en: Wheel, zh-CN: 转盘 }
opens: 2026-11-01
closes: 2026-12-01
rewards:
  coupon: { title: { en: Coupon, zh-CN: 券 }, kind: coupon, stock: 3, cost: 10.00, odds: 50% }
  nothing: { title: { en: Next time, zh-CN: 谢谢参与 }, odds: rest }
when_gone: { coupon: nothing }
budget: { total: 100.00, per_day: 50.00, when_spent: nothing }
machine:
  initial: playing
  states:
    playing:
      events:
        draw:
          - { do: [{ draw: wheel }] }
        paid: { from: backend, transitions: [{}] }
";

/// The clock that the test holds.
pub struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Millis {
        self.0.load(Ordering::Relaxed)
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub fn lines(&self) -> Vec<Json> {
        let lines = self
            .body
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        lines
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

pub struct House {
    pub dir: TempDir,
    pub registry: Arc<Registry>,
    pub store: Arc<dyn Store>,
    hands: Arc<Hands>,
    /// Where forecasts wait for each other.
    pub forecasts: Arc<tokio::sync::Semaphore>,
    admin: Router,
    public: Router,
    _server: Option<testbed::Server>,
}

/// Where most calls come from.
pub const HERE: &str = "127.0.0.1:40000";

impl House {
    /// One beside a store of its own.
    pub async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = store::embedded::open(&dir.path().join("data")).unwrap();
        Self::over(dir, Arc::new(store), None).await
    }

    /// One of each kind of store.
    pub async fn of_each_store() -> [Self; 2] {
        // What the wheel's stock declares.
        let strict = [("appendonly", "yes"), ("appendfsync", "always")];
        let server = testbed::Server::with(&strict);
        let address = server.address().parse().unwrap();
        let store = store::redis::open(&address).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let remote = Self::over(dir, Arc::new(store), Some(server)).await;
        [Self::open().await, remote]
    }

    async fn over(dir: TempDir, store: Arc<dyn Store>, server: Option<testbed::Server>) -> Self {
        let configs = dir.path().join("configs");
        for tenant in ["acme", "orchid"] {
            std::fs::create_dir_all(configs.join(tenant)).unwrap();
            std::fs::write(configs.join(tenant).join("tenant.yaml"), TENANT).unwrap();
            std::fs::write(configs.join(tenant).join("wheel.yaml"), WHEEL).unwrap();
        }
        Self::begin(dir, store, server).await
    }

    /// The same after a restart; of the embedded store.
    pub async fn again(self) -> Self {
        let data = self.dir.path().join("data");
        let dir = self.dir;
        drop((self.admin, self.public, self.registry, self.store));
        // Whoever was the last to hold the store lets go of it in a moment.
        let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
        let store = loop {
            match store::embedded::open(&data) {
                Ok(store) => break store,
                Err(error) => assert!(std::time::Instant::now() < until, "{error}"),
            }
            tokio::task::yield_now().await;
        };
        Self::begin(dir, Arc::new(store), None).await
    }

    /// One over a folder that is there.
    async fn begin(dir: TempDir, store: Arc<dyn Store>, server: Option<testbed::Server>) -> Self {
        let configs = dir.path().join("configs");
        let hands = Arc::new(Hands(AtomicI64::new(0)));
        let registry = Arc::new(Registry::new(
            &configs,
            &[&Demo],
            store.clone(),
            hands.clone(),
        ));
        let desk = Desk::new(registry.clone(), store.clone(), None).by_clock(hands.clone());
        let house = Self {
            forecasts: desk.forecasts.clone(),
            admin: router(desk),
            public: function::http::router(Arc::new(shell(&registry, &store, &hands))),
            dir,
            registry,
            store,
            hands,
            _server: server,
        };
        house.set("2026-11-22T12:00:00+08:00");
        let report = house.registry.load().await.unwrap();
        assert!(
            report.problems.is_empty() && !report.diagnostics.has_errors(),
            "{report:?}"
        );
        house
    }

    /// A process on the same store.
    pub fn shell(&self) -> Shell {
        shell(&self.registry, &self.store, &self.hands)
    }

    /// Sets the clock.
    pub fn set(&self, at: &str) {
        let at = chrono::DateTime::parse_from_rfc3339(at).unwrap();
        self.hands.0.store(at.timestamp_millis(), Ordering::Relaxed);
    }

    pub fn configs(&self) -> std::path::PathBuf {
        self.dir.path().join("configs")
    }

    fn sign(&self, tenant: &str, kid: &str, ticket: &Ticket) -> String {
        sign(
            &self.configs(),
            tenant,
            kid,
            ticket,
            self.hands.now() / 1000,
        )
    }

    pub fn staff(&self, tenant: &str, role: Role) -> String {
        self.sign(
            tenant,
            "staff",
            &Ticket::admin(tenant, &format!("{role}@{tenant}"), role),
        )
    }

    pub fn user(&self, tenant: &str, member: &str) -> String {
        self.sign(tenant, "users", &Ticket::user(tenant, member))
    }

    pub fn service(&self, tenant: &str) -> String {
        self.sign(tenant, "backend", &Ticket::service(tenant, "shop"))
    }

    /// A staff token of a tenant with what else a forger may think of.
    pub fn ticket(&self, tenant: &str, kid: &str, ticket: &Ticket) -> String {
        self.sign(tenant, kid, ticket)
    }

    /// One call of the admin address, from this machine.
    pub async fn call(&self, call: Call<'_>) -> Answer {
        let mut request = Request::builder().method(call.method).uri(call.path);
        if let Some(token) = call.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(key) = call.key {
            request = request.header("idempotency-key", key);
        }
        for (name, value) in call.headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(call.body.to_owned())).unwrap();
        if let Some(peer) = call.peer {
            request
                .extensions_mut()
                .insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        }
        answer(self.admin.clone(), request).await
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.call(Call {
            token: Some(token),
            path,
            ..Call::default()
        })
        .await
    }

    pub async fn post(&self, token: &str, path: &str, key: &str, body: &str) -> Answer {
        self.call(Call {
            method: "POST",
            token: Some(token),
            path,
            key: Some(key),
            body,
            ..Call::default()
        })
        .await
    }

    pub fn pseudonym(&self, tenant: &str, member: &str) -> String {
        self.registry.snapshot().tenants[tenant]
            .pseudonym(member)
            .to_string()
    }

    /// What a user is shown.
    pub async fn view(&self, tenant: &str, member: &str) -> Answer {
        let token = self.user(tenant, member);
        let request = Request::builder()
            .uri(format!("/v1/{tenant}/wheel"))
            .header("authorization", format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap();
        answer(self.public.clone(), request).await
    }

    /// A user's draw.
    pub async fn play(&self, tenant: &str, member: &str, key: &str) -> Answer {
        self.play_by(&self.user(tenant, member), tenant, key).await
    }

    /// A draw of whoever has this token.
    pub async fn play_by(&self, token: &str, tenant: &str, key: &str) -> Answer {
        self.event_by(token, tenant, "draw", key).await
    }

    /// A user's event.
    pub async fn event(&self, tenant: &str, member: &str, event: &str, key: &str) -> Answer {
        self.event_by(&self.user(tenant, member), tenant, event, key)
            .await
    }

    async fn event_by(&self, token: &str, tenant: &str, event: &str, key: &str) -> Answer {
        let request = Request::builder()
            .method("POST")
            .uri(format!(
                "/v1/{tenant}/wheel/events/{event}?channel=app&scene=home"
            ))
            .header("authorization", format!("Bearer {token}"))
            .header("idempotency-key", key)
            .body(Body::empty())
            .unwrap();
        answer(self.public.clone(), request).await
    }

    /// A user's look at the wheel: their view, or what stands below it.
    pub async fn look(&self, tenant: &str, member: &str, below: &str) -> Answer {
        let request = Request::builder()
            .uri(format!("/v1/{tenant}/wheel{below}"))
            .header(
                "authorization",
                format!("Bearer {}", self.user(tenant, member)),
            )
            .body(Body::empty())
            .unwrap();
        answer(self.public.clone(), request).await
    }

    /// So many draws, by members who draw four times each.
    pub async fn draws(&self, tenant: &str, many: usize) {
        for number in 0..many {
            let answer = self
                .play(
                    tenant,
                    &format!("member-{}", number / 4),
                    &format!("d-{number}"),
                )
                .await;
            assert_eq!(answer.status, 200, "{:?}", answer.body);
        }
    }
}

fn shell(registry: &Arc<Registry>, store: &Arc<dyn Store>, hands: &Arc<Hands>) -> Shell {
    Shell {
        registry: registry.clone(),
        store: store.clone(),
        clock: hands.clone(),
        tokens: Cache::new(1024),
        seen: Arc::default(),
        access: AccessLog::new(0),
        activity: None,
    }
}

/// One call.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub token: Option<&'a str>,
    pub key: Option<&'a str>,
    pub body: &'a str,
    pub peer: Option<&'a str>,
    pub headers: &'a [(&'a str, &'a str)],
}

impl Default for Call<'_> {
    fn default() -> Self {
        Self {
            method: "GET",
            path: "/",
            token: None,
            key: None,
            body: "",
            peer: Some(HERE),
            headers: &[],
        }
    }
}

/// What `/metrics` says, without a token.
pub async fn scraped(router: Router) -> String {
    let answer = answer(
        router,
        Request::builder()
            .uri("/metrics")
            .body(Body::empty())
            .unwrap(),
    )
    .await;
    assert!(
        answer.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    String::from_utf8(answer.body.to_vec()).unwrap()
}

async fn answer(router: Router, request: Request<Body>) -> Answer {
    let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

fn sign(configs: &Path, tenant: &str, kid: &str, ticket: &Ticket, now_secs: i64) -> String {
    let spec = campaign::tenant::KeySpec {
        kid: kid.to_owned(),
        alg: campaign::tenant::Alg::HS256,
        source: campaign::tenant::KeySource::Dev,
    };
    let key = material(configs, tenant, &spec).unwrap();
    Minter::hs256(kid, &key)
        .unwrap()
        .sign(ticket, now_secs)
        .unwrap()
}
