//! Connections to the store cut at any byte of a request or a reply, then the clients' retries with the same keys.

use std::time::Duration;

use testbed::{Proxy, Server, until};

use super::field::{Field, Scale, manner};
use super::report::Report;
use super::store::durable;
use crate::luck::Luck;

/// A commit's request and its reply are about so long.
const REQUEST_BYTES: u64 = 4000;
const REPLY_BYTES: u64 = 1000;
const PATIENCE: Duration = Duration::from_secs(30);

pub fn scene(scale: Scale, luck: &mut Luck) -> Report {
    let store = Server::with(&durable());
    let proxy = Proxy::before(store.port());
    let mut field = Field::open(&proxy.address(), scale, "strict", manner());
    let mut moments = Luck::new(luck.next(), "moments");
    let mut drops = 0;
    field.play(luck, |_, service| {
        for _ in 0..scale.faults {
            service.wait_for(1 + moments.below(30))?;
            match moments.below(10) {
                0..4 => proxy.cut_after_request_bytes(moments.below(REQUEST_BYTES)),
                // The store has done it, and not a byte tells.
                4..6 => proxy.cut_reply_at(0),
                6..9 => proxy.cut_reply_at(moments.below(REPLY_BYTES)),
                _ => {
                    proxy.drop_all();
                    drops += 1;
                }
            }
            until("a cut connection", PATIENCE, || {
                (!proxy.cut_is_due()).then_some(())
            });
        }
        service.wait_for(50)
    });
    let mut report = field.judge(luck);
    let counts = proxy.counts();
    report.fault("request cut", counts.request_cuts);
    report.fault("reply cut", counts.reply_cuts);
    report.fault("all connections dropped", drops);
    report
}
