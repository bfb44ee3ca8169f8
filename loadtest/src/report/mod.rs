//! The report of a load test: what was measured and judged, with the verdict, kept as JSON and shown as one page of HTML and as JUnit's
//! XML. Nothing here measures or judges; the JSON is the report, the two others are made of it.

pub mod compare;
mod html;
mod junit;
pub mod merge;
mod text;
pub mod verdict;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::capacity::Capacity;
use crate::find::Found;
use crate::judge::Played;
use crate::judge::odds::Odds;
use crate::judge::truth::Truth;
use crate::limit::Held;
use crate::run::Run;
use crate::server::Server;
use verdict::Verdict;

/// The form of `report.json`: docs/load-report.schema.json describes it. A field may be added; none may change its meaning without a new
/// number.
pub const FORM: u32 = 1;

/// All that is known of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`FORM`].
    pub form: u32,
    /// Go or no-go, and why.
    pub verdict: Verdict,
    /// The limits with what was measured.
    pub limits: Vec<Held>,
    /// What the judge found.
    pub truth: Option<Truth>,
    /// Why it was not judged, if it was not.
    pub unjudged: Option<String>,
    /// How draws came up.
    pub odds: Vec<Odds>,
    /// The target's side, if it was seen.
    pub server: Option<Server>,
    /// What the campaigns will need.
    pub capacity: Vec<Capacity>,
    /// The search for the highest rate, if there was one.
    pub found: Option<Found>,
    /// How to do it again.
    pub reproduce: Reproduce,
    /// What was measured.
    pub run: Run,
}

/// How to do it again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reproduce {
    /// The program that made the load, with its version.
    pub program: String,
    /// The commit that was checked out when it was built, if that is known; changes on top of it are not seen.
    pub commit: Option<String>,
    /// The command line, without secrets.
    pub command: String,
    /// SHA-256 of the scenario's text.
    pub scenario_sha256: String,
    /// The campaigns that were played, with revision and digest.
    pub campaigns: Vec<Played>,
}

/// What a report is made of.
#[derive(Debug, Clone)]
pub struct Parts {
    /// What was measured.
    pub run: Run,
    /// The limits with what was measured.
    pub limits: Vec<Held>,
    /// What the judge found, or why it could not judge.
    pub truth: Result<Truth, String>,
    /// How draws came up.
    pub odds: Vec<Odds>,
    /// The target's side, if it was seen.
    pub server: Option<Server>,
    /// What the campaigns will need.
    pub capacity: Vec<Capacity>,
    /// The search for the highest rate, if there was one.
    pub found: Option<Found>,
    /// How to do it again.
    pub reproduce: Reproduce,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be written.
    #[error("{} cannot be written: {source}; name another folder with `--report`", path.display())]
    Unwritten {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file could not be read.
    #[error("{} cannot be read: {source}; name a `report.json`, or the folder it lies in", path.display())]
    Unread {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is no report.
    #[error("{} is no report of a load test: {why}; `gala load SCENARIO --report DIR` makes one", path.display())]
    NoReport {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl Report {
    /// Makes a report, with its verdict.
    pub fn of(parts: Parts) -> Self {
        let (truth, unjudged) = match parts.truth {
            Ok(truth) => (Some(truth), None),
            Err(why) => (None, Some(why)),
        };
        let judged = truth
            .as_ref()
            .ok_or_else(|| unjudged.as_deref().unwrap_or_default());
        let verdict = Verdict::of(&parts.run, &parts.limits, judged, &parts.odds);
        Self {
            form: FORM,
            verdict,
            limits: parts.limits,
            truth,
            unjudged,
            odds: parts.odds,
            server: parts.server,
            capacity: parts.capacity,
            found: parts.found,
            reproduce: parts.reproduce,
            run: parts.run,
        }
    }

    /// The page.
    pub fn html(&self) -> String {
        html::page(self)
    }

    /// The cases for CI: one for each limit, each check of the truth, and errors.
    pub fn junit(&self) -> String {
        junit::xml(self)
    }
}

/// Writes `report.html`, `report.json` and `junit.xml` into a folder, which is made if it is not there.
pub fn write(folder: &Path, report: &Report) -> Result<(), Error> {
    let unwritten = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Unwritten { path, source }
    };
    fs::create_dir_all(folder).map_err(unwritten(folder))?;
    let json = folder.join("report.json");
    let text = serde_json::to_vec(report).map_err(io::Error::from);
    let text = text.map_err(unwritten(&json))?;
    for (name, text) in [
        ("report.json", text),
        ("report.html", report.html().into_bytes()),
        ("junit.xml", report.junit().into_bytes()),
    ] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(unwritten(&path))?;
    }
    Ok(())
}

/// Reads a report again: a `report.json`, or the folder in which one lies.
pub fn read(path: &Path) -> Result<Report, Error> {
    #[derive(Deserialize)]
    struct Form {
        form: u32,
    }
    let path = if path.is_dir() {
        path.join("report.json")
    } else {
        path.to_owned()
    };
    let text = fs::read(&path).map_err(|source| Error::Unread {
        path: path.clone(),
        source,
    })?;
    let no_report = |why: String| Error::NoReport {
        path: path.clone(),
        why,
    };
    let form: Form = serde_json::from_slice(&text).map_err(|error| no_report(error.to_string()))?;
    if form.form != FORM {
        let why = format!(
            "it is of form {}, and this program reads form {FORM}",
            form.form
        );
        return Err(no_report(why));
    }
    serde_json::from_slice(&text).map_err(|error| no_report(error.to_string()))
}

#[cfg(test)]
mod tests;
