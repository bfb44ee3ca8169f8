//! `gala diff`: what one revision changes against another, in words.

use campaign::changes::{Change, Effect, changes};
use clap::Args;
use function::identity::Role;
use machine::Definition;
use serde_json::{Value as Json, json};

use super::publish::subject;
use crate::api::{self, Api, Ask, Server};
use crate::failure::Failure;
use crate::folder;
use crate::out::Out;

/// Says in words what a file changes against the newest revision, or one revision against another
#[derive(Debug, Args)]
pub struct Diff {
    /// TENANT/CAMPAIGN, or a FILE (`.yaml`) of this machine
    #[arg(value_name = "TENANT/CAMPAIGN | FILE")]
    pub what: String,
    /// Against which revision; without it the newest for a file, else the one before `--to`
    #[arg(long, value_name = "REVISION", value_parser = clap::value_parser!(u32).range(1..))]
    pub from: Option<u32>,
    /// Which revision; without it the newest
    #[arg(long, value_name = "REVISION", value_parser = clap::value_parser!(u32).range(1..))]
    pub to: Option<u32>,
    /// The edition; without it the newest, for a file its own
    #[arg(long, value_name = "N")]
    pub edition: Option<u32>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Compares.
pub fn run(args: &Diff, out: Out) -> Result<(), Failure> {
    let subject = subject(&args.what)?;
    let sent = match &subject.file {
        None => None,
        Some(_) if args.to.is_some() => {
            return Err(Failure::usage(
                "a file is compared with a revision (--from); --to is for two revisions",
            ));
        }
        Some(file) => Some(checked(file)?),
    };
    let edition = args
        .edition
        .or_else(|| sent.as_ref().map(|sent| sent.edition));
    let api = args.server.connect(&subject.tenant, Role::Viewer)?;
    let server = Revisions {
        api: &api,
        tenant: &subject.tenant,
        campaign: &subject.campaign,
        edition,
    };
    let (from, to, old, new) = if let Some(sent) = sent {
        let from = args.from.map_or_else(|| server.newest(), Ok)?;
        (from, None, server.definition(from)?, sent)
    } else {
        let to = args.to.map_or_else(|| server.newest(), Ok)?;
        let from = args.from.unwrap_or(to.saturating_sub(1));
        if from == 0 {
            let name = format!("{}/{}", subject.tenant, subject.campaign);
            out.note(format!(
                "{name} has one revision: there is nothing to compare it with"
            ));
            return Ok(());
        }
        (
            from,
            Some(to),
            server.definition(from)?,
            server.definition(to)?,
        )
    };
    let found = changes(&old, &new);
    if out.json {
        return out.value(&json!({ "from": from, "to": to, "changes": found }));
    }
    for change in &found {
        out.line(line(change))?;
    }
    let newer = to.map_or_else(|| args.what.clone(), |to| format!("revision {to}"));
    out.note(match found.len() {
        0 => format!("{newer} says what revision {from} says"),
        1 => format!("1 change against revision {from}"),
        many => format!("{many} changes against revision {from}"),
    });
    Ok(())
}

/// Changes that a server tells.
pub(super) fn tell(told: &[Json], out: Out) -> Result<(), Failure> {
    for change in told {
        let effect = match change["effect"].as_str() {
            Some("better") => Effect::Better,
            Some("worse") => Effect::Worse,
            Some("unclear") => Effect::Unclear,
            _ => Effect::None,
        };
        let words = change["en"].as_str().unwrap_or_default();
        out.line(format!("{}{words}", mark(effect)))?;
    }
    Ok(())
}

fn line(change: &Change) -> String {
    format!("{}{}", mark(change.effect), change.en)
}

/// What it means to users, in front of the words.
fn mark(effect: Effect) -> &'static str {
    match effect {
        Effect::None => "       ",
        Effect::Better => "better ",
        Effect::Worse => "WORSE  ",
        Effect::Unclear => "look   ",
    }
}

/// A campaign's revisions on the server.
struct Revisions<'a> {
    api: &'a Api,
    tenant: &'a str,
    campaign: &'a str,
    edition: Option<u32>,
}

impl Revisions<'_> {
    fn newest(&self) -> Result<u32, Failure> {
        let path = [self.tenant, "campaigns", self.campaign, "revisions"];
        let found = api::json(self.api.get(Ask {
            path: &path,
            query: &self.query(),
        })?)?;
        let newest = found["revisions"][0]["revision"].as_u64();
        newest
            .and_then(|newest| u32::try_from(newest).ok())
            .ok_or_else(|| Failure::check("no-revision", "the campaign has no revision yet"))
    }

    fn definition(&self, revision: u32) -> Result<Definition, Failure> {
        let number = revision.to_string();
        let path = [
            self.tenant,
            "campaigns",
            self.campaign,
            "revisions",
            &number,
        ];
        let response = self.api.get(Ask {
            path: &path,
            query: &self.query(),
        })?;
        let cut = |error: reqwest::Error| {
            Failure::unreachable("cut-off", format!("the answer was cut off: {error}"))
        };
        campaign::decode(&response.bytes().map_err(cut)?).map_err(|error| {
            let why = format!("revision {revision} was made by another version of gala: {error}");
            Failure::check("unreadable", why)
        })
    }

    fn query(&self) -> [(&'static str, Option<String>); 1] {
        [("edition", self.edition.map(|edition| edition.to_string()))]
    }
}

/// The file's definition; one with errors is for `gala check`.
fn checked(file: &std::path::Path) -> Result<Definition, Failure> {
    let folder = folder::load(file)?;
    let mut campaigns = folder.campaigns();
    let definition = campaigns
        .next()
        .and_then(|(_, campaign)| campaign.definition.clone());
    definition.ok_or_else(|| {
        Failure::check(
            "unsound",
            format!(
                "{0} has errors: `gala check {0}` says which",
                file.display()
            ),
        )
    })
}
