//! `gala rehearse`: a whole campaign in minutes, before it opens, beside its forecast.

use std::path::PathBuf;

use campaign::simulate::profile::read;
use campaign::simulate::{Asked, MOST_DAYS, MOST_USERS, Plan, Profile};
use campaign::{Diagnostics, Source, link};
use clap::Args;

use crate::failure::Failure;
use crate::out::Out;
use crate::rehearsal;
use crate::{folder, forecast, sign};

/// How many people take part where neither the command line nor the profile says: each makes real calls.
const USERS: u32 = 2000;

/// Plays a whole campaign with invented people on an empty store in this process, with a clock that runs fast, and puts what comes of it beside
/// the forecast (exit code 1 if the books are not true, 4 if it did not come as forecast)
#[derive(Debug, Args)]
pub struct Rehearse {
    /// Which campaign: its tenant's id and its own
    #[arg(value_name = "TENANT/CAMPAIGN")]
    pub campaign: String,
    /// The folder with the tenants and their campaigns
    #[arg(
        long,
        env = "GALA_CONFIGS",
        default_value = "configs",
        value_name = "DIR"
    )]
    pub configs: PathBuf,
    /// How many people take part; 2,000 unless the profile says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_USERS)))]
    pub users: Option<u32>,
    /// For how many days; 14, or to the end of the window, unless the profile says
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_DAYS)))]
    pub days: Option<u32>,
    /// What decides who comes when and does what. Draws are decided by the rehearsal's own secret seed, another one each time
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// A file with the assumptions, as for `gala simulate` (docs/SIMULATE.md)
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
}

/// Rehearses.
pub fn run(args: &Rehearse, out: Out) -> Result<(), Failure> {
    let (tenant, id) = args.campaign.split_once('/').ok_or_else(|| {
        Failure::usage(format!(
            "`{}` is no TENANT/CAMPAIGN, such as acme/spring-wheel",
            args.campaign
        ))
    })?;
    let tenant = sign::tenant(&args.configs, tenant)?;
    let plan = plan(args, &tenant.id, id, out)?;
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let forecast = forecast::make(&plan, threads)?;
    let rehearsed = rehearsal::rehearse(&args.configs, &tenant, forecast, out)?;
    if out.json {
        out.value(&rehearsed.to_json())?;
    } else {
        out.text(rehearsal::table(&rehearsed))?;
    }
    if !rehearsed.is_true() {
        return Err(Failure::red());
    }
    let surprises: Vec<&str> = rehearsed
        .surprises()
        .map(|figure| figure.name.as_str())
        .collect();
    if surprises.is_empty() {
        Ok(())
    } else {
        Err(Failure::missed(
            "not-as-forecast",
            format!("not as forecast: {}", surprises.join(", ")),
        ))
    }
}

fn plan(args: &Rehearse, tenant: &str, id: &str, out: Out) -> Result<Plan, Failure> {
    let loaded = folder::load(&args.configs.join(tenant))?;
    let found = loaded.campaigns().find(|(_, campaign)| {
        campaign
            .definition
            .as_ref()
            .is_some_and(|known| *known.campaign == *id)
    });
    let definition = found
        .and_then(|(_, campaign)| campaign.definition.clone())
        .ok_or_else(|| {
            Failure::usage(format!(
                "tenant `{tenant}` has no sound campaign `{id}` in {}: gala check says more",
                args.configs.display()
            ))
        })?;
    let mut profile = Profile::default();
    if let Some(file) = &args.profile {
        let text = std::fs::read_to_string(file).map_err(|error| {
            Failure::usage(format!("{} can't be read: {error}", file.display()))
        })?;
        let campaign = link(definition.clone(), 1)
            .map_err(|error| Failure::check("campaign", error.to_string()))?;
        let source = Source::new(file.display().to_string(), text);
        let mut said = Diagnostics::new();
        let read = read(&source, &profile, &campaign, &mut said);
        for found in &said.sorted() {
            out.note(crate::show::plain(found).trim_end());
        }
        profile =
            read.ok_or_else(|| Failure::usage(format!("{} is no sound profile", file.display())))?;
    }
    if !profile.share.brings.is_never() {
        return Err(Failure::usage(
            "a rehearsal does not play shares that bring somebody: take `brings` out of the profile",
        ));
    }
    let asked = Asked {
        users: args.users.or(profile.users).or(Some(USERS)),
        days: args.days,
        first: None,
        seed: args.seed,
        runs: None,
    };
    Plan::new(definition, profile, &asked).map_err(|error| Failure::usage(error.to_string()))
}
