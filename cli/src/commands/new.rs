//! `gala new`: something to begin with that runs as it is.

use std::path::PathBuf;

use campaign::renew::Shift;
use chrono_tz::Tz;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::failure::Failure;
use crate::out::Out;
use crate::show;
use crate::speak::Speak;
use crate::starting::{self, Made};

/// Makes a tenant, a campaign or an activity that runs as it is; writes over nothing
#[derive(Debug, Args)]
pub struct New {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Tenant(Tenant),
    Campaign(Campaign),
    Activity(Activity),
}

/// Makes a tenant with development keys and a first campaign
#[derive(Debug, Args)]
struct Tenant {
    /// The tenant's id
    name: String,
    /// Its timezone
    #[arg(long, value_name = "ZONE", default_value = "Asia/Shanghai")]
    timezone: Tz,
    /// Its currency
    #[arg(long, value_name = "CODE", default_value = "CNY")]
    currency: String,
    /// Its languages, the default first; again for each
    #[arg(long = "language", value_name = "TAG", default_values = ["zh-CN", "en"])]
    languages: Vec<String>,
    #[command(flatten)]
    folder: Folder,
}

/// Makes a campaign that opens today, or last year's as a new edition with `--from`
#[derive(Debug, Args)]
struct Campaign {
    /// The tenant's id and the campaign's: `acme/spring-wheel`
    #[arg(value_name = "TENANT/NAME", value_parser = pair)]
    name: Pair,
    /// What kind of campaign: sign-in, gift-pack, lottery, custom, or one of your own
    #[arg(long, value_name = "ACTIVITY", default_value = "gift-pack")]
    activity: String,
    /// Copies this campaign instead; the same name makes the next edition in its file
    #[arg(
        long,
        value_name = "TENANT/CAMPAIGN",
        value_parser = pair,
        requires = "shift",
        conflicts_with = "activity"
    )]
    from: Option<Pair>,
    /// How much later every date of the copy is: 1y, 12mo, 52w, 365d
    #[arg(long, value_name = "SHIFT", requires = "from")]
    shift: Option<Shift>,
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    speak: Speak,
}

/// Makes an activity's crate in a checkout of this project
#[derive(Debug, Args)]
struct Activity {
    /// The activity's id
    name: String,
}

/// Where the tenants are.
#[derive(Debug, Args)]
struct Folder {
    /// The folder with the tenants
    #[arg(
        long,
        env = "GALA_CONFIGS",
        default_value = "configs",
        value_name = "DIR"
    )]
    configs: PathBuf,
}

/// A tenant and a campaign of it.
type Pair = (String, String);

fn pair(text: &str) -> Result<Pair, String> {
    let split = text.split_once('/');
    let parts = split
        .filter(|(tenant, name)| !tenant.is_empty() && !name.is_empty() && !name.contains('/'));
    parts
        .map(|(tenant, name)| (tenant.to_owned(), name.to_owned()))
        .ok_or_else(|| "write TENANT/CAMPAIGN, as in acme/spring-wheel".to_owned())
}

/// Makes it.
pub fn run(args: &New, out: Out) -> Result<(), Failure> {
    match &args.what {
        What::Tenant(asked) => {
            let about = starting::About {
                id: &asked.name,
                timezone: asked.timezone,
                currency: &asked.currency,
                languages: &asked.languages,
            };
            let made = starting::tenant(&asked.folder.configs, &about)?;
            finish(&made, None, out)
        }
        What::Campaign(asked) => {
            let (tenant, name) = &asked.name;
            let to = (tenant.as_str(), name.as_str());
            let configs = &asked.folder.configs;
            let made = match (&asked.from, asked.shift) {
                (Some((tenant, name)), Some(shift)) => {
                    starting::copy(configs, to, (tenant, name), shift)?
                }
                _ => starting::campaign(configs, to, &asked.activity)?,
            };
            finish(&made, Some(&asked.speak), out)
        }
        What::Activity(asked) => {
            let here = std::env::current_dir()
                .map_err(|error| Failure::usage(format!("there is no folder here: {error}")))?;
            finish(
                &starting::activity::activity(&here, &asked.name)?,
                None,
                out,
            )
        }
    }
}

/// Writes it, and says what is there and how to go on.
fn finish(made: &Made, speak: Option<&Speak>, out: Out) -> Result<(), Failure> {
    starting::write(&made.drafts)?;
    let language = speak.map(|speak| speak.language(out)).unwrap_or_default();
    let look = made.look.in_language(language);
    if out.json {
        let written: Vec<_> = made
            .drafts
            .iter()
            .map(|draft| draft.path.display().to_string())
            .collect();
        return out.value(&json!({
            "written": written,
            "next": made.next,
            "notes": made.notes,
            "diagnostics": look.to_json(),
        }));
    }
    for draft in &made.drafts {
        out.line(draft.path.display().to_string())?;
    }
    show::diagnostics(out, &look, language)?;
    for note in &made.notes {
        out.note(note);
    }
    out.note("next:");
    for command in &made.next {
        out.note(format!("  {command}"));
    }
    Ok(())
}
