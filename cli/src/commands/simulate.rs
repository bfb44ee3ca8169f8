//! `gala simulate`: what a campaign will give, cost and refuse, before anybody plays it.

use std::path::{Path, PathBuf};
use std::time::Instant;

use campaign::simulate::profile::read;
use campaign::simulate::{Asked, MOST_DAYS, MOST_RUNS, MOST_USERS, Plan, PlanError, Profile, fit};
use campaign::{Diagnostics, Language, Source, decode, link};
use clap::Args;
use function::identity::Role;
use machine::calendar::day_number;
use machine::model::Definition;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::api::{Ask, Server};
use crate::failure::Failure;
use crate::folder;
use crate::forecast::{self, Named};
use crate::out::Out;
use crate::show;

/// The most threads; more than runs are never used.
const MOST_THREADS: u16 = 1024;

/// Forecasts a campaign: plays it with invented people against the real rules (exit code 1 if the file has errors)
///
/// The same file, profile and seed give the same output, byte for byte, on however many threads.
#[derive(Debug, Args)]
pub struct Simulate {
    /// A campaign's file (`.yaml`) in its tenant's folder
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How many people take part; 100,000 unless the profile says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_USERS)))]
    pub users: Option<u32>,
    /// For how many days; 14, or to the end of the window, unless the profile says
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_DAYS)))]
    pub days: Option<u32>,
    /// The first day (`2026-12-01`); the opening unless said
    #[arg(long, value_name = "DATE")]
    pub from: Option<chrono::NaiveDate>,
    /// What decides all chance
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// How many runs; 20, and fewer from 100,000 people on, unless said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_RUNS)))]
    pub runs: Option<u32>,
    /// On how many threads; one for each core unless said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_THREADS)))]
    pub threads: Option<u16>,
    /// A file with the assumptions: who comes, how often, and what they do (docs/SIMULATE.md)
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// Measure the assumptions in an earlier campaign's `gala export`; what --profile says goes before
    #[arg(long, value_name = "FILE")]
    pub fit: Option<PathBuf>,
    /// The share of people who come again on the day after a visit
    #[arg(long, value_name = "SHARE")]
    pub next_day: Option<String>,
    /// The share of those who stay away who come on each later day
    #[arg(long, value_name = "SHARE")]
    pub later: Option<String>,
    /// The share of visits after which people come again on the same day
    #[arg(long, value_name = "SHARE")]
    pub same_day: Option<String>,
    /// The share of visits in which people share
    #[arg(long, value_name = "SHARE")]
    pub share: Option<String>,
    /// How often the back end sends an event, per visit; may be given several times
    #[arg(long, value_name = "EVENT=SHARE")]
    pub backend: Vec<String>,
    /// Compare with the live revision (`live`, asked of the server) or with another FILE
    #[arg(long, value_name = "live | FILE")]
    pub compare: Option<String>,
    /// Write a page with plots, too
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Where the server is, for `--compare live`
    #[command(flatten)]
    pub server: Server,
}

/// Forecasts.
pub fn run(args: &Simulate, out: Out) -> Result<(), Failure> {
    let definition = checked(&args.file, out)?;
    let profile = profile(args, &definition, out)?;
    let other = args
        .compare
        .as_deref()
        .map(|what| other(args, what, &definition, out))
        .transpose()?;
    let threads = args.threads.map_or_else(cores, usize::from);
    let asked = Asked {
        users: args.users,
        days: args.days,
        first: args.from.map(day_number),
        seed: args.seed,
        runs: args.runs,
    };
    let plan = Plan::new(definition, profile, &asked)
        .map_err(|error| Failure::usage(error.to_string()))?;
    let wanted = args
        .days
        .or(plan.profile.days)
        .filter(|days| *days > plan.days);
    if let Some(wanted) = wanted {
        out.note(format!(
            "note: the campaign closes before: {} of {wanted} days are played",
            plan.days
        ));
    }
    let name = args
        .file
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let one = made(name, &plan, threads, out)?;
    let other = other.map(|(name, definition)| {
        let plan = beside(&plan, definition)
            .map_err(|error| Failure::usage(format!("{name}: {error}")))?;
        made(name, &plan, threads, out)
    });
    let other = other.transpose()?;
    if let Some(file) = &args.html {
        let page = forecast::page(&one, other.as_ref());
        std::fs::write(file, page).map_err(|error| {
            Failure::unreachable(
                "output",
                format!("{} can't be written: {error}", file.display()),
            )
        })?;
        out.note(format!("the page is in {}", file.display()));
    }
    match (out.json, &other) {
        (true, None) => out.value(&one.forecast.to_json()),
        (true, Some(other)) => out.value(&both(&one, other)),
        (false, None) => out.text(forecast::table(&one.forecast)),
        (false, Some(other)) => out.text(forecast::compare(&one, other)),
    }
}

fn both(one: &Named, other: &Named) -> Json {
    let told = |named: &Named| json!({ "name": named.name, "forecast": named.forecast.to_json() });
    json!({ "this": told(one), "other": told(other) })
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Makes a forecast, and says how long that took.
fn made(name: String, plan: &Plan, threads: usize, out: Out) -> Result<Named, Failure> {
    let start = Instant::now();
    let forecast = forecast::make(plan, threads)?;
    let secs = start.elapsed().as_secs_f64();
    let threads = threads.min(plan.runs as usize);
    let rate = forecast.steps as f64 / secs.max(1e-9) / 1e6 / threads as f64;
    out.note(format!(
        "{name}: {} people in {} runs on {threads} threads: {secs:.1} s, {:.1} million steps, {rate:.2} million a second and thread",
        plan.users,
        plan.runs,
        forecast.steps as f64 / 1e6,
    ));
    Ok(Named { name, forecast })
}

/// The same people on another campaign: on the same days where it is open then, else from its own opening on.
fn beside(plan: &Plan, definition: Definition) -> Result<Plan, PlanError> {
    let asked = Asked {
        users: Some(plan.users),
        days: Some(plan.days),
        first: Some(plan.first),
        seed: plan.seed,
        runs: Some(plan.runs),
    };
    Plan::new(definition.clone(), plan.profile.clone(), &asked).or_else(|_| {
        let asked = Asked {
            first: None,
            ..asked
        };
        Plan::new(definition, plan.profile.clone(), &asked)
    })
}

/// The campaign of a file; all that is wrong with it is printed.
fn checked(file: &Path, out: Out) -> Result<Definition, Failure> {
    if file.extension().is_none_or(|kind| kind != "yaml") || file.is_dir() {
        return Err(Failure::usage(format!(
            "{} is no campaign's file: name one (`configs/acme/spring-wheel.yaml`)",
            file.display()
        )));
    }
    let folder = folder::load(file)?;
    let said = folder.diagnostics();
    if said.has_errors() {
        return Err(wrong(&said, out)?);
    }
    let mut found = folder
        .campaigns()
        .filter_map(|(_, campaign)| campaign.definition.clone());
    found.next().ok_or_else(|| {
        Failure::usage(format!(
            "{} is no campaign's file: one lies beside its tenant.yaml",
            file.display()
        ))
    })
}

/// Prints what is wrong, as `gala check` does.
fn wrong(said: &Diagnostics, out: Out) -> Result<Failure, Failure> {
    if out.json {
        out.value(&said.to_json())?;
    } else {
        show::diagnostics(out, said, Language::English)?;
    }
    out.note(show::counted(said, Language::English));
    Ok(Failure::red())
}

/// The assumptions: the usual ones, over them what was measured, the profile's file, the command line.
fn profile(args: &Simulate, definition: &Definition, out: Out) -> Result<Profile, Failure> {
    let campaign = link(definition.clone(), 1)
        .map_err(|error| Failure::check("campaign", error.to_string()))?;
    let mut profile = Profile::default();
    if let Some(file) = &args.fit {
        profile = fit::fit(&text(file)?, &definition.calendar, &profile)
            .map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
    }
    let mut sources = Vec::new();
    if let Some(file) = &args.profile {
        sources.push(Source::new(file.display().to_string(), text(file)?));
    }
    sources.extend(flags(args)?.map(|flags| Source::new("the command line, as a profile", flags)));
    let mut said = Diagnostics::new();
    for source in sources {
        profile = match read(&source, &profile, &campaign, &mut said) {
            Some(read) => read,
            None => return Err(wrong(&said.sorted(), out)?),
        };
    }
    // What is only odd goes where it can't be mistaken for the forecast.
    for found in &said {
        out.note(show::plain(found).trim_end());
    }
    Ok(profile)
}

fn text(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("{} can't be read: {error}", file.display())))
}

/// The flags as a profile: it is read by the same reader, with the same words for what is wrong.
fn flags(args: &Simulate) -> Result<Option<String>, Failure> {
    let mut profile = serde_json::Map::new();
    let returns = [
        ("next_day", &args.next_day),
        ("later", &args.later),
        ("same_day", &args.same_day),
    ];
    let returns: serde_json::Map<String, Json> = returns
        .into_iter()
        .filter_map(|(name, share)| Some((name.to_owned(), json!(share.as_ref()?))))
        .collect();
    if !returns.is_empty() {
        profile.insert("returns".to_owned(), Json::Object(returns));
    }
    if let Some(share) = &args.share {
        profile.insert("share".to_owned(), json!({ "rate": share }));
    }
    let mut backend = serde_json::Map::new();
    for given in &args.backend {
        let (event, share) = given.split_once('=').ok_or_else(|| {
            Failure::usage(format!(
                "`{given}` is no EVENT=SHARE, such as order-paid=10%"
            ))
        })?;
        backend.insert(event.to_owned(), json!(share));
    }
    if !backend.is_empty() {
        profile.insert("backend".to_owned(), Json::Object(backend));
    }
    Ok((!profile.is_empty()).then(|| Json::Object(profile).to_string()))
}

#[derive(Debug, Deserialize)]
struct Revisions {
    revisions: Vec<Revision>,
}

#[derive(Debug, Deserialize)]
struct Revision {
    revision: u32,
    live: bool,
}

/// What is compared with: the live revision, or another file; with its name.
fn other(
    args: &Simulate,
    what: &str,
    of: &Definition,
    out: Out,
) -> Result<(String, Definition), Failure> {
    if what != "live" {
        let file = Path::new(what);
        let name = file
            .file_name()
            .map_or(what.into(), |name| name.to_string_lossy());
        let same = args.file.file_name() == file.file_name();
        return Ok((
            if same {
                what.to_owned()
            } else {
                name.into_owned()
            },
            checked(file, out)?,
        ));
    }
    let api = args.server.connect(&of.tenant, Role::Viewer)?;
    let path = [&*of.tenant, "campaigns", &*of.campaign, "revisions"];
    let edition = [("edition", Some(of.edition.to_string()))];
    let list = api.get(Ask {
        path: &path,
        query: &edition,
    })?;
    let list: Revisions = list
        .json()
        .map_err(|error| Failure::unreachable("not-gala", error.to_string()))?;
    let live = list
        .revisions
        .iter()
        .find(|revision| revision.live)
        .map(|revision| revision.revision);
    let number = live.ok_or_else(|| {
        Failure::check(
            "not-live",
            format!("{}/{} has no live revision", of.tenant, of.campaign),
        )
    })?;
    let text = number.to_string();
    let path = [
        &*of.tenant,
        "campaigns",
        &*of.campaign,
        "revisions",
        text.as_str(),
    ];
    let body = api.get(Ask {
        path: &path,
        query: &edition,
    })?;
    let body = body
        .bytes()
        .map_err(|error| Failure::unreachable("cut-off", error.to_string()))?;
    let definition =
        decode(&body).map_err(|error| Failure::check("unreadable", error.to_string()))?;
    Ok((format!("live revision {number}"), definition))
}
