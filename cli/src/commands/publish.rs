//! `gala publish`: a campaign's file as the next revision.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use function::identity::Role;
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::{diff, draft};
use crate::api::{Ask, Server, Write, told};
use crate::failure::Failure;
use crate::folder;
use crate::out::Out;

/// Publishes a campaign's file as the next revision (exit code 1 if it has errors or may not follow)
///
/// With the embedded store a changed file of the server's folder publishes itself, and there is nothing left to do; unless it
/// takes from users what they were promised: that needs somebody, and a reason.
#[derive(Debug, Args)]
pub struct Publish {
    /// TENANT/CAMPAIGN for the file as it lies in the server's folder, or a FILE (`.yaml`) of this machine to send
    #[arg(value_name = "TENANT/CAMPAIGN | FILE")]
    pub what: String,
    /// The campaign's draft, of just this version or of the one there is, and not a file (`gala draft`)
    #[arg(long, value_name = "VERSION", num_args = 0..=1, require_equals = true)]
    #[expect(
        clippy::option_option,
        reason = "how clap takes `--draft` and `--draft=3`"
    )]
    pub draft: Option<Option<u64>>,
    /// Not now, but at this time (`2026-12-01T10:00:00+08:00`): judged now, and once more then
    #[arg(long, value_name = "TIME", requires = "draft", conflicts_with_all = ["dry_run", "cancel"])]
    pub at: Option<String>,
    /// Not any more at the time that was set with --at
    #[arg(long, requires = "draft", conflicts_with_all = ["dry_run", "reason", "over"])]
    pub cancel: bool,
    /// Only say what it would change, and what stands against it
    #[arg(long, conflicts_with_all = ["reason", "over", "key"])]
    pub dry_run: bool,
    /// Why, where users get less than they were promised
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Only for this share of the users, in percent (`5%`); the others keep the revision that is live. `gala release` goes on from there
    #[arg(long, value_name = "PERCENT", conflicts_with_all = ["dry_run", "draft"])]
    pub share: Option<String>,
    /// With a share: also if it could not be taken back, since the revision that is live has no place for its states or rules
    #[arg(long, requires = "share")]
    pub one_way: bool,
    /// Only if this is still the newest revision
    #[arg(long, value_name = "REVISION")]
    pub over: Option<u32>,
    /// The idempotency key
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// What is to be published.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub tenant: String,
    pub campaign: String,
    pub file: Option<PathBuf>,
}

/// Publishes it.
pub fn run(args: &Publish, out: Out) -> Result<(), Failure> {
    let subject = subject(&args.what)?;
    if let Some(version) = args.draft {
        return of_draft(args, &subject, version, out);
    }
    let mut body = json!({});
    if let Some(file) = &subject.file {
        let document = draft::text(file)?;
        let rules = rules_beside(file, &document)?;
        if !rules.is_empty() {
            body["rules"] = json!(rules);
        }
        let posters = posters_beside(file, &document)?;
        if !posters.is_empty() {
            body["posters"] = json!(posters);
        }
        body["document"] = json!(document);
        if let Some(stories) = draft::stories(file, &subject.campaign)? {
            body["stories"] = stories;
        }
    }
    let (tenant, campaign) = (&subject.tenant, &subject.campaign);
    let api = args.server.connect(tenant, Role::Publisher)?;
    let path = |what| [tenant.as_str(), "campaigns", campaign, what];
    if args.dry_run {
        let path = path("check");
        let (path, query) = (&path[..], &[][..]);
        let found = api.post(Ask { path, query }, None, &body)?;
        return would(&found, &format!("{tenant}/{campaign}"), out);
    }
    if let Some(reason) = &args.reason {
        body["reason"] = json!(reason);
    }
    if let Some(share) = &args.share {
        body["share"] = json!(share);
        if args.one_way {
            body["one_way"] = json!(true);
        }
    }
    let path = path("publish");
    let (path, query) = (&path[..], &[][..]);
    let done = api.post_over(Ask { path, query }, args.key.as_deref(), args.over, &body)?;
    published(&done, tenant, campaign, args.share.as_deref(), out)
}

/// Publishes a draft, now or at a time, or takes that back.
fn of_draft(
    args: &Publish,
    subject: &Subject,
    version: Option<u64>,
    out: Out,
) -> Result<(), Failure> {
    let (tenant, campaign) = (&subject.tenant, &subject.campaign);
    let name = format!("{tenant}/{campaign}");
    let api = args.server.connect(tenant, Role::Publisher)?;
    let found = draft::known(&api, subject)?;
    let version = version.map_or_else(|| draft::version(&found, &name), Ok)?;
    if args.dry_run {
        draft::version(&found, &name)?;
        return would(&found["draft"], &name, out);
    }
    let query = &[][..];
    let path = |what| [tenant.as_str(), "campaigns", campaign, what];
    if args.cancel {
        let headers = [("if-match", format!("\"{version}\""))];
        let cancel = Write {
            method: Method::DELETE,
            key: args.key.as_deref(),
            headers: &headers,
            body: None,
        };
        let path = &path("schedule");
        let done = api.write(Ask { path, query }, &cancel)?;
        return if out.json {
            out.value(&done)
        } else {
            out.line(format!("{name}: draft {version} is published at no time"))
        };
    }
    let mut body = json!({ "draft": version });
    let fields = [("at", &args.at), ("reason", &args.reason)];
    for (field, text) in fields {
        if let Some(text) = text {
            body[field] = json!(text);
        }
    }
    let path = &path("publish");
    let done = api.post_over(Ask { path, query }, args.key.as_deref(), args.over, &body)?;
    match &args.at {
        Some(at) if !out.json => out.line(format!(
            "{name}: draft {version} is published at {at}, if it holds then (audit entry {})",
            done["audit"]
        )),
        _ => published(&done, tenant, campaign, None, out),
    }
}

fn published(
    done: &Json,
    tenant: &str,
    campaign: &str,
    share: Option<&str>,
    out: Out,
) -> Result<(), Failure> {
    if out.json {
        return out.value(done);
    }
    out.line(if done["revision"].is_null() {
        format!("{tenant}/{campaign}: nothing to do, it is live already")
    } else {
        let whose = share.map_or_else(String::new, |share| format!(" for {share} of the users"));
        format!(
            "{tenant}/{campaign}: revision {} is live{whose} (audit entry {})",
            done["revision"], done["audit"]
        )
    })
}

/// What a publish would do.
pub(super) fn would(found: &Json, name: &str, out: Out) -> Result<(), Failure> {
    let is_ok = found["ok"] == json!(true);
    if out.json {
        out.value(found)?;
    } else {
        let list = |field: &str| found[field].as_array().cloned().unwrap_or_default();
        for diagnostic in list("diagnostics") {
            out.line(told(&diagnostic).trim_start())?;
        }
        for failure in found["stories"]["diagnostics"]
            .as_array()
            .into_iter()
            .flatten()
        {
            out.line(told(failure).trim_start())?;
        }
        if let Some(waits) = found["waits_for"].as_str() {
            out.line(format!("against it: {waits}"))?;
        }
        for against in list("against") {
            let why = against.as_str().unwrap_or_default();
            out.line(format!("against it: {why}"))?;
        }
        diff::tell(&list("changes"), out)?;
        let revision = found["revision"].as_u64();
        if let Some(law) = found["forbidden_by_law"].as_str() {
            out.line(format!(
                "against it: what users were promised gets less, and the law of {law} forbids that while the campaign is open"
            ))?;
        }
        out.note(match (is_ok, revision) {
            (false, _) => format!("{name} can't be published like this"),
            (true, None) => format!("{name} would be its first revision"),
            (true, Some(_)) if list("changes").is_empty() => {
                format!("{name}: nothing would change")
            }
            (true, Some(revision)) if found["reworded"] == json!(true) => format!(
                "{name} would follow revision {revision}; the rules that users rely on read differently: --reason says why they lose nothing by it"
            ),
            (true, Some(revision)) if found["needs_reason"] == json!(true) => format!(
                "{name} would follow revision {revision}; what users were promised gets less: --reason says why"
            ),
            (true, Some(revision)) => format!("{name} would follow revision {revision}"),
        });
    }
    if is_ok { Ok(()) } else { Err(Failure::red()) }
}

/// The rules that a campaign's document names, by language, as they lie in its tenant's folder here. None where they lie elsewhere
/// than in `rules/`.
pub(super) fn rules_beside(
    file: &Path,
    document: &str,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut found = BTreeMap::new();
    let Some(pattern) = campaign::rules::pattern(document) else {
        return Ok(found);
    };
    let folder = folder::tenant_of(file)?.join("rules");
    let Ok(entries) = folder.read_dir() else {
        return Ok(found);
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let path = format!("rules/{}", name.to_string_lossy());
        // One file for all languages goes by no language's name.
        let language = if path == pattern {
            Some("und")
        } else {
            campaign::rules::language(&pattern, &path)
        };
        if let Some(language) = language {
            let text = std::fs::read_to_string(entry.path()).map_err(|error| {
                Failure::usage(format!("{} can't be read: {error}", entry.path().display()))
            })?;
            found.insert(language.to_owned(), text);
        }
    }
    Ok(found)
}

/// The files of the posters that a campaign's document names, by path, as they lie in its tenant's folder here.
pub(super) fn posters_beside(file: &Path, document: &str) -> Result<campaign::Files, Failure> {
    // Most campaigns have none: their folder is not read for that.
    if !document.contains("posters") {
        return Ok(campaign::Files::new());
    }
    let folder = folder::tenant_of(file)?;
    let files = function::registry::read(&folder).map_err(|error| {
        Failure::usage(format!(
            "the folder {} can't be read: {error}",
            folder.display()
        ))
    })?;
    Ok(campaign::posters::named_in(document, &files))
}

pub(super) fn subject(what: &str) -> Result<Subject, Failure> {
    let path = Path::new(what);
    let name =
        |part: Option<&std::ffi::OsStr>| part.and_then(|name| name.to_str()).map(str::to_owned);
    if path.extension().is_some_and(|kind| kind == "yaml") {
        let folder = folder::tenant_of(path)?;
        let folder = folder.canonicalize().map_err(|error| {
            Failure::usage(format!("{} can't be read: {error}", folder.display()))
        })?;
        let named = name(folder.file_name()).zip(name(path.file_stem()));
        let (tenant, campaign) = named
            .ok_or_else(|| Failure::usage(format!("{what} has no name that could be an id")))?;
        return Ok(Subject {
            tenant,
            campaign,
            file: Some(path.to_owned()),
        });
    }
    match what.split('/').collect::<Vec<_>>().as_slice() {
        [tenant, campaign] if !tenant.is_empty() && !campaign.is_empty() => Ok(Subject {
            tenant: (*tenant).to_owned(),
            campaign: (*campaign).to_owned(),
            file: None,
        }),
        _ => Err(Failure::usage(format!(
            "`{what}` is neither TENANT/CAMPAIGN nor a campaign's `.yaml` file"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_or_a_name() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("acme");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("tenant.yaml"), "").unwrap();
        let file = folder.join("wheel.yaml");
        let of = |what: &str| {
            subject(what).map(|found| (found.tenant, found.campaign, found.file.is_some()))
        };
        let names = |sent| Ok(("acme".to_owned(), "wheel".to_owned(), sent));
        assert_eq!(of("acme/wheel"), names(false));
        assert_eq!(of(file.to_str().unwrap()), names(true));
        let stray = home.path().join("stray.yaml");
        for bad in ["acme", "acme/", "/wheel", "a/b/c", stray.to_str().unwrap()] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
