//! The store's memory is used up, with `noeviction`: it refuses before it writes, and takes up again with more memory.

use std::thread::sleep;
use std::time::Duration;

use testbed::{Server, until};

use super::field::{Field, Scale, manner};
use super::report::Report;
use super::store::durable;
use crate::luck::Luck;

const PATIENCE: Duration = Duration::from_mins(1);

pub fn scene(scale: Scale, luck: &mut Luck) -> Report {
    let store = Server::with(&durable());
    store.command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    let mut field = Field::open(&store.address(), scale, "strict", manner());
    let mut moments = Luck::new(luck.next(), "moments");
    field.play(luck, |_, service| {
        for _ in 0..scale.faults {
            service.wait_for(5 + moments.below(100))?;
            let (used, refused) = (figure(&store, "used_memory"), refusals(&store));
            let just_above = used + moments.below(50_000);
            store.command(&["CONFIG", "SET", "maxmemory", &just_above.to_string()]);
            until("a refusal for want of memory", PATIENCE, || {
                (refusals(&store) > refused).then_some(())
            });
            sleep(Duration::from_micros(moments.below(300_000)));
            store.command(&["CONFIG", "SET", "maxmemory", "0"]);
        }
        service.wait_for(50)
    });
    let mut report = field.judge(luck);
    report.fault("memory used up", scale.faults);
    report
}

fn figure(store: &Server, name: &str) -> u64 {
    let figure = store.info(name).and_then(|figure| figure.parse().ok());
    figure.expect("a figure of INFO")
}

/// How often the server said `OOM`.
fn refusals(store: &Server) -> u64 {
    let line = store.info("errorstat_OOM").unwrap_or_default();
    line.strip_prefix("count=")
        .and_then(|count| count.parse().ok())
        .unwrap_or(0)
}
