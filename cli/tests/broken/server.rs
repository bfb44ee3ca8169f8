//! The set that `gala serve` serves, in this process and over a store of the test's choice.

use std::sync::Arc;

use function::clock::SystemClock;
use function::http::{Function, Shell};
use function::identity::{Cache, Minter, Role, Ticket, cache};
use function::registry::{Registry, material};
use function::serve::{bind, listen};
use function::telemetry::AccessLog;
use gateway::admin::{Desk, router as desk};
use gateway::door;
use store::Store;
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::oversells::Oversells;

const TENANT: &str = "
name: { en: Acme }
timezone: Asia/Shanghai
currency: CNY
languages: [en]
keys: [{ kid: users, alg: HS256, dev: true }]
admin_keys: [{ kid: staff, alg: HS256, dev: true }]
";

const WHEEL: &str = "
activity: lottery
title: { en: Wheel }
opens: 2026-01-01
closes: 2036-01-01
rewards:
  coupon: { title: { en: Coupon }, kind: coupon, stock: 5, cost: 10.00, odds: 50% }
  nothing: { title: { en: Next time }, odds: rest }
when_gone: { coupon: nothing }
budget: { total: 100000.00, when_spent: nothing }
chances: { first_visit: 3 }
";

/// How the store keeps stock.
#[derive(Debug, Clone, Copy)]
pub enum Kept {
    /// As it is shipped.
    Soundly,
    /// [`Oversells`].
    WithoutStockCheck,
}

/// A server on loopback ports, until it is dropped.
pub struct Server {
    /// Where users call.
    pub public: String,
    /// Where staff call.
    pub admin: String,
    folder: TempDir,
    /// Dropped, they end both listeners.
    _stop: [oneshot::Sender<()>; 2],
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    /// Starts one with an empty store.
    pub fn start(kept: Kept) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let acme = folder.path().join("configs/acme");
        std::fs::create_dir_all(&acme).unwrap();
        std::fs::write(acme.join("tenant.yaml"), TENANT).unwrap();
        std::fs::write(acme.join("wheel.yaml"), WHEEL).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let store = store::embedded::open(&folder.path().join("data")).unwrap();
        let store: Arc<dyn Store> = match kept {
            Kept::Soundly => Arc::new(store),
            Kept::WithoutStockCheck => Arc::new(Oversells(store)),
        };
        let configs = folder.path().join("configs");
        let (addresses, stop) = runtime.block_on(serve(&configs, store));
        Self {
            public: format!("http://{}", addresses[0]),
            admin: format!("http://{}", addresses[1]),
            folder,
            _stop: stop,
            _runtime: runtime,
        }
    }

    /// The folder with the tenant and the keys.
    pub fn configs(&self) -> std::path::PathBuf {
        self.folder.path().join("configs")
    }

    /// A user's token.
    pub fn token(&self, user: &str) -> String {
        self.signed("keys", &Ticket::user("acme", user))
    }

    /// A token of staff who may read everything.
    pub fn staff(&self) -> String {
        self.signed(
            "admin_keys",
            &Ticket::admin("acme", "auditor", Role::Finance),
        )
    }

    fn signed(&self, keys: &str, ticket: &Ticket) -> String {
        let configs = self.folder.path().join("configs");
        let file = configs.join("acme/tenant.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        let source = campaign::Source::new("tenant.yaml", text);
        let tenant =
            campaign::tenant::read("acme", &source, &mut campaign::Diagnostics::new()).unwrap();
        let key = match keys {
            "keys" => &tenant.keys[0],
            _ => &tenant.admin_keys[0],
        };
        let secret = material(&configs, "acme", key).unwrap();
        let minter = Minter::hs256(&key.kid, &secret).unwrap();
        minter.sign(ticket, chrono::Utc::now().timestamp()).unwrap()
    }
}

async fn serve(
    configs: &std::path::Path,
    store: Arc<dyn Store>,
) -> ([std::net::SocketAddr; 2], [oneshot::Sender<()>; 2]) {
    let clock = Arc::new(SystemClock);
    let registry = Registry::new(configs, &together::ALL, store.clone(), clock.clone());
    let report = registry.load().await.unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    let registry = Arc::new(registry);
    let seen: Arc<function::engine::LastSeen> = Arc::default();
    let functions = together::ALL.iter().map(|activity| {
        let shell = Shell {
            registry: registry.clone(),
            store: store.clone(),
            clock: clock.clone(),
            tokens: Cache::new(cache::MAX_ENTRIES),
            seen: seen.clone(),
            access: AccessLog::new(0),
            activity: Some(activity.id()),
        };
        (activity.id(), Function::new(Arc::new(shell)))
    });
    let public = door::router(registry.clone(), functions.collect());
    let admin = desk(Desk::new(registry.clone(), store.clone(), None));
    let mut addresses = Vec::new();
    let mut stops = Vec::new();
    for router in [public, admin] {
        let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        addresses.push(listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(listen(listener, router, async {
            // Sent or dropped, it is over.
            let _ = stopped.await;
        }));
        stops.push(stop);
    }
    (
        addresses.try_into().unwrap(),
        stops.try_into().ok().unwrap(),
    )
}
