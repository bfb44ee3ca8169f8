//! `kill -9` of serve processes at moments of chance, while the others go on.

use std::thread::sleep;
use std::time::Duration;

use testbed::Server;

use super::field::{Field, Scale, manner};
use super::report::Report;
use super::store::durable;
use crate::luck::Luck;

pub fn scene(scale: Scale, luck: &mut Luck) -> Report {
    let store = Server::with(&durable());
    let mut field = Field::open(&store.address(), scale, "strict", manner());
    let mut moments = Luck::new(luck.next(), "moments");
    field.play(luck, |fleet, service| {
        for _ in 0..scale.faults {
            service.wait_for(5 + moments.below(100))?;
            let number = moments.below(fleet.len() as u64) as usize;
            fleet.kill(number);
            sleep(Duration::from_micros(moments.below(100_000)));
            fleet.start_again(number);
        }
        service.wait_for(20)
    });
    let mut report = field.judge(luck);
    report.fault("serve killed", scale.faults);
    report
}
