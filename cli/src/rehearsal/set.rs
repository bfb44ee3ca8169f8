//! The whole set in this process: gateway, functions and an embedded store in a folder that is thrown away, with a clock that is moved by
//! hand. Calls go in as requests and come out as answers; there is no socket. What serves is what `gala serve` serves.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use function::clock::Clock as _;
use function::http::{Function, Shell};
use function::identity::{Cache, cache};
use function::pools::Keeper;
use function::raffle::Raffles;
use function::registry::Registry;
use function::relay::Relay;
use function::serve::chain;
use function::sweep::sweep;
use function::telemetry::AccessLog;
use gateway::door::{self, Bounds};
use machine::Millis;
use store::Store;
use store::embedded::{Options, open_on};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::clock::FastClock;
use super::disk::HastyDisk;
use crate::activities;
use crate::failure::Failure;

/// How often at most the sweep goes on at one moment: what is due then can be more than it takes at once.
const SWEEPS_AT_MOST: usize = 100_000;

/// The set.
pub struct Set {
    /// Holds the copy of the configs and the store.
    folder: TempDir,
    clock: Arc<FastClock>,
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    shell: Arc<Shell>,
    door: Router,
    relay: Relay,
    raffles: Raffles,
    keeper: Keeper,
}

/// The public door, to be called from many tasks.
#[derive(Debug, Clone)]
pub struct Door(Router);

impl Door {
    /// Calls it.
    pub async fn call(&self, request: Request<Body>) -> Response<Body> {
        match self.0.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

impl Set {
    /// Opens it at a moment, with a copy of one tenant's folder: what is made there (development keys) never reaches the real one.
    pub async fn open(configs: &Path, tenant: &str, now: Millis) -> Result<Self, Failure> {
        let folder =
            tempfile::tempdir().map_err(|error| away("a folder for the rehearsal", &error))?;
        let copy = folder.path().join("configs");
        copy_folder(&configs.join(tenant), &copy.join(tenant))
            .map_err(|error| away("the copy of the tenant's folder", &error))?;
        let data = folder.path().join("data");
        let store = open_on(Arc::new(HastyDisk), &data, Options::default())
            .map_err(|error| Failure::unreachable("store", chain(&error)))?;
        let store: Arc<dyn Store> = Arc::new(store);
        let clock = Arc::new(FastClock::at(now));
        let registry = Registry::new(&copy, &activities::ALL, store.clone(), clock.clone());
        let report = registry
            .load()
            .await
            .map_err(|error| Failure::check("config", chain(&error)))?;
        // What stands in the way of another campaign of the tenant is not this rehearsal's to say; its own is seen not to be served.
        let registry = Arc::new(registry);
        let seen: Arc<function::engine::LastSeen> = Arc::default();
        let shell = |activity: Option<&'static str>| {
            Arc::new(Shell {
                registry: registry.clone(),
                store: store.clone(),
                clock: clock.clone(),
                tokens: Cache::new(cache::MAX_ENTRIES),
                seen: seen.clone(),
                access: AccessLog::new(0),
                activity,
            })
        };
        let functions = activities::ALL.iter().map(|activity| {
            let id = activity.id();
            (id, Function::new(shell(Some(id))))
        });
        let bounds = Bounds {
            // All calls come from nowhere, which is one address.
            flood: (u32::MAX, u32::MAX),
            ..Bounds::default()
        };
        let door = door::router_within(registry.clone(), functions.collect(), bounds);
        if registry.snapshot().tenants.is_empty() {
            return Err(Failure::check("config", report.problems.join("; ")));
        }
        Ok(Self {
            shell: shell(None),
            folder,
            clock,
            store,
            door,
            relay: Relay::default(),
            raffles: Raffles::default(),
            keeper: Keeper::default(),
        })
    }

    /// The public door.
    pub fn door(&self) -> Door {
        Door(self.door.clone())
    }

    /// The copy of the configs, in which the keys lie that are made on first use.
    pub fn configs(&self) -> std::path::PathBuf {
        self.folder.path().join("configs")
    }

    /// What is served.
    pub fn registry(&self) -> &Registry {
        &self.shell.registry
    }

    /// The time.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Time passes, and what runs beside the calls does what is due: the sweep, the relay, draws from entries, as in `serve`.
    pub async fn pass(&mut self, now: Millis) {
        self.clock.pass(now);
        self.keeper.round(&self.shell).await;
        for _ in 0..SWEEPS_AT_MOST {
            if sweep(&self.shell).await == 0 {
                break;
            }
        }
        self.relay.round(&self.shell).await;
        self.raffles.round(&self.shell).await;
    }
}

fn away(what: &str, error: &std::io::Error) -> Failure {
    Failure::unreachable("folder", format!("{what} can't be made: {error}"))
}

/// Copies a folder with all that is in it; a link's file is copied, not the link.
fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &to)?;
        } else {
            fs::copy(&path, &to)?;
        }
    }
    Ok(())
}
