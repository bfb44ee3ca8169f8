//! SIGSTOP of redis-server: connections stay, nothing answers, and it goes on where it stood.

use std::thread::sleep;
use std::time::Duration;

use testbed::Server;

use super::field::{Field, Scale, manner};
use super::report::Report;
use super::store::durable;
use crate::luck::Luck;

/// Longer than anyone waits for a reply.
const STOPPED: Duration = Duration::from_secs(5);

pub fn scene(scale: Scale, luck: &mut Luck) -> Report {
    let store = Server::with(&durable());
    let mut field = Field::open(&store.address(), scale, "strict", manner());
    let mut moments = Luck::new(luck.next(), "moments");
    field.play(luck, |_, service| {
        for _ in 0..scale.faults {
            service.wait_for(5 + moments.below(200))?;
            store.stop_signal();
            let stopped = std::time::Instant::now();
            // The fault itself.
            sleep(STOPPED);
            println!("CONT {:?}", stopped.elapsed());
            store.continue_signal();
        }
        service.wait_for(50)
    });
    let mut report = field.judge(luck);
    report.fault("redis stopped for 5 s", scale.faults);
    report
}
