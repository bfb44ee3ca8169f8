//! Two tenants with a wheel each, and what is made of them: a bundle, a store that has them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use function::compile::{Wanted, compile};
use function::identity::{Minter, Ticket};
use function::serve::{StoreChoice, open};
use lottery::Lottery;
use tempfile::TempDir;

/// The variable with the key of users' tokens, and the key: a bundle only names it.
const USERS: (&str, &str) = ("TEST_USERS_KEY", "a-secret-of-more-than-thirty-two-bytes");

const TENANT: &str = "
name: { en: Name }
timezone: UTC
currency: EUR
languages: [en]
keys: [{ kid: users, alg: HS256, env: TEST_USERS_KEY }]
";

const WHEEL: &str = "
activity: lottery
title: { en: Wheel }
opens: 2026-01-01
closes: 2036-01-01
rewards:
  coupon: { title: { en: Coupon }, kind: coupon, stock: 500, cost: 1.00, odds: 50% }
  nothing: { title: { en: Next time }, odds: rest }
when_gone: { coupon: nothing }
chances: { first_visit: 10 }
";

pub struct World(TempDir);

impl World {
    pub fn new() -> Self {
        let world = Self(tempfile::tempdir().unwrap());
        for tenant in ["acme", "orchid"] {
            let folder = world.path("configs").join(tenant);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("tenant.yaml"), TENANT).unwrap();
            std::fs::write(folder.join("wheel.yaml"), WHEEL).unwrap();
        }
        let compiled = compile(&world.path("configs"), &Wanted::default(), &[&Lottery]).unwrap();
        let bundle = compiled
            .bundle
            .unwrap_or_else(|| panic!("{}", compiled.diagnostics.lines()));
        std::fs::write(world.bundle(), bundle).unwrap();
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn bundle(&self) -> PathBuf {
        self.path("some.bundle")
    }

    /// Publishes the wheels into a Redis, as `gala serve` does.
    pub fn publish(&self, address: &str) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let choice = StoreChoice::of(Some(address), &self.path("seed")).unwrap();
        let opened = runtime.block_on(open(&self.path("configs"), &choice, &[&Lottery], true));
        assert_eq!(opened.unwrap().report.published.len(), 2);
    }

    /// The function, in a folder without configs, with nothing in its environment but the key.
    pub fn program(&self) -> Command {
        self.clean(Command::new(env!("CARGO_BIN_EXE_lottery")))
    }

    pub fn clean(&self, mut command: Command) -> Command {
        let folder: &Path = self.0.path();
        let empty = folder.join("empty");
        std::fs::create_dir_all(&empty).unwrap();
        command.current_dir(empty).env_clear();
        command.env(USERS.0, USERS.1).env("PORT", "0");
        command
    }
}

/// A user's token.
pub fn token(tenant: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let minter = Minter::hs256("users", USERS.1).unwrap();
    let ticket = Ticket::user(tenant, "ann");
    minter.sign(&ticket, now.as_secs() as i64).unwrap()
}
