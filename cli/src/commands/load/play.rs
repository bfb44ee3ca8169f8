//! What `gala load SCENARIO` does: reads all it needs, has the scenario played, lets the judge hold the answers against the target's
//! books, and makes the report. How a run is played, alone or in a search, is `player`'s.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use chrono::{DateTime, FixedOffset, Utc};
use clap::Args;
use loadtest::capacity::{self, Capacity};
use loadtest::engine::{self, Mint as _};
use loadtest::find::Found;
use loadtest::judge;
use loadtest::limit::Held;
use loadtest::report::{Parts, Report, Reproduce};
use loadtest::scenario::{self, Scenario};
use sha2::{Digest as _, Sha256};

use super::after::told;
use super::keys::{Keys, Staff};
use super::player::{Played, Player, search};
use crate::failure::Failure;
use crate::out::Out;

/// How many users' grants are looked at for each campaign where there is no admin address.
const SAMPLE: usize = 200;

/// What is played, and against whom.
#[derive(Debug, Args)]
pub struct Play {
    /// The scenario's file
    #[arg(value_name = "SCENARIO")]
    pub scenario: PathBuf,
    /// The address of the target's public door
    #[arg(long, value_name = "URL")]
    pub target: String,
    /// The target's admin address: with it the judge reads the ledger, without it answers and users' grants alone
    #[arg(long, value_name = "URL")]
    pub admin: Option<String>,
    /// A staff token of the role `finance` or `support` [default: made from the tenants' own keys]
    #[arg(
        long,
        env = "GALA_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        requires = "admin"
    )]
    pub token: Option<String>,
    /// Searches the highest rate that still meets the limits, in place of the scenario's own arrivals
    #[arg(long)]
    pub find_max: bool,
    /// The first rate of the search, in journeys a second
    #[arg(long, value_name = "RATE", default_value_t = 50, requires = "find_max", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub find_from: u32,
    /// How long each rate of the search is played, in seconds
    #[arg(long, value_name = "S", default_value_t = 10, requires = "find_max", value_parser = clap::value_parser!(u64).range(2..=3600))]
    pub find_secs: u64,
    /// A forecast (`gala simulate FILE --json`) to reckon from what the whole campaign will need and cost
    #[arg(long, value_name = "FILE")]
    pub forecast: Option<PathBuf>,
    /// Price tables to reckon with [default: those that ship: lambda, scf, vm]
    #[arg(long, value_name = "FILE", requires = "forecast")]
    pub prices: Vec<PathBuf>,
    /// Where the report goes: report.html, report.json, junit.xml
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
    /// When the first call is due, such as 2026-12-01T09:59:30+08:00, so that all parts begin together [default: now]
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "find_max")]
    pub at: Option<DateTime<FixedOffset>>,
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

/// A time to begin at. One that is past is a slip of the pen, or a part that comes too late to begin with the others.
fn time(text: &str) -> Result<DateTime<FixedOffset>, String> {
    let time = DateTime::parse_from_rfc3339(text).map_err(|error| {
        format!(
            "{error}; write date, time and zone, such as 2026-12-01T09:59:30+08:00 or 2026-12-01T01:59:30Z"
        )
    })?;
    if time < Utc::now() {
        return Err("it is past; name a time to come, or leave `--at` out to begin now".to_owned());
    }
    Ok(time)
}

/// Plays it.
pub fn run(args: &Play, out: Out) -> Result<(), Failure> {
    let (scenario, text) = read(args)?;
    let keys = Arc::new(Keys::of(&args.configs, &scenario)?);
    // Made before anything is played: a judge without a token would find that out at the end.
    let staff = match &args.admin {
        Some(admin) => Some((
            admin.as_str(),
            Staff::of(&args.configs, &scenario, args.token.as_deref())?,
        )),
        None => None,
    };
    let beside = Beside::read(args)?;
    let ask = engine::Ask {
        target: args.target.clone(),
        mint: Arc::clone(&keys) as Arc<dyn engine::Mint>,
        part: args.part.unwrap_or((1, 1)),
        threads: args.threads,
        seed: args.seed,
        at: args.at.map(SystemTime::from),
        after: 0,
    };
    let player = Player {
        ask: &ask,
        admin: args.admin.as_deref(),
        stop: stopped_by_hand()?,
        out,
    };
    out.note(format!("{}: {}", scenario.name, scenario.title));
    if let Some(at) = args.at {
        out.note(format!("the first call is due at {}", at.to_rfc3339()));
    }
    let (played, found) = if args.find_max {
        let (played, found) = search(&scenario, &player, args)?;
        (played, Some(found))
    } else {
        (player.play(&scenario)?, None)
    };
    out.note("the judge holds the answers against the target's books");
    let judged = judged(&scenario, &played, &keys, staff.as_ref());
    let capacity = beside.capacity(&played);
    let report = report(&scenario, &text, (played, capacity, found), judged);
    told(&report, args.report.as_deref(), out)
}

fn judged(
    scenario: &Scenario,
    played: &Played,
    keys: &Keys,
    staff: Option<&(&str, Staff)>,
) -> Result<judge::Judged, String> {
    let claims = &scenario.population.claims;
    let user = |tenant: &str, user: u64| {
        let member = loadtest::call::member_id(&scenario.population.mark, user);
        let token = keys.token(tenant, &member, claims);
        token.map_err(|error| judge::Error::Token {
            whom: format!("user {user} of tenant `{tenant}`"),
            why: error.to_string(),
        })
    };
    let token = |tenant: &str| match staff {
        Some((_, staff)) => staff.token(tenant),
        None => Err(judge::Error::Token {
            whom: format!("the staff of tenant `{tenant}`"),
            why: "there is no admin address".to_owned(),
        }),
    };
    let ask = judge::Ask {
        target: &played.run.target,
        admin: staff.map(|(admin, _)| (*admin, &token as judge::StaffToken<'_>)),
        user: &user,
        sample: SAMPLE,
        began_at: &played.began_at,
    };
    judge::judge(scenario, &played.book, &ask).map_err(|error| error.to_string())
}

/// What is reckoned beside the run, read before it: a mistake in a file is no reason to have played for nothing.
struct Beside {
    forecast: Option<capacity::Forecast>,
    tables: Vec<capacity::Table>,
}

impl Beside {
    fn read(args: &Play) -> Result<Self, Failure> {
        let text = |path: &Path| {
            std::fs::read_to_string(path).map_err(|error| {
                Failure::usage(format!("{} can't be read: {error}", path.display()))
            })
        };
        let wrong = |path: &Path, why: String| Failure::usage(format!("{}: {why}", path.display()));
        let forecast = args.forecast.as_deref().map(|path| {
            capacity::Forecast::read(&text(path)?).map_err(|why| wrong(path, why.to_string()))
        });
        let tables = if args.prices.is_empty() {
            let shipped = capacity::shipped().into_iter();
            let read = shipped.map(|(name, table)| {
                capacity::Table::read(table).map_err(|why| wrong(Path::new(name), why.to_string()))
            });
            read.collect::<Result<_, _>>()?
        } else {
            let named = args.prices.iter().map(|path| {
                capacity::Table::read(&text(path)?).map_err(|why| wrong(path, why.to_string()))
            });
            named.collect::<Result<_, _>>()?
        };
        Ok(Self {
            forecast: forecast.transpose()?,
            tables,
        })
    }

    /// The peak is the forecast's: what a scenario asks for may be far more than anyone expects.
    fn capacity(&self, played: &Played) -> Vec<Capacity> {
        let reckoned = self.forecast.as_ref().map(|forecast| {
            let instance = capacity::Instance::default();
            let server = played.server.as_ref();
            capacity::reckon(forecast, &played.run, server, None, instance, &self.tables)
        });
        reckoned.into_iter().collect()
    }
}

fn report(
    scenario: &Scenario,
    text: &str,
    (played, capacity, found): (Played, Vec<Capacity>, Option<Found>),
    judged: Result<judge::Judged, String>,
) -> Report {
    let limits: Vec<Held> = scenario
        .limits
        .iter()
        .map(|limit| limit.measure(&played.run))
        .collect();
    let (truth, odds, campaigns) = match judged {
        Ok(judged) => (Ok(judged.truth), judged.odds, judged.campaigns),
        Err(why) => (Err(why), Vec::new(), Vec::new()),
    };
    Report::of(Parts {
        run: played.run,
        limits,
        truth,
        odds,
        server: played.server,
        capacity,
        found,
        reproduce: Reproduce {
            program: format!("gala {}", env!("CARGO_PKG_VERSION")),
            commit: option_env!("GALA_COMMIT").map(str::to_owned),
            command: command(),
            scenario_sha256: machine::ids::hex(&Sha256::digest(text.as_bytes())),
            campaigns,
        },
    })
}

/// The command line as it was given, without what is secret.
fn command() -> String {
    let mut words: Vec<String> = Vec::new();
    let mut secret = false;
    for word in std::env::args_os().skip(1) {
        let word = word.to_string_lossy().into_owned();
        let hidden = secret || word.starts_with("--token=");
        secret = word == "--token";
        words.push(if hidden { "…".to_owned() } else { word });
    }
    format!("gala {}", words.join(" "))
}

fn read(args: &Play) -> Result<(Scenario, String), Failure> {
    let path = &args.scenario;
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("{} can't be read: {error}", path.display())))?;
    let name = path.file_stem().map_or_else(
        || "scenario".to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    );
    let scenario = scenario::read(&name, &text).map_err(|mistakes| {
        eprintln!("{:?}", miette::Report::new(mistakes));
        Failure::red()
    })?;
    Ok((scenario, text))
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

    #[test]
    fn a_time_to_begin_at_is_to_come() {
        assert!(time("2999-12-01T09:59:30+08:00").is_ok());
        assert!(time("2020-12-01T09:59:30Z").is_err_and(|why| why.contains("past")));
        assert!(time("10:00:00").is_err_and(|why| why.contains("date, time and zone")));
    }
}
