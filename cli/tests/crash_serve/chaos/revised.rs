//! Publishes and pauses under load: what is acknowledged to staff holds for every row after it, whichever process wrote it.

use serde_json::{Value, json};
use testbed::Server;

use super::field::{Field, Scale, manner};
use super::fleet::Fleet;
use super::report::Report;
use super::service::Service;
use super::store::durable;
use crate::client::post;
use crate::judge::{ledger, stats};
use crate::luck::Luck;
use crate::player::Manner;
use crate::world::{TENANT, publisher_token, wheel_titled};

/// From this row on, no revision before this one.
#[derive(Debug, Clone, Copy)]
struct Acknowledged {
    rows: u64,
    revision: u64,
}

pub fn scene(scale: Scale, luck: &mut Luck) -> Report {
    let store = Server::with(&durable());
    let manner = Manner {
        accepts: &["sold-out", "already-signed", "already-claimed", "paused"],
        ..manner()
    };
    let mut field = Field::open(&store.address(), scale, "strict", manner);
    let mut moments = Luck::new(luck.next(), "moments");
    let (mut acknowledged, mut pauses) = (Vec::new(), 0);
    field.play(luck, |fleet, service| {
        for number in 0..scale.faults {
            service.wait_for(5 + moments.below(150))?;
            if moments.percent(50) {
                acknowledged.push(publish(fleet, &mut moments, number)?);
            } else {
                pause(fleet, service, &mut moments, number)?;
                pauses += 1;
            }
        }
        service.wait_for(50)
    });
    let rows = ledger(field.fleet.ports(0), "wheel");
    for Acknowledged {
        rows: before,
        revision,
    } in &acknowledged
    {
        let older = rows.iter().skip(*before as usize).filter(|row| {
            row["revision"]
                .as_u64()
                .is_none_or(|decided| decided < *revision)
        });
        field.violations.extend(
            older.map(|row| format!("revision {revision} was acknowledged before this: {row}")),
        );
    }
    let mut report = field.judge(luck);
    report.fault("published", acknowledged.len() as u64);
    report.fault("paused", pauses);
    report
}

fn publish(fleet: &Fleet, luck: &mut Luck, number: u64) -> Result<Acknowledged, String> {
    let document = wheel_titled(&format!("Wheel {number}"));
    let done = staff(fleet, luck, "publish", &json!({ "document": document }))?;
    let revision = done["revision"]
        .as_u64()
        .ok_or_else(|| format!("publish {number} was answered {done}"))?;
    Ok(Acknowledged {
        rows: rows(fleet, luck),
        revision,
    })
}

/// While it is paused, which is acknowledged, not a row is added.
fn pause(fleet: &Fleet, service: &Service, luck: &mut Luck, number: u64) -> Result<(), String> {
    let reason = json!({ "reason": format!("chaos {number}") });
    staff(fleet, luck, "pause", &reason)?;
    let before = rows(fleet, luck);
    service.wait_for(30)?;
    let after = rows(fleet, luck);
    staff(fleet, luck, "resume", &json!({}))?;
    if before == after {
        Ok(())
    } else {
        Err(format!(
            "{} rows were written while the wheel was paused",
            after - before
        ))
    }
}

fn rows(fleet: &Fleet, luck: &mut Luck) -> u64 {
    let ports = fleet.any(luck).expect("a process");
    let rows = &stats(ports, "wheel")["lanes"][0]["rows"];
    rows.as_u64().expect("a number of rows")
}

fn staff(fleet: &Fleet, luck: &mut Luck, deed: &str, body: &Value) -> Result<Value, String> {
    let ports = fleet.any(luck).expect("a process");
    let path = format!("/admin/v1/{TENANT}/campaigns/wheel/{deed}");
    let key = format!("staff-{}", luck.next());
    let answer = post(
        ports.admin,
        &path,
        &publisher_token(),
        &key,
        &body.to_string(),
    )
    .map_err(|error| format!("{deed}: {error}"))?;
    if answer.status != 200 {
        return Err(format!("{deed} was answered {answer:?}"));
    }
    serde_json::from_str(&answer.body).map_err(|error| format!("{deed}: {error}"))
}
