//! What the load is played on: a tenant with a wheel and a check-in, its users' tokens, and the scripts that wrk sends
//! requests from.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::{Error, token};

/// The tenant.
pub const TENANT: &str = "bench";
/// Its campaign.
pub const CAMPAIGN: &str = "wheel";
/// Its other campaign.
pub const CHECK_IN: &str = "check-in";
/// The environment variables with the keys that users' and staff's tokens are signed with.
pub const KEY_ENV: [&str; 2] = ["BENCH_TOKEN_KEY", "BENCH_STAFF_KEY"];

/// The id of the key that users' tokens are signed with.
pub(crate) const KID: &str = "bench";
/// How long all tokens are good.
pub(crate) const TOKEN_SECS: u64 = 3600;

const STAFF_KID: &str = "bench-staff";

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
pub(crate) const CAMPAIGN_YAML: &str = "\
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

/// Each user signs in once, and gets points.
const CHECK_IN_YAML: &str = "\
activity: sign-in
title: { en: Bench check-in }
timezone: UTC
opens: 2026-01-01
closes: 2035-12-31
rewards:
  points: { title: { en: Points }, kind: points, amount: 10 }
give: { each_day: points }
durability: standard
";

/// Everything that the contenders and wrk need, written to a folder.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The configs folder.
    pub configs: PathBuf,
    /// The same, where the campaign declares `standard`, and the check-in.
    pub shared_configs: PathBuf,
    /// The values of [`KEY_ENV`].
    pub keys: [String; 2],
    /// wrk's script: the first users draw in turn.
    pub script: PathBuf,
    /// wrk's other script: all users sign in, each once.
    pub sign_in_script: PathBuf,
    /// A viewer's token of the tenant's staff.
    pub viewer: String,
    /// The token of a user whom no request of the script plays.
    pub prober: String,
}

impl Stage {
    /// Writes configs and scripts into `folder`: for `users` users who draw in turn, and `sign_ins` who sign in once each.
    pub fn write(folder: &Path, users: u32, sign_ins: u32) -> Result<Self, Error> {
        let (configs, script) = (folder.join("configs"), folder.join("draw.lua"));
        let sign_in_script = folder.join("sign-in.lua");
        let shared_configs = folder.join("shared-configs");
        let keys = [random_key()?, random_key()?];
        let now = token::now_secs();
        let token = |sub: &str| token::user(KID, keys[0].as_bytes(), TENANT, sub, now, TOKEN_SECS);
        let failed = || Error::io(format!("{} can't be written", folder.display()));
        let standard = CAMPAIGN_YAML.replace("durability: strict", "durability: standard");
        for (configs, campaign) in [(&configs, CAMPAIGN_YAML), (&shared_configs, &standard)] {
            let tenant = configs.join(TENANT);
            fs::create_dir_all(&tenant).map_err(failed())?;
            fs::write(tenant.join("tenant.yaml"), TENANT_YAML).map_err(failed())?;
            fs::write(tenant.join(format!("{CAMPAIGN}.yaml")), campaign).map_err(failed())?;
        }
        fs::write(
            shared_configs.join(TENANT).join(format!("{CHECK_IN}.yaml")),
            CHECK_IN_YAML,
        )
        .map_err(failed())?;
        let tokens = folder.join("tokens");
        let mut lines = String::new();
        for user in 0..users.max(sign_ins) {
            lines.push_str(&token(&format!("user-{user}")));
            lines.push('\n');
        }
        fs::write(&tokens, lines).map_err(failed())?;
        let draw = format!("/v1/{TENANT}/{CAMPAIGN}/events/draw");
        let sign_in = format!("/v1/{TENANT}/{CHECK_IN}/events/sign-in");
        fs::write(&script, lua(&tokens, users, &draw)).map_err(failed())?;
        fs::write(&sign_in_script, lua(&tokens, sign_ins, &sign_in)).map_err(failed())?;
        let viewer = token::viewer(STAFF_KID, keys[1].as_bytes(), TENANT, now, TOKEN_SECS);
        Ok(Self {
            configs,
            shared_configs,
            script,
            sign_in_script,
            viewer,
            prober: token("prober"),
            keys,
        })
    }
}

/// A script that lets the first `users` of the file of tokens call `path` in turn, each request under an idempotency key of
/// its own.
///
/// The keys begin with wrk's first argument, so that two runs against one server share none; the second says how many users
/// to pass over first. A request is three strings put together: on a small machine wrk competes with the server it measures.
/// The tokens are read from a file: a script can't hold more than 65,536 of them.
fn lua(tokens: &Path, users: u32, path: &str) -> String {
    format!(
        "local heads = {{}}
for token in io.lines({:?}) do
  if #heads == {users} then break end
  heads[#heads + 1] = 'POST {path} HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nContent-Length: 0\\r\\n' ..
    'Authorization: Bearer ' .. token .. '\\r\\nIdempotency-Key: '
end
local users, sent, mark = #heads, 0, ''
function init(args)
  mark = (args[1] or 'run') .. '-'
  sent = tonumber(args[2] or 0)
end
function request()
  sent = sent + 1
  return heads[sent % users + 1] .. mark .. sent .. '\\r\\n\\r\\n'
end
",
        tokens.display().to_string()
    )
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
        let stage = Stage::write(folder.path(), 3, 5).unwrap();
        let read = |path: &str| fs::read_to_string(stage.configs.join(path)).unwrap();
        assert!(read("bench/tenant.yaml").contains(&format!("env: {}", KEY_ENV[0])));
        assert!(read("bench/wheel.yaml").starts_with("activity: lottery\n"));
        let tokens = fs::read_to_string(folder.path().join("tokens")).unwrap();
        assert_eq!(tokens.lines().count(), 5);
        for (script, users, path) in [
            (&stage.script, 3, "/v1/bench/wheel/events/draw"),
            (
                &stage.sign_in_script,
                5,
                "/v1/bench/check-in/events/sign-in",
            ),
        ] {
            let script = fs::read_to_string(script).unwrap();
            assert!(script.contains(&format!("POST {path} HTTP")), "{script}");
            assert!(script.contains(&format!("#heads == {users}")), "{script}");
            assert!(
                !stage.keys.iter().any(|key| script.contains(key)),
                "the key is no business of wrk's"
            );
        }
    }

    #[test]
    fn each_stage_has_a_key_of_its_own() {
        let (one, two) = (random_key().unwrap(), random_key().unwrap());
        assert_eq!((one.len(), two.len()), (64, 64));
        assert_ne!(one, two);
    }
}
