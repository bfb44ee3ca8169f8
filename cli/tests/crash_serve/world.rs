//! What is played: a tenant with a wheel, a check-in and a pack, small enough to be drawn empty.

use std::fs;
use std::path::{Path, PathBuf};

use function::identity::{Minter, Role, Ticket};

pub const TENANT: &str = "crash";
/// The keys that tokens are signed with: the variable, the key's name, the key.
pub const USERS: (&str, &str, &str) = (
    "GALA_CRASH_KEY",
    "crash",
    "not-a-secret-but-long-enough-for-hs256",
);
pub const STAFF: (&str, &str, &str) = (
    "GALA_CRASH_STAFF_KEY",
    "crash-staff",
    "no-secret-either-but-as-long-as-the-other",
);

/// The units of each campaign's rewards.
pub const STOCK: [(&str, &str, i64); 7] = [
    ("wheel", "mug", 25),
    ("wheel", "cup", 400),
    ("pack", "book", 30),
    ("pack", "pen", 60),
    ("launch", "one", 1),
    ("launch", "seven", 7),
    ("launch", "thousand", 1000),
];

/// What each campaign may give away at most, in cents.
pub const BUDGETS: [(&str, i64); 2] = [("wheel", 10_000_000), ("purse", 4_000)];

pub const CAMPAIGNS: [&str; 5] = ["wheel", "check-in", "pack", "launch", "purse"];

const TENANT_YAML: &str = "\
name: Crash
timezone: UTC
currency: USD
languages: [en]
keys: [{ kid: crash, alg: HS256, env: GALA_CRASH_KEY }]
admin_keys: [{ kid: crash-staff, alg: HS256, env: GALA_CRASH_STAFF_KEY }]
quotas: { per_second: 1000000, burst: 1000000, user_per_second: 100000, user_burst: 100000 }
";

const WHEEL: &str = "\
activity: lottery
title: { en: Wheel }
timezone: UTC
opens: 2026-01-01
closes: 2035-12-31
rewards:
  mug: { title: { en: Mug }, kind: physical, stock: 25, cost: 5.00, odds: 3%, per_user: 1 }
  cup: { title: { en: Cup }, kind: coupon, stock: 400, cost: 0.50, odds: 20% }
  nothing: { title: { en: Next time }, odds: rest }
when_gone: { mug: cup, cup: nothing }
chances: { first_visit: 100000, each_day: 0, hold_at_most: 100000 }
budget: { total: 100000.00, when_spent: nothing }
durability: strict
";

const LAUNCH: &str = "\
activity: lottery
title: { en: Launch }
timezone: UTC
opens: 2026-01-01
closes: 2035-12-31
rewards:
  one: { title: { en: The one }, kind: physical, stock: 1, cost: 5.00, odds: 5%, per_user: 1 }
  seven: { title: { en: One of seven }, kind: physical, stock: 7, cost: 2.00, odds: 10% }
  thousand: { title: { en: One of a thousand }, kind: coupon, stock: 1000, cost: 1.00, odds: 80% }
  nothing: { title: { en: Next time }, odds: rest }
when_gone: { one: seven, seven: thousand, thousand: nothing }
chances: { first_visit: 100000, each_day: 0, hold_at_most: 100000 }
durability: strict
";

const PURSE: &str = "\
activity: lottery
title: { en: Purse }
timezone: UTC
opens: 2026-01-01
closes: 2035-12-31
rewards:
  coin: { title: { en: Coin }, kind: coupon, cost: 0.70, odds: 50% }
  nothing: { title: { en: Next time }, odds: rest }
chances: { first_visit: 100000, each_day: 0, hold_at_most: 100000 }
budget: { total: 40.00, when_spent: nothing }
durability: strict
";

const CHECK_IN: &str = "\
activity: sign-in
title: { en: Check-in }
timezone: UTC
opens: 2026-01-01
closes: 2035-12-31
streak: { cycle: none }
rewards:
  points: { title: { en: Points }, kind: points, amount: 10 }
give: { each_day: points }
durability: strict
";

const PACK: &str = "\
activity: gift-pack
title: { en: Pack }
timezone: UTC
opens: 2026-01-01
closes: 2035-12-31
rewards:
  book: { title: { en: Book }, kind: physical, stock: 30, cost: 3.00 }
  pen: { title: { en: Pen }, kind: physical, stock: 60, cost: 0.10 }
  note: { title: { en: Note }, kind: entitlement, cost: 0.01 }
pack: [book, pen]
when_gone: { book: note }
durability: strict
";

/// Writes the configs into `folder`.
pub fn configs(folder: &Path) -> PathBuf {
    configs_with(folder, "strict")
}

/// As [`configs`], all campaigns declaring this durability.
pub fn configs_with(folder: &Path, durability: &str) -> PathBuf {
    let tenant = folder.join("configs").join(TENANT);
    fs::create_dir_all(&tenant).expect("a folder");
    for (name, text) in [
        ("tenant", TENANT_YAML),
        ("wheel", WHEEL),
        ("check-in", CHECK_IN),
        ("pack", PACK),
        ("launch", LAUNCH),
        ("purse", PURSE),
    ] {
        let text = text.replace("durability: strict", &format!("durability: {durability}"));
        fs::write(tenant.join(format!("{name}.yaml")), text).expect("a file");
    }
    folder.join("configs")
}

/// A user's token.
pub fn user_token(user: &str) -> String {
    sign(USERS, &Ticket::user(TENANT, user))
}

/// A token of the tenant's book-keeper.
pub fn finance_token() -> String {
    sign(STAFF, &Ticket::admin(TENANT, "judge", Role::Finance))
}

/// A token of whoever publishes and pauses.
pub fn publisher_token() -> String {
    sign(STAFF, &Ticket::admin(TENANT, "publisher", Role::Publisher))
}

/// The wheel's file with another title: another revision, by which the same is won.
pub fn wheel_titled(title: &str) -> String {
    WHEEL.replace("en: Wheel", &format!("en: {title}"))
}

fn sign((_, kid, key): (&str, &str, &str), ticket: &Ticket) -> String {
    let minter = Minter::hs256(kid, key).expect("a key");
    minter
        .sign(ticket, chrono::Utc::now().timestamp())
        .expect("a token")
}
