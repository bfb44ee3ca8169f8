//! `gala load`: plays a scenario against a running target, and says whether its limits were met.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use function::identity::{Minter, Ticket};
use loadtest::call::NoBooks;
use loadtest::engine::{self, Mint};
use loadtest::limit::Held;
use loadtest::live::Live;
use loadtest::scenario::{self, Scenario};
use loadtest::summary;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::out::Out;
use crate::sign;

/// How long a token is good, in seconds: longer than any journey.
const TOKEN_SECS: i64 = 3600;

/// Plays a load test before launch: invented users, open-loop, against a running target
#[derive(Debug, Args)]
pub struct Load {
    /// The scenario's file
    #[arg(value_name = "SCENARIO")]
    pub scenario: PathBuf,
    /// The address of the target's public door
    #[arg(long, value_name = "URL")]
    pub target: String,
    /// Where the report goes
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
    /// The folder with the tenants, whose keys sign the users' tokens
    #[arg(
        long,
        env = "GALA_CONFIGS",
        default_value = "configs",
        value_name = "DIR"
    )]
    pub configs: PathBuf,
    /// What chance is drawn from, instead of the scenario's seed
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Which part of how many processes this one plays, such as 1/3
    #[arg(long, value_name = "K/N", value_parser = part)]
    pub part: Option<(u32, u32)>,
    /// How many threads send [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub threads: Option<u32>,
}

fn part(text: &str) -> Result<(u32, u32), String> {
    let part = text
        .split_once('/')
        .and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
    part.filter(|(part, of)| (1..=*of).contains(part))
        .ok_or_else(|| "write it as K/N, such as 1/3 for the first of three".to_owned())
}

/// Plays it.
pub fn run(args: &Load, out: Out) -> Result<(), Failure> {
    let scenario = read(args, out)?;
    let ask = engine::Ask {
        target: args.target.clone(),
        mint: Arc::new(Keys::of(args, &scenario)?),
        part: args.part.unwrap_or((1, 1)),
        threads: args.threads,
        seed: args.seed,
    };
    let stop = stopped_by_hand()?;
    out.note(format!("{}: {}", scenario.name, scenario.title));
    let mut live = Live::new();
    // The one place where the judge's books and the report come in: `NoBooks` gives way to the judge's, and `run` and the books go to
    // the report in `args.report`.
    let (run, _books) = engine::play(&scenario, &ask, &stop, |_| NoBooks, &mut |tick| {
        if !out.json {
            live.show(tick);
        }
    })
    .map_err(failed)?;
    let held: Vec<Held> = scenario
        .limits
        .iter()
        .map(|limit| limit.measure(&run))
        .collect();
    if let Some(folder) = &args.report {
        keep(folder, &json!({ "run": run, "limits": held }))?;
    }
    if out.json {
        out.value(&json!({ "run": run, "limits": held }))?;
    } else {
        out.text(summary::table(&run, &held))?;
    }
    let missed: Vec<&str> = held
        .iter()
        .filter(|held| !held.met)
        .map(|held| held.limit.as_str())
        .collect();
    if missed.is_empty() {
        Ok(())
    } else {
        Err(Failure::limits(format!(
            "limits were missed: {}",
            missed.join(", ")
        )))
    }
}

fn read(args: &Load, out: Out) -> Result<Scenario, Failure> {
    let path = &args.scenario;
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("{} can't be read: {error}", path.display())))?;
    let name = path.file_stem().map_or_else(
        || "scenario".to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    );
    scenario::read(&name, &text).map_err(|mistakes| {
        if out.json {
            return Failure::check("scenario", mistakes.lines());
        }
        eprintln!("{:?}", miette::Report::new(mistakes));
        Failure::red()
    })
}

fn keep(folder: &std::path::Path, report: &Value) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::unreachable(
            "report",
            format!("{} can't be written: {error}", folder.display()),
        )
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let text = serde_json::to_string_pretty(report).unwrap_or_default();
    std::fs::write(folder.join("report.json"), text).map_err(failed)
}

fn failed(error: engine::Error) -> Failure {
    let said = error.to_string();
    match error {
        engine::Error::Target { .. } | engine::Error::Part(..) => Failure::usage(said),
        engine::Error::Mint { .. } => Failure::check("no-signing-key", said),
        engine::Error::Unreachable { .. } | engine::Error::Tls { .. } => {
            Failure::unreachable("target", said)
        }
        engine::Error::Files { .. } | engine::Error::Io { .. } | engine::Error::Thread => {
            Failure::unreachable("generator", said)
        }
    }
}

/// Set by Ctrl-C: what was measured so far is still told. A second one ends the command at once.
fn stopped_by_hand() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    let failed = |error: std::io::Error| {
        Failure::unreachable("signals", format!("Ctrl-C can't be listened for: {error}"))
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                if seen.swap(true, Ordering::Relaxed) {
                    std::process::exit(130);
                }
            }
        });
    });
    Ok(stop)
}

/// A minter for each tenant of a scenario, made once.
struct Keys(HashMap<String, Minter>);

impl Keys {
    fn of(args: &Load, scenario: &Scenario) -> Result<Self, Failure> {
        let mut minters = HashMap::new();
        for campaign in &scenario.campaigns {
            if !minters.contains_key(&campaign.tenant) {
                let tenant = sign::tenant(&args.configs, &campaign.tenant)?;
                let minter = sign::signer(&args.configs, &tenant.id, &tenant.keys)?;
                minters.insert(campaign.tenant.clone(), minter);
            }
        }
        Ok(Self(minters))
    }
}

impl Mint for Keys {
    fn token(
        &self,
        tenant: &str,
        member: &str,
        claims: &BTreeMap<String, Value>,
    ) -> Result<String, engine::Error> {
        let failed = |why: String| engine::Error::Mint {
            tenant: tenant.to_owned(),
            why,
        };
        let minter = self
            .0
            .get(tenant)
            .ok_or_else(|| failed("it has no key here".to_owned()))?;
        let ticket = Ticket {
            ttl_secs: TOKEN_SECS,
            extra: claims.clone().into_iter().collect(),
            ..Ticket::user(tenant, member)
        };
        minter
            .sign(&ticket, chrono::Utc::now().timestamp())
            .map_err(|error| failed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_from_one() {
        assert_eq!(part("1/3"), Ok((1, 3)));
        assert_eq!(part("3/3"), Ok((3, 3)));
        for wrong in ["0/3", "4/3", "1", "a/b", "1/0", ""] {
            assert!(part(wrong).is_err(), "{wrong}");
        }
    }
}
