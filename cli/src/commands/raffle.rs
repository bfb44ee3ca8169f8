//! `gala raffle`: a draw from entries, and how far those are who were drawn.

use clap::Args;
use function::identity::Role;

use crate::api::{self, Ask, Server};
use crate::failure::Failure;
use crate::lane::Lane;
use crate::out::Out;

/// Shows a campaign's draw from entries: how many entered, the list's hash, who was drawn, who has claimed
#[derive(Debug, Args)]
pub struct Raffle {
    /// The tenant's id
    pub tenant: String,
    /// The campaign's id
    pub campaign: String,
    /// Which draw
    #[arg(long, value_enum, default_value_t = Lane::Live)]
    pub lane: Lane,
    /// The edition; without it the newest
    #[arg(long, value_name = "N")]
    pub edition: Option<u32>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Shows it: one who was drawn a line, the rest beside.
pub fn run(args: &Raffle, out: Out) -> Result<(), Failure> {
    let api = args.server.connect(&args.tenant, Role::Support)?;
    let path = [args.tenant.as_str(), "campaigns", &args.campaign, "raffle"];
    let query = [
        ("lane", Some(args.lane.as_str().to_owned())),
        ("edition", args.edition.map(|edition| edition.to_string())),
    ];
    let found = api::json(api.stream(Ask {
        path: &path,
        query: &query,
    })?)?;
    if out.json {
        return out.value(&found);
    }
    let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    let places = found["places"].as_array().map_or(&[][..], Vec::as_slice);
    for place in places {
        let words = |name: &str| place[name].as_str().unwrap_or("-");
        out.line(format!(
            "{:>5}  {}  {:9}  {}  {}",
            place["place"],
            words("user"),
            words("state"),
            words("prize"),
            words("claim_before"),
        ))?;
    }
    let drawn = &found["drawn"];
    if let Some(sha256) = drawn["sha256"].as_str() {
        let at = drawn["at"].as_str().unwrap_or_default();
        out.note(format!(
            "drawn at {at} from {} entries (SHA-256 of the list {sha256}), row {} of the ledger",
            drawn["entries"], drawn["row"],
        ));
    } else {
        out.note(format!(
            "{} entries; they close at {}, it is drawn at {}",
            found["entries"],
            text("entries_close"),
            text("draw_at"),
        ));
    }
    Ok(())
}
