//! `gala verify`: every draw of a ledger, made again from the revealed seed.
//!
//! From a server, or from a folder with the four things that a server tells (`--save` writes it): `seed.json`,
//! `revisions.json`, `revisions/<n>.json` and `ledger.ndjson`. What the server itself says of its hashes proves only that
//! its books agree with each other; who wrote the hashes down before the window opened names them here.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use campaign::verify::{Promise, Published, Row, Verifier};
use clap::Args;
use function::identity::Role;
use machine::luck::Seed;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::api::{self, Api, Ask, Server};
use crate::failure::Failure;
use crate::lane::Lane;
use crate::out::Out;

/// Makes every draw of a ledger again from the revealed seed (exit code 1 if one differs)
#[derive(Debug, Args)]
pub struct Verify {
    /// The tenant's id
    #[arg(required_unless_present = "from")]
    pub tenant: Option<String>,
    /// The campaign's id
    #[arg(required_unless_present = "from")]
    pub campaign: Option<String>,
    /// Verify what `--save` wrote instead of asking a server
    #[arg(long, value_name = "DIR", conflicts_with_all = ["tenant", "save", "edition"])]
    pub from: Option<PathBuf>,
    /// Keep what the server told in this new folder, for others to verify
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
    /// The seed's SHA-256 as it was published before the window opened (`seed_hash` of the public page)
    #[arg(long, value_name = "HEX", value_parser = hash)]
    pub seed_hash: Option<[u8; 32]>,
    /// A revision's SHA-256 as it was published (`config_hash` of the public page); repeat for more
    #[arg(long, value_name = "N=HEX", value_parser = numbered_hash)]
    pub config_hash: Vec<(u32, [u8; 32])>,
    /// Whose draws
    #[arg(long, value_enum, default_value_t = Lane::Live)]
    pub lane: Lane,
    /// The edition; without it the newest
    #[arg(long, value_name = "N")]
    pub edition: Option<u32>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

fn hash(text: &str) -> Result<[u8; 32], String> {
    unhex(text).ok_or_else(|| "a SHA-256 has 64 hexadecimal digits".to_owned())
}

fn numbered_hash(text: &str) -> Result<(u32, [u8; 32]), String> {
    let (number, hex) = text.split_once('=').ok_or("write it as REVISION=HEX")?;
    let number = number
        .parse()
        .map_err(|_| format!("`{number}` is no revision"))?;
    Ok((number, hash(hex)?))
}

/// As people write it, upper case or lower.
fn unhex(text: &str) -> Option<[u8; 32]> {
    machine::ids::unhex(&text.to_ascii_lowercase())
}

/// What was told: by a server, or by the files that one was saved in.
trait Told {
    fn seed(&self) -> Result<Vec<u8>, Failure>;
    fn revisions(&self) -> Result<Vec<u8>, Failure>;
    fn revision(&self, number: u32) -> Result<Vec<u8>, Failure>;
    fn ledger(&self) -> Result<Box<dyn BufRead>, Failure>;
}

#[derive(Debug, Deserialize)]
struct SeedFile {
    seed: String,
    seed_hash: String,
}

#[derive(Debug, Deserialize)]
struct RevisionsFile {
    revisions: Vec<RevisionLine>,
}

#[derive(Debug, Deserialize)]
struct RevisionLine {
    revision: u32,
    sha256: String,
}

/// Verifies.
pub fn run(args: &Verify, out: Out) -> Result<(), Failure> {
    if args.seed_hash.is_none() {
        out.note("the seed's hash is taken from where the seed is: give the one published before the opening with --seed-hash");
    }
    match (&args.from, &args.tenant, &args.campaign) {
        (Some(folder), _, _) => verify(
            args,
            out,
            &Folder {
                path: folder.clone(),
            },
        ),
        (None, Some(tenant), Some(campaign)) => {
            let api = args.server.connect(tenant, Role::Finance)?;
            let server = Asked {
                args,
                tenant,
                campaign,
                api,
            };
            match &args.save {
                None => verify(args, out, &server),
                Some(folder) => {
                    save(&server, folder)?;
                    verify(
                        args,
                        out,
                        &Folder {
                            path: folder.clone(),
                        },
                    )
                }
            }
        }
        (None, _, _) => Err(Failure::usage(
            "name a tenant and a campaign, or a folder with --from",
        )),
    }
}

fn verify(args: &Verify, out: Out, told: &dyn Told) -> Result<(), Failure> {
    let damaged = |what: &str| {
        Failure::usage(format!(
            "{what} can't be read: it is not what `gala verify --save` writes"
        ))
    };
    let seed: SeedFile = serde_json::from_slice(&told.seed()?).map_err(|_| damaged("the seed"))?;
    let commitment = unhex(&seed.seed_hash).ok_or_else(|| damaged("the seed's hash"))?;
    let seed = Seed(unhex(&seed.seed).ok_or_else(|| damaged("the seed"))?);
    let list: RevisionsFile =
        serde_json::from_slice(&told.revisions()?).map_err(|_| damaged("the list of revisions"))?;
    let mut revisions = BTreeMap::new();
    for line in &list.revisions {
        let given = args
            .config_hash
            .iter()
            .find(|(number, _)| *number == line.revision)
            .map(|(_, hash)| *hash);
        let sha256 = given
            .or_else(|| unhex(&line.sha256))
            .ok_or_else(|| damaged("a revision's hash"))?;
        revisions.insert(
            line.revision,
            Published {
                sha256,
                definition: told.revision(line.revision)?,
            },
        );
    }
    if let Some((number, _)) = args
        .config_hash
        .iter()
        .find(|(number, _)| !revisions.contains_key(number))
    {
        return Err(Failure::usage(format!("there is no revision {number}")));
    }
    let promise = Promise {
        revisions: &revisions,
        seed: &seed,
        commitment: args.seed_hash.unwrap_or(commitment),
        whole: true,
    };
    let mut verifier = Verifier::new(&promise);
    for (number, line) in told.ledger()?.lines().enumerate() {
        let line = line.map_err(|error| {
            Failure::unreachable(
                "cut-off",
                format!("the ledger was cut off after {number} rows: {error}"),
            )
        })?;
        let row: Row = serde_json::from_str(&line).map_err(|error| {
            Failure::check(
                "bad-row",
                format!("line {} of the ledger is no row: {error}", number + 1),
            )
        })?;
        verifier.row(&row);
    }
    let report = verifier.finish();
    if out.json {
        out.value(&report)?;
    } else {
        for finding in &report.findings {
            out.line(finding.to_string())?;
        }
        let verdict = if report.holds() {
            "every draw is as the seed gives it"
        } else {
            "this ledger does not hold"
        };
        out.line(format!(
            "{} rows, {} draws of {} participants, {} wins, {} findings: {verdict}",
            report.rows, report.draws, report.participants, report.wins, report.wrong
        ))?;
    }
    if report.holds() {
        Ok(())
    } else {
        Err(Failure::red())
    }
}

/// A running server.
struct Asked<'a> {
    args: &'a Verify,
    tenant: &'a str,
    campaign: &'a str,
    api: Api,
}

impl Asked<'_> {
    fn bytes(&self, rest: &[&str], lane: bool) -> Result<Vec<u8>, Failure> {
        let path = [&[self.tenant, "campaigns", self.campaign], rest].concat();
        let lane = lane.then(|| self.args.lane.as_str().to_owned());
        let query = [
            (
                "edition",
                self.args.edition.map(|edition| edition.to_string()),
            ),
            ("lane", lane),
        ];
        let body = self
            .api
            .get(Ask {
                path: &path,
                query: &query,
            })?
            .bytes();
        let body = body.map_err(|error| {
            Failure::unreachable(
                "cut-off",
                format!("an answer was cut off: {}", api::cause(&error)),
            )
        })?;
        Ok(body.to_vec())
    }
}

impl Told for Asked<'_> {
    fn seed(&self) -> Result<Vec<u8>, Failure> {
        self.bytes(&["seed"], true)
    }

    fn revisions(&self) -> Result<Vec<u8>, Failure> {
        self.bytes(&["revisions"], false)
    }

    fn revision(&self, number: u32) -> Result<Vec<u8>, Failure> {
        self.bytes(&["revisions", &number.to_string()], false)
    }

    fn ledger(&self) -> Result<Box<dyn BufRead>, Failure> {
        let query = [
            ("campaign", Some(self.campaign.to_owned())),
            ("lane", Some(self.args.lane.as_str().to_owned())),
            (
                "edition",
                self.args.edition.map(|edition| edition.to_string()),
            ),
        ];
        let response = self.api.stream(Ask {
            path: &[self.tenant, "ledger"],
            query: &query,
        })?;
        Ok(Box::new(BufReader::new(response)))
    }
}

/// What was saved.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn bytes(&self, name: &str) -> Result<Vec<u8>, Failure> {
        fs::read(self.path.join(name)).map_err(|error| unreadable(&self.path.join(name), &error))
    }
}

impl Told for Folder {
    fn seed(&self) -> Result<Vec<u8>, Failure> {
        self.bytes("seed.json")
    }

    fn revisions(&self) -> Result<Vec<u8>, Failure> {
        self.bytes("revisions.json")
    }

    fn revision(&self, number: u32) -> Result<Vec<u8>, Failure> {
        self.bytes(&format!("revisions/{number}.json"))
    }

    fn ledger(&self) -> Result<Box<dyn BufRead>, Failure> {
        let path = self.path.join("ledger.ndjson");
        let file = File::open(&path).map_err(|error| unreadable(&path, &error))?;
        Ok(Box::new(BufReader::new(file)))
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("{} can't be read: {error}", path.display()))
}

fn save(server: &Asked<'_>, folder: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        Failure::unreachable(
            "output",
            format!("{} can't be written: {error}", folder.display()),
        )
    };
    // First what may be refused: a seed before its time must leave nothing behind.
    let seed = server.seed()?;
    let list = server.revisions()?;
    fs::create_dir_all(folder.join("revisions")).map_err(failed)?;
    fs::write(folder.join("seed.json"), seed).map_err(failed)?;
    fs::write(folder.join("revisions.json"), &list).map_err(failed)?;
    let list: Json = serde_json::from_slice(&list).unwrap_or_default();
    let numbers = list["revisions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|line| line["revision"].as_u64());
    for number in numbers.filter_map(|number| u32::try_from(number).ok()) {
        fs::write(
            folder.join(format!("revisions/{number}.json")),
            server.revision(number)?,
        )
        .map_err(failed)?;
    }
    let mut file = File::create(folder.join("ledger.ndjson")).map_err(failed)?;
    io::copy(&mut server.ledger()?, &mut file).map_err(failed)?;
    file.flush().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_64_digits() {
        let zeros = "0".repeat(64);
        assert_eq!(hash(&zeros), Ok([0; 32]));
        assert_eq!(numbered_hash(&format!("3={zeros}")), Ok((3, [0; 32])));
        for bad in [
            "",
            "00",
            &"g".repeat(64),
            &"é".repeat(32),
            &format!("+{}", "0".repeat(63)),
        ] {
            assert!(hash(bad).is_err(), "{bad}");
        }
        for bad in ["", "3", "x=00", &format!("-1={zeros}")] {
            assert!(numbered_hash(bad).is_err(), "{bad}");
        }
    }
}
