//! What the load is played on: a tenant with one wheel, its users' tokens, and the script that wrk sends requests from.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{Error, token};

/// The tenant.
pub const TENANT: &str = "bench";
/// Its campaign.
pub const CAMPAIGN: &str = "wheel";
/// The environment variables with the keys that users' and staff's tokens are signed with.
pub const KEY_ENV: [&str; 2] = ["BENCH_TOKEN_KEY", "BENCH_STAFF_KEY"];

const KID: &str = "bench";
const STAFF_KID: &str = "bench-staff";
const TOKEN_SECS: u64 = 3600;

/// Quotas as high as they go: what is measured is the draw, and not the refusal.
const TENANT_YAML: &str = "\
name: Bench
timezone: UTC
currency: USD
languages: [en]
keys: [{ kid: bench, alg: HS256, env: BENCH_TOKEN_KEY }]
admin_keys: [{ kid: bench-staff, alg: HS256, env: BENCH_STAFF_KEY }]
quotas: { per_second: 10000000, burst: 10000000, user_per_second: 10000000, user_burst: 10000000 }
";

/// A wheel that nobody can draw empty within a bench; every draw is on disk before it is answered.
const CAMPAIGN_YAML: &str = "\
activity: lottery
title: { en: Bench wheel }
timezone: UTC
opens: 2026-01-01
closes: 2035-12-31
rewards:
  coupon: { title: { en: Coupon }, kind: coupon, stock: 1000000000, cost: 0.01, odds: 10% }
  nothing: { title: { en: Next time }, odds: rest }
when_gone: { coupon: nothing }
chances: { first_visit: 1000000, each_day: 0, hold_at_most: 1000000 }
durability: strict
";

/// Everything that the contenders and wrk need, written to a folder.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The configs folder.
    pub configs: PathBuf,
    /// The same, where the campaign declares `standard`.
    pub shared_configs: PathBuf,
    /// The values of [`KEY_ENV`].
    pub keys: [String; 2],
    /// wrk's script.
    pub script: PathBuf,
    /// A viewer's token of the tenant's staff.
    pub viewer: String,
    /// The token of a user whom no request of the script plays.
    pub prober: String,
}

impl Stage {
    /// Writes configs and script for `users` users into `folder`.
    pub fn write(folder: &Path, users: u32) -> Result<Self, Error> {
        let (configs, script) = (folder.join("configs"), folder.join("draw.lua"));
        let shared_configs = folder.join("shared-configs");
        let keys = [random_key()?, random_key()?];
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let token = |sub: &str| token::user(KID, keys[0].as_bytes(), TENANT, sub, now, TOKEN_SECS);
        let failed = || Error::io(format!("{} can't be written", folder.display()));
        let standard = CAMPAIGN_YAML.replace("durability: strict", "durability: standard");
        for (configs, campaign) in [(&configs, CAMPAIGN_YAML), (&shared_configs, &standard)] {
            let tenant = configs.join(TENANT);
            fs::create_dir_all(&tenant).map_err(failed())?;
            fs::write(tenant.join("tenant.yaml"), TENANT_YAML).map_err(failed())?;
            fs::write(tenant.join(format!("{CAMPAIGN}.yaml")), campaign).map_err(failed())?;
        }
        let tokens: Vec<String> = (0..users)
            .map(|user| token(&format!("user-{user}")))
            .collect();
        fs::write(&script, lua(&tokens)).map_err(failed())?;
        let viewer = token::viewer(STAFF_KID, keys[1].as_bytes(), TENANT, now, TOKEN_SECS);
        Ok(Self {
            configs,
            shared_configs,
            script,
            viewer,
            prober: token("prober"),
            keys,
        })
    }
}

/// A script that lets the users draw in turn, each request under an idempotency key of its own.
///
/// The keys begin with wrk's argument, so that two runs against one server share none. A request is three strings put
/// together: on a small machine wrk competes with the server it measures.
fn lua(tokens: &[String]) -> String {
    let mut lua = String::from("local heads = {\n");
    for token in tokens {
        // Writing to a string does not fail.
        let _ = writeln!(
            lua,
            "\"POST /v1/{TENANT}/{CAMPAIGN}/events/draw HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nContent-Length: 0\\r\\n\
             Authorization: Bearer {token}\\r\\nIdempotency-Key: \","
        );
    }
    lua.push_str(
        "}
local users, sent, mark = #heads, 0, ''
function init(args) mark = (args[1] or 'run') .. '-' end
function request()
  sent = sent + 1
  return heads[sent % users + 1] .. mark .. sent .. '\\r\\n\\r\\n'
end
",
    );
    lua
}

/// 32 random bytes in hexadecimal.
fn random_key() -> Result<String, Error> {
    let mut bytes = [0_u8; 32];
    let source =
        fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    source.map_err(Error::io("no random bytes from the system"))?;
    Ok(bytes.iter().fold(String::new(), |mut key, byte| {
        let _ = write!(key, "{byte:02x}");
        key
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_a_tenant_a_campaign_and_a_script() {
        let folder = tempfile::tempdir().unwrap();
        let stage = Stage::write(folder.path(), 3).unwrap();
        let read = |path: &str| fs::read_to_string(stage.configs.join(path)).unwrap();
        assert!(read("bench/tenant.yaml").contains(&format!("env: {}", KEY_ENV[0])));
        assert!(read("bench/wheel.yaml").starts_with("activity: lottery\n"));
        let script = fs::read_to_string(&stage.script).unwrap();
        assert_eq!(
            script.matches("POST /v1/bench/wheel/events/draw").count(),
            3
        );
        assert!(
            !stage.keys.iter().any(|key| script.contains(key)),
            "the key is no business of wrk's"
        );
    }

    #[test]
    fn each_stage_has_a_key_of_its_own() {
        let (one, two) = (random_key().unwrap(), random_key().unwrap());
        assert_eq!((one.len(), two.len()), (64, 64));
        assert_ne!(one, two);
    }
}
