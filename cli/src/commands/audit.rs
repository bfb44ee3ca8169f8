//! `gala audit`: what staff did, and whether anybody has tampered with the record of it.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use function::identity::Role;
use serde_json::Value as Json;

use crate::api::{self, Ask, Server};
use crate::chain::{self, Verdict};
use crate::columns::{columns, cut};
use crate::failure::Failure;
use crate::out::Out;

/// How wide the particulars are in the table.
const DETAILS: usize = 60;

/// Shows what staff did to a tenant's campaigns, or verifies that nobody has tampered with the record
#[derive(Debug, Args)]
pub struct Audit {
    /// The tenant's id
    pub tenant: String,
    /// Holds every entry against the hash chain: the server's, or an export's (exit code 1 if one does not fit)
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    #[expect(
        clippy::option_option,
        reason = "how clap says: not asked for, without a file, with one"
    )]
    pub verify: Option<Option<PathBuf>>,
    /// The hash of an entry that was there before: only it can tell that the end is missing
    #[arg(long, value_name = "HASH", value_parser = hash, requires = "verify")]
    pub head: Option<String>,
    /// A table for people, NDJSON to keep and to verify
    #[arg(long, value_enum, default_value_t = Format::Table, conflicts_with = "verify")]
    pub format: Format,
    /// Only what was done to this campaign
    #[arg(long, value_name = "CAMPAIGN", conflicts_with = "verify")]
    pub campaign: Option<String>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// The forms of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One line each, for people.
    Table,
    /// One JSON object a line.
    Ndjson,
}

fn hash(text: &str) -> Result<String, String> {
    let sound = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    sound
        .then(|| text.to_ascii_lowercase())
        .ok_or_else(|| "a hash has 64 hexadecimal digits".to_owned())
}

/// Shows, or verifies.
pub fn run(args: &Audit, out: Out) -> Result<(), Failure> {
    match &args.verify {
        Some(file) => verify(args, file.as_deref(), out),
        None => show(args, out),
    }
}

fn show(args: &Audit, out: Out) -> Result<(), Failure> {
    let mut entries = entries(args)?;
    let head = entries.last().map(|last| text(last, "hash").to_owned());
    if let Some(campaign) = &args.campaign {
        entries.retain(|entry| text(entry, "campaign") == campaign);
    }
    if out.json || args.format == Format::Ndjson {
        for entry in &entries {
            out.line(entry.to_string())?;
        }
    } else {
        let rows: Vec<_> = entries.iter().map(row).collect();
        for line in columns(&["", "at", "by", "what", "campaign", "particulars"], &rows) {
            out.line(line)?;
        }
    }
    if let Some(head) = head {
        out.note(format!("head {head}"));
    }
    Ok(())
}

fn row(entry: &Json) -> Vec<String> {
    vec![
        entry["number"].to_string(),
        text(entry, "at").to_owned(),
        text(entry, "by").to_owned(),
        text(entry, "action").to_owned(),
        text(entry, "campaign").to_owned(),
        cut(text(entry, "details"), DETAILS),
    ]
}

fn text<'a>(entry: &'a Json, name: &str) -> &'a str {
    entry[name].as_str().unwrap_or_default()
}

/// All entries of the server's, oldest first.
fn entries(args: &Audit) -> Result<Vec<Json>, Failure> {
    let api = args.server.connect(&args.tenant, Role::Finance)?;
    let mut all = Vec::new();
    let mut after: Option<u64> = None;
    loop {
        let page = api::json(api.get(Ask {
            path: &[&args.tenant, "audit"],
            query: &[("after", after.map(|after| after.to_string()))],
        })?)?;
        all.extend(page["entries"].as_array().cloned().unwrap_or_default());
        match page["next"].as_u64() {
            // A server that sends the same page for ever is none of ours.
            Some(next) if Some(next) > after => after = Some(next),
            _ => return Ok(all),
        }
    }
}

fn verify(args: &Audit, file: Option<&Path>, out: Out) -> Result<(), Failure> {
    let lines = match file {
        Some(file) => std::fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("{} can't be read: {error}", file.display())))?
            .lines()
            .map(str::to_owned)
            .collect(),
        None => entries(args)?
            .iter()
            .map(Json::to_string)
            .collect::<Vec<_>>(),
    };
    let lines = lines
        .iter()
        .map(String::as_str)
        .filter(|line| !line.trim().is_empty());
    let verdict = chain::verify(lines, args.head.as_deref());
    told(&verdict, out)?;
    if verdict.first.is_some() {
        return Err(Failure::red());
    }
    if args.head.is_none() {
        out.note(
            "whether the end is missing, only a head that was kept before can tell: --head HASH",
        );
    }
    Ok(())
}

fn told(verdict: &Verdict, out: Out) -> Result<(), Failure> {
    if out.json {
        return out.value(verdict);
    }
    match &verdict.first {
        Some(broken) => out.line(format!(
            "the audit was tampered with: entry {}: {}",
            broken.place, broken.why
        )),
        None => out.line(format!(
            "{} entries, each fits the one before",
            verdict.entries
        )),
    }?;
    match &verdict.head {
        Some(head) if verdict.first.is_none() => out.line(format!("head {head}")),
        _ => Ok(()),
    }
}
