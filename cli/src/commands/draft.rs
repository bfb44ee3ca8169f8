//! `gala draft`: a campaign's file as the draft that others look at, before anything is published.

use std::path::Path;

use clap::Args;
use function::identity::Role;
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::publish::{Subject, posters_beside, rules_beside, subject, would};
use crate::api::{self, Api, Ask, Server, Write};
use crate::failure::Failure;
use crate::out::Out;

/// Saves a campaign's file as its draft, errors and all; shows the draft; drops it
///
/// A draft changes nothing that is live. `gala approve` and `gala object` say what others think of it, `gala publish --draft`
/// publishes it.
#[derive(Debug, Args)]
pub struct Draft {
    /// A FILE (`.yaml`) of this machine to save, its stories with it; or TENANT/CAMPAIGN, to show or drop
    #[arg(value_name = "FILE | TENANT/CAMPAIGN")]
    pub what: String,
    /// Print the draft's file; who wrote it, and what it waits for, on standard error
    #[arg(long, conflicts_with_all = ["drop", "over", "rebase", "key"])]
    pub show: bool,
    /// Drop the draft
    #[arg(long, conflicts_with = "rebase", requires = "over")]
    pub drop: bool,
    /// The version of the draft that you have seen; without it there must be none yet
    #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(u64).range(1..))]
    pub over: Option<u64>,
    /// You have looked at what it changes against what is live now: it is written over that from now on
    #[arg(long)]
    pub rebase: bool,
    /// The idempotency key
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Saves, shows or drops it.
pub fn run(args: &Draft, out: Out) -> Result<(), Failure> {
    let subject = subject(&args.what)?;
    let name = format!("{}/{}", subject.tenant, subject.campaign);
    if args.show {
        let api = args.server.connect(&subject.tenant, Role::Viewer)?;
        return show(&known(&api, &subject)?, &name, out);
    }
    let api = args.server.connect(&subject.tenant, Role::Editor)?;
    let headers = [match args.over {
        Some(over) => ("if-match", format!("\"{over}\"")),
        None => ("if-none-match", "*".to_owned()),
    }];
    let write = |method, body| Write {
        method,
        key: args.key.as_deref(),
        headers: &headers,
        body,
    };
    if args.drop {
        let done = api.write(ask(&path(&subject)), &write(Method::DELETE, None))?;
        return if out.json {
            out.value(&done)
        } else {
            out.line(format!(
                "{name}: the draft is dropped (audit entry {})",
                done["audit"]
            ))
        };
    }
    let Some(file) = &subject.file else {
        return Err(Failure::usage(format!(
            "{name} is no file: name the one to save, or --show the draft"
        )));
    };
    let document = text(file)?;
    let mut body = json!({
        "yaml": document,
        "rules": rules_beside(file, &document)?,
        "posters": posters_beside(file, &document)?,
    });
    if let Some(stories) = stories(file, &subject.campaign)? {
        body["stories"] = stories;
    }
    if args.rebase {
        let live = &known(&api, &subject)?["live"];
        body["base"] = json!({
            "edition": live["edition"].as_u64().unwrap_or(0),
            "revision": live["revision"].as_u64().unwrap_or(0),
        });
    }
    let found = api.write(ask(&path(&subject)), &write(Method::PUT, Some(&body)))?;
    if out.json {
        return out.value(&found);
    }
    let version = &found["draft"];
    out.line(format!(
        "{name}: draft {version} is saved (audit entry {})",
        found["audit"]
    ))?;
    if found["base_is_newest"] == json!(false) {
        out.note("somebody has published since it was begun: look at what it changes, and save it again with --rebase");
    }
    // It is saved, whatever is wrong with it.
    let _ = would(&found, &name, out);
    out.note(format!("the next edit: --over {version}"));
    Ok(())
}

/// The parts of the path to a campaign.
pub(super) fn path(subject: &Subject) -> [&str; 3] {
    [&subject.tenant, "campaigns", &subject.campaign]
}

fn ask<'a>(path: &'a [&'a str]) -> Ask<'a> {
    Ask { path, query: &[] }
}

/// What the server knows of a campaign: what is live, and its draft.
pub(super) fn known(api: &Api, subject: &Subject) -> Result<Json, Failure> {
    api::json(api.get(ask(&path(subject)))?)
}

/// The draft's version, where the caller names none: the one there is.
pub(super) fn version(found: &Json, name: &str) -> Result<u64, Failure> {
    found["draft"]["version"]
        .as_u64()
        .ok_or_else(|| Failure::check("no-draft", format!("{name} has no draft")))
}

/// A file's text.
pub(super) fn text(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("{} can't be read: {error}", file.display())))
}

/// The stories that lie beside a campaign's file.
pub(super) fn stories(file: &Path, campaign: &str) -> Result<Option<Json>, Failure> {
    let name = format!("{campaign}.yaml");
    let beside = file.with_file_name("stories").join(&name);
    if !beside.is_file() {
        return Ok(None);
    }
    Ok(Some(json!({ name: text(&beside)? })))
}

fn show(found: &Json, name: &str, out: Out) -> Result<(), Failure> {
    if out.json {
        return out.value(found);
    }
    let version = version(found, name)?;
    let draft = &found["draft"];
    let word = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    out.text(word(&draft["yaml"]))?;
    out.note(format!(
        "{name}: draft {version}, by {} at {}, over revision {} of edition {}",
        word(&draft["by"]),
        word(&draft["at"]),
        draft["base"]["revision"],
        draft["base"]["edition"],
    ));
    for (field, what) in [
        ("approvals", "approves"),
        ("objections", "asks for changes"),
    ] {
        for opinion in draft[field].as_array().into_iter().flatten() {
            let comment = opinion["comment"].as_str();
            let comment = comment.map_or(String::new(), |comment| format!(": {comment}"));
            out.note(format!("{} {what}{comment}", word(&opinion["by"])));
        }
    }
    if let Some(waits) = draft["waits_for"].as_str() {
        out.note(waits);
    }
    if let Some(at) = draft["schedule"]["at"].as_str() {
        out.note(format!(
            "it is published at {at}, as {} wants",
            word(&draft["schedule"]["by"])
        ));
    }
    if let Some(why) = draft["missed"]["why"].as_str() {
        out.note(format!(
            "it was to be published at {} and was not: {why}",
            word(&draft["missed"]["scheduled"])
        ));
    }
    if draft["ok"] == json!(false) {
        out.note(format!(
            "it can't be published like this: `gala publish {name} --draft --dry-run` says why"
        ));
    }
    Ok(())
}
