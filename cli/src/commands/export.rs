//! `gala export`: a campaign's ledger as NDJSON or CSV.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use function::identity::Role;
use serde_json::Value as Json;

use crate::api::{Ask, Server};
use crate::csv;
use crate::failure::Failure;
use crate::lane::Lane;
use crate::out::{self, Out};

/// Exports a campaign's ledger: every grant, every draw, every message
#[derive(Debug, Args)]
pub struct Export {
    /// The tenant's id
    pub tenant: String,
    /// The campaign's id
    pub campaign: String,
    /// CSV for spreadsheets, NDJSON for programs
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    pub format: Format,
    /// Only rows after this number
    #[arg(long, value_name = "N")]
    pub after: Option<u64>,
    /// At most so many rows
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Whose books
    #[arg(long, value_enum, default_value_t = Lane::Live)]
    pub lane: Lane,
    /// The edition; without it the newest
    #[arg(long, value_name = "N")]
    pub edition: Option<u32>,
    /// The language of titles in CSV; without it the first there is
    #[arg(long, value_name = "TAG")]
    pub lang: Option<String>,
    /// Begin the CSV with a byte-order mark: some spreadsheets need it to read Chinese
    #[arg(long)]
    pub bom: bool,
    /// Write to this file, which appears only when it is whole
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// The forms of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One row a line, for spreadsheets.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

/// Exports. With `--json` NDJSON whatever the format: both are data, and one of them is JSON.
pub fn run(args: &Export, out: Out) -> Result<(), Failure> {
    let api = args.server.connect(&args.tenant, Role::Finance)?;
    let path = [args.tenant.as_str(), "ledger"];
    let query = [
        ("campaign", Some(args.campaign.clone())),
        ("lane", Some(args.lane.as_str().to_owned())),
        ("edition", args.edition.map(|edition| edition.to_string())),
        ("after", args.after.map(|after| after.to_string())),
        ("limit", args.limit.map(|limit| limit.to_string())),
    ];
    let rows = BufReader::new(api.stream(Ask {
        path: &path,
        query: &query,
    })?);
    let format = if out.json {
        Format::Ndjson
    } else {
        args.format
    };
    let Some(file) = &args.out else {
        let written = write(rows, BufWriter::new(io::stdout().lock()), format, args)?;
        out.note(format!("{written} rows"));
        return Ok(());
    };
    // Under another name until it is whole: a part must not pass for the books.
    let part = file.with_extension("part");
    let failed = |error: io::Error| {
        Failure::unreachable(
            "output",
            format!("{} can't be written: {error}", file.display()),
        )
    };
    let draft = File::create(&part).map_err(failed)?;
    let written = write(rows, BufWriter::new(draft), format, args);
    match written {
        Ok(written) => {
            std::fs::rename(&part, file).map_err(failed)?;
            out.note(format!("{written} rows in {}", file.display()));
            Ok(())
        }
        Err(failure) => {
            let _ = std::fs::remove_file(&part);
            Err(failure)
        }
    }
}

fn write(
    rows: impl BufRead,
    mut to: impl Write,
    format: Format,
    args: &Export,
) -> Result<u64, Failure> {
    let full = |error: io::Error| out::failed(&error);
    if format == Format::Csv {
        to.write_all(csv::head(args.bom).as_bytes()).map_err(full)?;
    }
    let mut written = 0;
    for line in rows.lines() {
        let line = line.map_err(|error| {
            Failure::unreachable(
                "cut-off",
                format!("the ledger was cut off after {written} rows: {error}"),
            )
        })?;
        match format {
            Format::Ndjson => writeln!(to, "{line}").map_err(full)?,
            Format::Csv => {
                let row: Json = serde_json::from_str(&line).map_err(|error| {
                    Failure::unreachable("not-gala", format!("row {written} is no JSON: {error}"))
                })?;
                to.write_all(csv::line(&row, args.lang.as_deref()).as_bytes())
                    .map_err(full)?;
            }
        }
        written += 1;
    }
    to.flush().map_err(full)?;
    Ok(written)
}
