//! `gala doctor`: what a person looks at first when it does not work.

mod redis;

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use campaign::Language;
use chrono::{DateTime, Datelike, Utc};
use clap::Args;
use function::serve::chain;
use serde::Serialize;
use store::embedded::OpenError;
use store::redis::server::Severity;

use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::out::Out;
use crate::show;

/// Looks at this machine: versions, clock, folders, ports, store, configs (exit code 1 if something is wrong)
#[derive(Debug, Args)]
pub struct Doctor {
    /// The folder with the tenants
    #[arg(
        long,
        env = "GALA_CONFIGS",
        default_value = "configs",
        value_name = "DIR"
    )]
    pub configs: PathBuf,
    /// The folder of the store
    #[arg(long, env = "GALA_DATA", default_value = "data", value_name = "DIR")]
    pub data: PathBuf,
    /// The Redis that is the store, as redis://host:6379?replicas=1; without it the store is the folder
    // The value may hold a password: it is not shown in the help.
    #[arg(long, env = "GALA_STORE", hide_env_values = true, value_name = "URL")]
    pub store: Option<String>,
    /// Where users will call
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR")]
    pub listen: SocketAddr,
    /// Where staff will call
    #[arg(long, default_value = "127.0.0.1:8081", value_name = "ADDR")]
    pub admin_listen: SocketAddr,
}

/// What one look found.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    ok: bool,
    message: String,
    /// What the store's server is told of is graded, and says what can be lost and the way out.
    #[serde(flatten)]
    more: Option<More>,
}

/// What more there is to say of a server's settings.
#[derive(Debug, Serialize)]
struct More {
    severity: Severity,
    #[serde(skip_serializing_if = "String::is_empty")]
    loses: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    way_out: String,
}

/// How long a server on this machine may take to say that it is there.
const HELLO: Duration = Duration::from_secs(1);

/// How far this machine's clock may be from the running server's: they are one and the same.
const SKEW_SECS: i64 = 5;

/// How far this machine's clock may be from the store's: beyond, `gala serve` is not ready.
const STORE_SKEW_MS: i64 = 2000;

/// Looks.
pub fn run(args: &Doctor, out: Out) -> Result<(), Failure> {
    let campaigns = folder::load(&args.configs);
    let looked = match &args.store {
        None => None,
        Some(url) => Some(redis::look(url, campaigns.as_ref().ok())?),
    };
    let server = hello(args.admin_listen);
    let ahead = looked.as_ref().and_then(|looked| looked.clock_ahead_ms);
    let mut findings = vec![
        found("version", Ok(version())),
        found("clock", clock(Utc::now(), server, ahead)),
    ];
    if looked.is_none() {
        findings.push(found("data-folder", writable(&args.data)));
    }
    findings.push(found("users-port", port(args.listen)));
    findings.push(found("staff-port", port(args.admin_listen)));
    match looked {
        None => findings.push(found("store", store(&args.data))),
        Some(looked) => findings.extend(looked.findings),
    }
    findings.push(found("configs", configs(&args.configs, campaigns)));
    if out.json {
        out.value(&findings)?;
    } else {
        for finding in &findings {
            out.text(shown(finding))?;
        }
    }
    if findings.iter().all(|finding| finding.ok) {
        Ok(())
    } else {
        Err(Failure::red())
    }
}

fn found(check: &'static str, found: Result<String, String>) -> Finding {
    let (ok, message) = match found {
        Ok(message) => (true, message),
        Err(message) => (false, message),
    };
    Finding {
        check,
        ok,
        message,
        more: None,
    }
}

/// For people: a line, and below it what can be lost and the way out.
fn shown(finding: &Finding) -> String {
    let more = finding.more.as_ref();
    let word = match (finding.ok, more.map(|more| more.severity)) {
        (false, _) => "WRONG",
        (true, Some(Severity::Note)) => "note ",
        (true, Some(_)) => "warn ",
        (true, None) => "ok   ",
    };
    let mut text = format!("{word} {}: {}\n", finding.check, finding.message);
    for (title, said) in more
        .iter()
        .flat_map(|more| [("can be lost", &more.loses), ("way out", &more.way_out)])
    {
        if !said.is_empty() {
            text.extend(["      ", title, ": ", said, "\n"]);
        }
    }
    text
}

fn version() -> String {
    format!(
        "gala {} on {} {}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

/// The server's clock, if a gala answers on that admin address.
fn hello(address: SocketAddr) -> Option<DateTime<Utc>> {
    let client = reqwest::blocking::Client::builder()
        .timeout(HELLO)
        .no_proxy()
        .build()
        .ok()?;
    let response = client
        .get(format!("http://{address}/healthz"))
        .send()
        .ok()?;
    let date = response
        .headers()
        .get(reqwest::header::DATE)?
        .to_str()
        .ok()?;
    DateTime::parse_from_rfc2822(date)
        .ok()
        .map(|date| date.to_utc())
}

/// A clock that is years off opens and closes campaigns at the wrong time, and lets no token in. One that is apart from
/// the store's (`ahead` of it, in milliseconds) is not served with.
fn clock(
    now: DateTime<Utc>,
    server: Option<DateTime<Utc>>,
    ahead: Option<i64>,
) -> Result<String, String> {
    if !(2026..2100).contains(&now.year()) {
        return Err(format!(
            "it says {}: set it, or every window and every token is judged wrongly",
            now.to_rfc3339()
        ));
    }
    if let Some(ahead) = ahead {
        let apart = format!("{ahead} ms ahead of the store's");
        return if ahead.abs() > STORE_SKEW_MS {
            Err(format!(
                "it is {apart}: more than {STORE_SKEW_MS} ms apart, and a server here is not ready; run NTP on both"
            ))
        } else {
            Ok(format!("{}, {apart}", now.to_rfc3339()))
        };
    }
    match server.map(|server| (now - server).num_seconds()) {
        Some(skew) if skew.abs() > SKEW_SECS => Err(format!(
            "it is {skew} seconds apart from the running server's"
        )),
        Some(_) => Ok(format!("{}, as the running server's", now.to_rfc3339())),
        None => Ok(now.to_rfc3339()),
    }
}

/// Whether a file can be made in the folder, or in the nearest one above that there is.
fn writable(folder: &Path) -> Result<String, String> {
    let full = std::path::absolute(folder).map_err(|error| error.to_string())?;
    let Some(there) = full.ancestors().find(|folder| folder.is_dir()) else {
        return Err(format!("{} has no folder above it", full.display()));
    };
    let probe = there.join(format!(".gala-doctor-{}", std::process::id()));
    let made = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&probe);
    let made = made.and_then(|file| file.sync_all());
    let _ = fs::remove_file(&probe);
    match made {
        Ok(()) if there == full => Ok(format!("{} can be written", full.display())),
        Ok(()) => Ok(format!(
            "{} is not there yet and can be made",
            full.display()
        )),
        Err(error) => Err(format!("{} can't be written: {error}", there.display())),
    }
}

fn port(address: SocketAddr) -> Result<String, String> {
    match TcpListener::bind(address) {
        Ok(_) => Ok(format!("{address} is free")),
        Err(_) if hello(address).is_some() => Ok(format!("{address} is served by a running gala")),
        Err(error) => Err(format!(
            "{address} can't be listened on ({error}): name another with --listen or --admin-listen"
        )),
    }
}

fn store(folder: &Path) -> Result<String, String> {
    let empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    if empty {
        // Opening would make one.
        return Ok(format!(
            "there is none in {} yet; `gala serve` makes it",
            folder.display()
        ));
    }
    match store::embedded::open(folder) {
        Ok(_) => Ok(format!(
            "{} opens, and all of it can be read",
            folder.display()
        )),
        Err(OpenError::Log(store::log::OpenError::Locked { pid, .. })) => {
            let pid = pid.map_or(String::new(), |pid| format!(" (process {pid})"));
            Ok(format!(
                "{} is held by a running server{pid}",
                folder.display()
            ))
        }
        Err(error) => Err(chain(&error)),
    }
}

fn configs(folder: &Path, loaded: Result<Folder, Failure>) -> Result<String, String> {
    let loaded = loaded.map_err(|failure| failure.message)?;
    let said = loaded.diagnostics();
    let (tenants, campaigns) = (loaded.tenants().len(), loaded.campaigns().count());
    let counted = format!(
        "{tenants} tenants, {campaigns} campaigns in {}: {}",
        folder.display(),
        show::counted(&said, Language::English)
    );
    if said.has_errors() {
        return Err(format!(
            "{counted}; `gala check {}` shows them",
            folder.display()
        ));
    }
    if tenants == 0 {
        Err(format!(
            "there is no tenant's folder in {}",
            folder.display()
        ))
    } else {
        Ok(counted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_seen() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let now = at("2026-11-22T10:00:00Z");
        assert!(clock(now, None, None).is_ok());
        assert!(clock(at("1970-01-01T00:00:05Z"), None, None).is_err());
        assert!(clock(now, Some(at("2026-11-22T09:59:58Z")), None).is_ok());
        assert!(clock(now, Some(at("2026-11-22T09:00:00Z")), None).is_err());
        assert!(clock(now, None, Some(-2000)).is_ok());
        assert!(clock(now, None, Some(-2001)).is_err());
        assert!(clock(now, None, Some(120_000)).is_err());
    }
}
