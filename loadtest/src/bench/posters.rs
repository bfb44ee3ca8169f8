//! Draws from a wheel while posters are drawn on the same server: what the pictures cost the wheel.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use crate::bench::neighbour::median;
use crate::bench::pace::{Pace, Paced, run};
use crate::bench::stage::{CAMPAIGN, CAMPAIGN_YAML, KID, TOKEN_SECS};
use crate::{Error, token};

/// The environment variable with the key that users' tokens are signed with.
pub const KEY_ENV: &str = "POSTERS_TOKEN_KEY";

const TENANT: &str = "bench";

/// A poster of the usual size with each user's own name, so that none is found drawn.
const SVG: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 750 1334" width="750" height="1334">
<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#20245c"/><stop offset="1" stop-color="#d86a5c"/></linearGradient></defs>
<rect width="750" height="1334" fill="url(#sky)"/>
<circle cx="375" cy="360" r="180" fill="#ffffff" fill-opacity="0.25"/>
<text x="375" y="640" text-anchor="middle" font-family="Noto Sans SC" font-size="56" fill="#ffffff">{{ campaign.title }}</text>
<text x="375" y="720" text-anchor="middle" font-family="Noto Sans SC" font-size="34" fill="#ffffff">{{ user.name }}</text>
<rect x="245" y="940" width="260" height="260" rx="16" fill="#ffffff"/>
<rect id="qr share.url" x="255" y="950" width="240" height="240" fill="#ffffff"/>
</svg>
"##;

/// How much is asked.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Load {
    /// Draws a second.
    pub draws_per_second: u32,
    /// Posters a second that the server can draw.
    pub posters_per_second: u32,
    /// Posters a second that no server can draw.
    pub flood_per_second: u32,
    /// Users who draw from the wheel in turn.
    pub users: u32,
    /// Connections for draws, and as many for posters.
    pub connections: u32,
    /// How long a phase is, in seconds.
    pub secs: u64,
}

/// Configs and requests.
#[derive(Debug)]
pub struct Stage {
    draws: Arc<[String]>,
    key: String,
    load: Load,
    /// Whose poster was asked for so far: each is another user's, so that none is found drawn already.
    posters_of: AtomicU32,
}

impl Stage {
    /// Writes the configs into `configs`; `key` signs the tokens.
    pub fn write(configs: &Path, key: &str, load: Load) -> Result<Self, Error> {
        let folder = configs.join(TENANT);
        let failed = || Error::io(format!("{} can't be written", folder.display()));
        let tenant = format!(
            "name: Bench\ntimezone: UTC\ncurrency: USD\nlanguages: [en]\n\
             keys: [{{ kid: {KID}, alg: HS256, env: {KEY_ENV} }}]\nclaims: {{ name: {{ type: string }} }}\n\
             quotas: {{ per_second: 10000000, burst: 10000000, user_per_second: 10000000, user_burst: 10000000 }}\n"
        );
        let campaign = format!(
            "{CAMPAIGN_YAML}posters: {{ share: posters/share.svg }}\n\
             share: {{ url: \"https://bench.example.com/{{campaign}}?from={{share.id}}\" }}\n"
        );
        fs::create_dir_all(folder.join("posters")).map_err(failed())?;
        for (name, text) in [
            ("tenant.yaml", &*tenant),
            ("wheel.yaml", &campaign),
            ("posters/share.svg", SVG),
        ] {
            fs::write(folder.join(name), text).map_err(failed())?;
        }
        let draw = format!("POST /v1/{TENANT}/{CAMPAIGN}/events/draw");
        Ok(Self {
            draws: requests(key, 0..load.users.max(1), &draw, "Idempotency-Key"),
            key: key.to_owned(),
            load,
            posters_of: AtomicU32::new(load.users),
        })
    }

    /// One phase: draws at their pace, and beside them so many posters a second.
    pub async fn phase(&self, port: u16, mark: &str, posters: u32) -> Result<Phase, Error> {
        let pace = |heads: &Arc<[String]>, per_second| Pace {
            ports: vec![port],
            heads: heads.clone(),
            mark: mark.to_owned(),
            per_second,
            span: Duration::from_secs(self.load.secs),
            connections: self.load.connections,
        };
        let draws = run(pace(&self.draws, self.load.draws_per_second));
        if posters == 0 {
            let (draws, posters) = (draws.await?, Paced::default());
            return Ok(Phase { draws, posters });
        }
        // Nothing is sent before both are awaited: tokens cost neither of them time.
        let many = u32::try_from(u64::from(posters) * self.load.secs).unwrap_or(u32::MAX);
        let first = self.posters_of.fetch_add(many, Ordering::Relaxed);
        let poster = format!("GET /v1/{TENANT}/{CAMPAIGN}/poster/share");
        let of = first..first.saturating_add(many.max(1));
        let heads = requests(&self.key, of, &poster, "X-Request-Id");
        let posters = run(pace(&heads, posters));
        let (draws, posters) = tokio::try_join!(draws, posters)?;
        Ok(Phase { draws, posters })
    }
}

/// The heads of requests by these users, up to the value of the last header.
fn requests(key: &str, users: Range<u32>, line: &str, last: &str) -> Arc<[String]> {
    let now = token::now_secs();
    let request = |user: u32| {
        let sub = format!("user-{user}");
        let claims = json!({
            "aud": TENANT, "exp": now + TOKEN_SECS, "iat": now, "sub": sub, "name": format!("Reader {user}"),
        });
        let token = token::hs256(KID, key.as_bytes(), &claims);
        format!(
            "{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nAuthorization: Bearer {token}\r\n{last}: "
        )
    };
    users.map(request).collect()
}

/// What came back of each.
#[derive(Debug, Clone, Serialize)]
pub struct Phase {
    /// Of draws.
    pub draws: Paced,
    /// Of posters.
    pub posters: Paced,
}

/// Phases that follow each other, so that all of them see the same hour of the machine.
#[derive(Debug, Clone)]
pub struct Round {
    /// Draws alone.
    pub alone: Phase,
    /// Beside posters at a pace that the server can keep.
    pub beside: Phase,
    /// Beside more than it can.
    pub flooded: Phase,
}

/// What interleaved phases found.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    /// How much was asked.
    pub load: Load,
    /// The draws' p99 in each phase alone, in milliseconds.
    pub alone_p99_ms: Vec<f64>,
    /// Beside posters.
    pub beside_p99_ms: Vec<f64>,
    /// Beside the flood.
    pub flooded_p99_ms: Vec<f64>,
    /// The posters' p99 beside draws, in milliseconds.
    pub posters_p99_ms: Vec<f64>,
    /// Draws that were not answered 200, in all phases.
    pub draw_errors: u64,
    /// Posters by status, at the pace that the server can keep.
    pub posters: BTreeMap<u16, u64>,
    /// In the flood.
    pub flood: BTreeMap<u16, u64>,
}

impl Found {
    /// From rounds of phases.
    pub fn new(load: Load, rounds: &[Round]) -> Self {
        let p99 = |of: fn(&Round) -> &Paced| -> Vec<f64> {
            let phases = rounds.iter().map(of);
            phases.map(|phase| phase.quantile_ms(0.99)).collect()
        };
        let statuses = |of: fn(&Round) -> &Paced| {
            let mut all = BTreeMap::new();
            for (status, many) in rounds.iter().flat_map(|round| &of(round).statuses) {
                *all.entry(*status).or_default() += many;
            }
            all
        };
        let phases = rounds
            .iter()
            .flat_map(|round| [&round.alone, &round.beside, &round.flooded]);
        Self {
            load,
            alone_p99_ms: p99(|round| &round.alone.draws),
            beside_p99_ms: p99(|round| &round.beside.draws),
            flooded_p99_ms: p99(|round| &round.flooded.draws),
            posters_p99_ms: p99(|round| &round.beside.posters),
            draw_errors: phases.map(|phase| phase.draws.bad()).sum(),
            posters: statuses(|round| &round.beside.posters),
            flood: statuses(|round| &round.flooded.posters),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Load {
            draws_per_second,
            posters_per_second,
            flood_per_second,
            ..
        } = self.load;
        writeln!(f, "p99 of {draws_per_second} draws a second, ms:")?;
        let rows = [
            ("alone".to_owned(), &self.alone_p99_ms),
            (
                format!("beside {posters_per_second} posters/s"),
                &self.beside_p99_ms,
            ),
            (
                format!("beside {flood_per_second} posters/s"),
                &self.flooded_p99_ms,
            ),
        ];
        let alone = median(&self.alone_p99_ms);
        for (what, figures) in rows {
            let all: Vec<String> = figures.iter().map(|it| format!("{it:.2}")).collect();
            let found = median(figures);
            writeln!(
                f,
                "{what:>24}: median {found:.2} ({:.2} x alone); {}",
                found / alone,
                all.join(" ")
            )?;
        }
        writeln!(
            f,
            "posters: p99 {:.1} ms, answers {:?}; in the flood {:?}; draws that failed: {}",
            median(&self.posters_p99_ms),
            self.posters,
            self.flood,
            self.draw_errors
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_counted_over_all_phases() {
        let load = Load {
            draws_per_second: 1,
            posters_per_second: 1,
            flood_per_second: 9,
            users: 1,
            connections: 1,
            secs: 1,
        };
        let phase = |p99: f64| Phase {
            draws: Paced {
                statuses: [(200, 1), (503, 1)].into(),
                took_ms: vec![p99],
            },
            posters: Paced {
                statuses: [(200, 2)].into(),
                took_ms: vec![5.0],
            },
        };
        let round = Round {
            alone: phase(1.0),
            beside: phase(1.5),
            flooded: phase(2.0),
        };
        let found = Found::new(load, &[round.clone(), round]);
        assert_eq!((found.draw_errors, found.flood[&200]), (6, 4));
        assert!(
            found
                .to_string()
                .contains("beside 1 posters/s: median 1.50 (1.50 x alone)")
        );
    }
}
