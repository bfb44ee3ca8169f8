//! The store comes back empty. Those who knew it give nothing more of limited stock; nothing is sold a second time.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use testbed::Server;

use super::field::{Field, Scale, manner};
use super::report::Report;
use super::store::durable;
use crate::luck::Luck;
use crate::player::Manner;
use crate::world::STOCK;

/// How long the players try to get something from an empty store.
const TRIED: Duration = Duration::from_secs(3);
/// No reply of the old server is under way any more.
const CALM: Duration = Duration::from_millis(300);

pub fn scene(scale: Scale, luck: &mut Luck) -> Report {
    let mut report = Report::default();
    for _ in 0..scale.faults {
        report.add(one(scale, luck));
    }
    report.fault("redis emptied", scale.faults);
    report
}

fn one(scale: Scale, luck: &mut Luck) -> Report {
    let mut store = Server::with(&durable());
    let manner = Manner {
        checks: false,
        accepts: &[
            "sold-out",
            "already-signed",
            "already-claimed",
            "no-such-campaign",
            "no-such-tenant",
        ],
        ..manner()
    };
    let mut field = Field::open(&store.address(), scale, "strict", manner);
    let mut moments = Luck::new(luck.next(), "moments");
    let mut emptied = None;
    field.play(luck, |fleet, service| {
        service.wait_for(200 + moments.below(300))?;
        store.kill();
        sleep(CALM);
        emptied = Some(Instant::now());
        store.wipe_and_restart();
        sleep(TRIED);
        // A new process finds a store without anything, and its folder's files: it may not begin anew either.
        let number = moments.below(fleet.len() as u64) as usize;
        fleet.kill(number);
        let said = fleet.is_turned_away(number);
        assert!(said.contains("accept=another-store"), "{said}");
        Ok(())
    });
    let mut report = Report::default();
    let scarce: BTreeSet<&str> = STOCK.iter().map(|(_, reward, _)| *reward).collect();
    let mut after = 0;
    for player in &mut field.players {
        // What is open stays so: the store that knew is gone.
        player.books.open.clear();
        for ack in &player.books.acks {
            if emptied.is_none_or(|emptied| ack.at < emptied) {
                continue;
            }
            after += 1;
            let of: Vec<String> = ack
                .rewards()
                .into_iter()
                .filter(|reward| scarce.contains(reward.as_str()))
                .collect();
            if !of.is_empty() {
                report
                    .violations
                    .push(format!("{:?} gave {of:?} from an empty store", ack.call));
            }
        }
    }
    println!("emptied: {after} answers after it, none of limited stock");
    field.end(report)
}
