//! Two tenants on one server: what one of them at many times its quota costs the other.

use std::fmt;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::bench::pace::{Pace, Paced, run};
use crate::bench::stage::{CAMPAIGN, CAMPAIGN_YAML, KID, TOKEN_SECS};
use crate::{Error, token};

/// The environment variable with the key that users' tokens are signed with.
pub const KEY_ENV: &str = "NEIGHBOUR_TOKEN_KEY";

const QUIET: &str = "quiet";
const NOISY: &str = "noisy";

/// How much is asked.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Load {
    /// Draws a second of the quiet tenant's users.
    pub quiet_per_second: u32,
    /// Its users.
    pub users: u32,
    /// The noisy tenant's quota, calls a second and at once.
    pub quota: u32,
    /// How many times its quota it calls.
    pub times: u32,
    /// Connections of each.
    pub connections: u32,
    /// How long a phase is, in seconds.
    pub secs: u64,
}

/// Configs and requests of the two tenants.
#[derive(Debug)]
pub struct Stage {
    quiet: Arc<[String]>,
    noisy: Arc<[String]>,
    load: Load,
}

impl Stage {
    /// Writes the configs into `configs`; `key` signs the tokens.
    pub fn write(configs: &Path, key: &str, load: Load) -> Result<Self, Error> {
        let most = "{ per_second: 10000000, burst: 10000000, user_per_second: 10000000, user_burst: 10000000 }";
        let bounded = format!(
            "{{ per_second: {0}, burst: {0}, user_per_second: 10000000, user_burst: 10000000 }}",
            load.quota
        );
        for (tenant, quotas) in [(QUIET, most), (NOISY, &bounded)] {
            let folder = configs.join(tenant);
            let yaml = format!(
                "name: {tenant}\ntimezone: UTC\ncurrency: USD\nlanguages: [en]\n\
                 keys: [{{ kid: {KID}, alg: HS256, env: {KEY_ENV} }}]\nquotas: {quotas}\n"
            );
            let failed = || Error::io(format!("{} can't be written", folder.display()));
            fs::create_dir_all(&folder).map_err(failed())?;
            fs::write(folder.join("tenant.yaml"), yaml).map_err(failed())?;
            fs::write(folder.join(format!("{CAMPAIGN}.yaml")), CAMPAIGN_YAML).map_err(failed())?;
        }
        Ok(Self {
            quiet: heads(QUIET, key, load.users),
            noisy: heads(NOISY, key, load.users),
            load,
        })
    }

    /// One phase: the quiet tenant's load on `ports`, and beside it the noisy one's on `flood`, if any.
    pub async fn phase(&self, ports: &[u16], mark: &str, flood: &[u16]) -> Result<Phase, Error> {
        let pace = |ports: &[u16], heads: &Arc<[String]>, per_second| Pace {
            ports: ports.to_vec(),
            heads: heads.clone(),
            mark: mark.to_owned(),
            per_second,
            span: Duration::from_secs(self.load.secs),
            connections: self.load.connections,
        };
        let quiet = run(pace(ports, &self.quiet, self.load.quiet_per_second));
        if flood.is_empty() {
            let (quiet, noisy) = (quiet.await?, Paced::default());
            return Ok(Phase { quiet, noisy });
        }
        let noisy = run(pace(
            flood,
            &self.noisy,
            self.load.quota.saturating_mul(self.load.times),
        ));
        let (quiet, noisy) = tokio::try_join!(quiet, noisy)?;
        Ok(Phase { quiet, noisy })
    }
}

/// What each tenant got.
#[derive(Debug, Clone, Serialize)]
pub struct Phase {
    /// The quiet one.
    pub quiet: Paced,
    /// The noisy one; nothing where it was silent.
    pub noisy: Paced,
}

/// Phases that follow each other, so that all of them see the same hour of the machine.
#[derive(Debug, Clone)]
pub struct Round {
    /// The quiet tenant alone.
    pub alone: Phase,
    /// Beside the same flood at a server of nobody's: what the machine, which all of this shares, charges for it.
    pub elsewhere: Phase,
    /// Beside the flood at its own server.
    pub beside: Phase,
}

/// What interleaved phases found.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    /// How much was asked.
    pub load: Load,
    /// The quiet tenant's p99 in each phase without the flood, in milliseconds.
    pub alone_p99_ms: Vec<f64>,
    /// In each phase with the flood elsewhere.
    pub elsewhere_p99_ms: Vec<f64>,
    /// In each phase with it at the quiet tenant's own server.
    pub beside_p99_ms: Vec<f64>,
    /// The medians' ratio, beside to elsewhere: what sharing a server costs.
    pub ratio: f64,
    /// The medians' ratio, beside to alone: with what sharing the machine costs.
    pub ratio_to_alone: f64,
    /// The quiet tenant's answers that were errors, in all phases.
    pub quiet_errors: u64,
    /// The noisy tenant's answers by status.
    pub noisy_statuses: std::collections::BTreeMap<u16, u64>,
}

impl Found {
    /// From rounds of phases.
    pub fn new(load: Load, rounds: &[Round]) -> Self {
        let p99 = |of: fn(&Round) -> &Phase| -> Vec<f64> {
            let phases = rounds.iter().map(of);
            phases.map(|phase| phase.quiet.quantile_ms(0.99)).collect()
        };
        let alone = p99(|round| &round.alone);
        let elsewhere = p99(|round| &round.elsewhere);
        let beside = p99(|round| &round.beside);
        let mut noisy_statuses = std::collections::BTreeMap::new();
        for (status, many) in rounds.iter().flat_map(|round| &round.beside.noisy.statuses) {
            *noisy_statuses.entry(*status).or_default() += many;
        }
        let phases = rounds
            .iter()
            .flat_map(|round| [&round.alone, &round.elsewhere, &round.beside]);
        Self {
            load,
            ratio: median(&beside) / median(&elsewhere),
            ratio_to_alone: median(&beside) / median(&alone),
            quiet_errors: phases.map(|phase| phase.quiet.bad()).sum(),
            noisy_statuses,
            alone_p99_ms: alone,
            elsewhere_p99_ms: elsewhere,
            beside_p99_ms: beside,
        }
    }

    /// Whether the quiet tenant lost no answer, and its p99 moved by less than a tenth and less than 2 ms.
    pub fn holds(&self) -> bool {
        let moved_ms = median(&self.beside_p99_ms) - median(&self.elsewhere_p99_ms);
        self.quiet_errors == 0 && self.ratio < 1.10 && moved_ms < 2.0
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |figures: &[f64]| {
            figures.iter().fold(String::new(), |mut row, figure| {
                // Writing to a string does not fail.
                let _ = write!(row, "{figure:>9.2}");
                row
            })
        };
        let times = self.load.times;
        for (what, figures) in [
            ("alone".to_owned(), &self.alone_p99_ms),
            (format!("{times}x elsewhere"), &self.elsewhere_p99_ms),
            (format!("{times}x beside"), &self.beside_p99_ms),
        ] {
            writeln!(
                f,
                "quiet p99, ms, {what:>15}: median {:.2}; {}",
                median(figures),
                row(figures)
            )?;
        }
        writeln!(
            f,
            "beside to elsewhere {:.3}, to alone {:.3}; quiet errors {}; noisy answers {:?}",
            self.ratio, self.ratio_to_alone, self.quiet_errors, self.noisy_statuses
        )?;
        f.write_str(if self.holds() {
            "holds"
        } else {
            "does NOT hold"
        })
    }
}

pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// Requests of a tenant's users, up to where the idempotency key begins.
fn heads(tenant: &str, key: &str, users: u32) -> Arc<[String]> {
    let now = token::now_secs();
    let head = |user: u32| {
        let sub = format!("user-{user}");
        let token = token::user(KID, key.as_bytes(), tenant, &sub, now, TOKEN_SECS);
        format!(
            "POST /v1/{tenant}/{CAMPAIGN}/events/draw HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\
             Authorization: Bearer {token}\r\nIdempotency-Key: "
        )
    };
    (0..users.max(1)).map(head).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(p99: f64) -> Phase {
        let quiet = Paced {
            statuses: [(200, 1)].into(),
            took_ms: vec![p99],
        };
        let noisy = Paced::default();
        Phase { quiet, noisy }
    }

    #[test]
    fn a_tenth_is_too_much() {
        let load = Load {
            quiet_per_second: 1,
            users: 1,
            quota: 1,
            times: 50,
            connections: 1,
            secs: 1,
        };
        let found = |beside| {
            let round = Round {
                alone: phase(1.0),
                elsewhere: phase(2.0),
                beside: phase(beside),
            };
            Found::new(load, &[round])
        };
        assert!(found(2.1).holds());
        assert!(!found(2.3).holds());
    }
}
