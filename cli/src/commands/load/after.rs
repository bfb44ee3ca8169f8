//! `gala load merge` and `gala load compare`: what is done with reports afterwards.

use std::path::PathBuf;

use clap::Args;
use loadtest::report::{self, Report};
use loadtest::summary;

use crate::failure::Failure;
use crate::out::Out;

/// Merges the reports of processes that shared a scenario (--part) into one
#[derive(Debug, Args)]
pub struct Merge {
    /// The reports: `report.json`, or the folders they lie in
    #[arg(required = true, num_args = 2.., value_name = "REPORT")]
    pub parts: Vec<PathBuf>,
    /// Where the merged report goes
    #[arg(long, value_name = "DIR")]
    pub report: PathBuf,
}

/// Compares two runs of a scenario, or two groups of runs, and says which differences are more than noise
#[derive(Debug, Args)]
pub struct Compare {
    /// The reports of before, with commas between several
    #[arg(value_name = "A", value_delimiter = ',', required = true)]
    pub before: Vec<PathBuf>,
    /// The reports of after
    #[arg(value_name = "B", value_delimiter = ',', required = true, num_args = 1)]
    pub after: Vec<PathBuf>,
}

/// Merges.
pub fn merge(args: &Merge, out: Out) -> Result<(), Failure> {
    let parts = args.parts.iter().map(|path| {
        let name = path.display().to_string();
        read(path).map(|report| (name, report))
    });
    let parts: Vec<(String, Report)> = parts.collect::<Result<_, _>>()?;
    let merged = report::merge::merge(&parts).map_err(|error| Failure::usage(error.to_string()))?;
    told(&merged, Some(&args.report), out)
}

/// Compares.
pub fn compare(args: &Compare, out: Out) -> Result<(), Failure> {
    let side = |paths: &[PathBuf]| -> Result<Vec<Report>, Failure> {
        paths.iter().map(|path| read(path)).collect()
    };
    let (before, after) = (side(&args.before)?, side(&args.after)?);
    let compared = report::compare::compare(&before, &after)
        .map_err(|error| Failure::usage(error.to_string()))?;
    if out.json {
        out.value(&compared)
    } else {
        out.text(compared.text())
    }
}

fn read(path: &std::path::Path) -> Result<Report, Failure> {
    report::read(path).map_err(|error| Failure::usage(error.to_string()))
}

/// Writes and tells a report, and makes its verdict the command's end.
pub fn told(report: &Report, folder: Option<&std::path::Path>, out: Out) -> Result<(), Failure> {
    if let Some(folder) = folder {
        report::write(folder, report)
            .map_err(|error| Failure::unreachable("report", error.to_string()))?;
    }
    if out.json {
        out.value(report)?;
    } else {
        out.text(summary::table(&report.run, &report.limits))?;
        let verdict = &report.verdict;
        let mut lines = format!("\n{}\n", verdict.says.words());
        let reasons = verdict.reasons.iter().map(|reason| reason.says.as_str());
        for says in reasons.chain(verdict.cautions.iter().map(String::as_str)) {
            lines.push_str("  ");
            lines.push_str(says);
            lines.push('\n');
        }
        out.text(lines)?;
        if let Some(folder) = folder {
            out.note(format!(
                "the report: {}",
                folder.join("report.html").display()
            ));
        }
    }
    let reason = report.verdict.reasons.first();
    let why = reason.map_or_else(|| "no-go".to_owned(), |reason| reason.says.clone());
    match report.verdict.exit_code() {
        0 => Ok(()),
        4 => Err(Failure::missed("limits", why)),
        _ => Err(Failure::check("no-go", why)),
    }
}
