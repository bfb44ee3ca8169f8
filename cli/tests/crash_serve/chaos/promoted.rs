//! The primary dies and a replica takes its place. With `?replicas=1` nothing that was answered is missing there; without, what
//! the replica had not yet is lost, and counted.

use std::thread::sleep;
use std::time::{Duration, Instant};

use testbed::Replicated;

use super::field::{Field, Scale, manner};
use super::report::Report;
use super::store::durable;
use crate::luck::Luck;
use crate::player::Manner;

/// How far a replica may be behind though nothing holds it up.
const BEHIND: Duration = Duration::from_secs(1);

/// The link to the replica is held up before the primary dies: whatever is answered in that time would be lost.
pub fn waited_for(scale: Scale, luck: &mut Luck) -> Report {
    let mut store = Replicated::with(&durable(), 1);
    let address = format!("{}?replicas=1", store.address());
    let mut field = Field::open(&address, scale, "strict", manner());
    let mut moments = Luck::new(luck.next(), "moments");
    field.play(luck, |_, service| {
        for _ in 0..scale.faults {
            service.wait_for(5 + moments.below(150))?;
            fail_over(&mut store, &mut moments);
        }
        service.wait_for(50)
    });
    let mut report = field.judge(luck);
    report.fault("replica promoted (waited for)", scale.faults);
    report
}

pub fn not_waited_for(scale: Scale, luck: &mut Luck) -> Report {
    let mut store = Replicated::with(&durable(), 1);
    let manner = Manner {
        checks: false,
        ..manner()
    };
    // `strict` is not given by a store with a replica that nobody waits for.
    let mut field = Field::open(&store.address(), scale, "standard", manner);
    // What is lost here is what was answered, not the campaigns: those were published a moment ago and waited for nobody either.
    store.wait_until_linked();
    let mut moments = Luck::new(luck.next(), "moments");
    let (mut lost, mut report) = (0, Report::default());
    for _ in 0..scale.faults {
        let mut safe_before = None;
        field.play(luck, |_, service| {
            service.wait_for(5 + moments.below(150))?;
            safe_before = Instant::now().checked_sub(BEHIND);
            fail_over(&mut store, &mut moments);
            service.wait_for(20)
        });
        field.settle(luck);
        for ack in field.strike_lost(luck) {
            lost += 1;
            if safe_before.is_none_or(|safe| ack.at < safe) {
                report
                    .violations
                    .push(format!("promoted: {ack:?} was older than what may be lost"));
            }
        }
    }
    report.fault("replica promoted (not waited for)", scale.faults);
    report.lost.insert("replica not waited for", lost);
    report.add(field.judge(luck));
    report
}

/// Holds the replica up for a moment, kills the primary, promotes the replica; the old primary follows it, emptied.
fn fail_over(store: &mut Replicated, moments: &mut Luck) {
    let old = store.primary();
    let heir = (old + 1) % store.len();
    store.link(heir).pause();
    sleep(Duration::from_micros(moments.below(200_000)));
    store.promote(heir);
    sleep(Duration::from_micros(moments.below(200_000)));
    store.rejoin(old);
}
