//! SCRIPT FLUSH under load: the scripts are loaded again, and nobody notices.

use testbed::Server;

use super::field::{Field, Scale, manner};
use super::report::Report;
use super::store::durable;
use crate::luck::Luck;

pub fn scene(scale: Scale, luck: &mut Luck) -> Report {
    let store = Server::with(&durable());
    let mut field = Field::open(&store.address(), scale, "strict", manner());
    let mut moments = Luck::new(luck.next(), "moments");
    field.play(luck, |_, service| {
        for _ in 0..scale.faults {
            service.wait_for(1 + moments.below(40))?;
            store.command(&["SCRIPT", "FLUSH", "SYNC"]);
        }
        service.wait_for(50)
    });
    let mut report = field.judge(luck);
    report.fault("scripts flushed", scale.faults);
    report
}
