//! A process whose clock is minutes ahead: it is not ready, and decides nothing.

use testbed::Server;

use super::field::{Field, Scale, manner};
use super::report::Report;
use super::store::durable;
use crate::client::get;
use crate::judge::ledger;
use crate::luck::Luck;
use crate::world::CAMPAIGNS;

/// How far it is ahead.
const AHEAD_SECS: i64 = 300;
/// How far a row may be from the time of this program, which shares its clock with the other processes.
const TOLERATED_SECS: i64 = 30;

pub fn scene(scale: Scale, luck: &mut Luck) -> Report {
    let store = Server::with(&durable());
    let mut field = Field::open(&store.address(), scale, "strict", manner());
    field.fleet.join(AHEAD_SECS);
    let calls = 20 * scale.players as u64;
    let mut ready = 0;
    field.play(luck, |fleet, service| {
        service.wait_for(calls)?;
        let port = fleet.ports(fleet.len() - 1).public;
        ready = get(port, "/readyz", "").map_or(0, |answer| answer.status);
        Ok(())
    });
    if ready != 503 {
        field
            .violations
            .push(format!("skewed: it says {ready} to `/readyz`"));
    }
    let now = chrono::Utc::now();
    for row in CAMPAIGNS
        .iter()
        .flat_map(|campaign| ledger(field.fleet.ports(0), campaign))
    {
        let at = row["at"].as_str().unwrap_or_default();
        let off = chrono::DateTime::parse_from_rfc3339(at)
            .map_or(i64::MAX, |at| (at.to_utc() - now).num_seconds());
        if off > TOLERATED_SECS {
            field
                .violations
                .push(format!("skewed: a row from the future: {row}"));
        }
    }
    // It can't be asked at the end either.
    field.fleet.kill(field.fleet.len() - 1);
    let mut report = field.judge(luck);
    report.fault("clock skewed", 1);
    report
}
