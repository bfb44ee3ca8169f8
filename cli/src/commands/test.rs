//! `gala test`: plays the stories of campaigns.

use std::path::PathBuf;

use campaign::Diagnostics;
use clap::Args;
use serde::Serialize;
use serde_json::Value as Json;

use crate::failure::Failure;
use crate::folder;
use crate::out::Out;
use crate::show;
use crate::speak::Speak;

/// Plays the stories of campaigns (exit code 1 if one comes out differently)
#[derive(Debug, Args)]
pub struct Test {
    /// A configs folder, a tenant's folder, a campaign's file, or its stories
    #[arg(value_name = "PATH", default_value = "configs")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub speak: Speak,
}

/// How one campaign's stories came out.
#[derive(Debug, Serialize)]
struct Played<'a> {
    tenant: &'a str,
    campaign: &'a str,
    stories: usize,
    failed: Vec<String>,
}

/// How all came out.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    campaigns: Vec<Played<'a>>,
    played: usize,
    failed: usize,
    diagnostics: Json,
}

/// Plays.
pub fn run(args: &Test, out: Out) -> Result<(), Failure> {
    let mut folders = Vec::new();
    for path in &args.paths {
        folders.push((path, folder::load(path)?));
    }
    let mut campaigns = Vec::new();
    let mut wrong = Diagnostics::new();
    for (path, folder) in &folders {
        // A campaign that is not sound tells no stories: what is wrong with it comes first.
        let errors = folder
            .diagnostics()
            .into_iter()
            .filter(|found| found.severity == campaign::Severity::Error);
        errors.for_each(|found| wrong.push(found));
        let mut any = false;
        for (tenant, campaign) in folder.campaigns() {
            any = true;
            let Some(report) = campaign.play() else {
                continue;
            };
            campaigns.push(Played {
                tenant,
                campaign: &campaign.id,
                stories: report.played,
                failed: report.failed,
            });
            wrong.extend(report.failures);
        }
        if !any && wrong.is_empty() {
            return Err(Failure::usage(format!(
                "there is no campaign in {}",
                path.display()
            )));
        }
    }
    wrong.sort();
    let language = args.speak.language(out);
    let said = wrong.in_language(language);
    let played = campaigns.iter().map(|one| one.stories).sum();
    let failed = campaigns.iter().map(|one| one.failed.len()).sum();
    if out.json {
        out.value(&Answer {
            campaigns,
            played,
            failed,
            diagnostics: said.to_json(),
        })?;
    } else {
        for Played {
            tenant,
            campaign,
            stories,
            failed,
        } in &campaigns
        {
            let word = if failed.is_empty() { "ok  " } else { "FAIL" };
            out.line(format!(
                "{word} {tenant}/{campaign}: {} of {stories} stories",
                stories - failed.len()
            ))?;
        }
        show::diagnostics(out, &said, language)?;
    }
    out.note(format!(
        "{played} stories played, {failed} came out differently"
    ));
    if failed > 0 || wrong.has_errors() {
        Err(Failure::red())
    } else {
        Ok(())
    }
}
