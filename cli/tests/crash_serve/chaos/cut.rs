//! Connections to the store cut at any byte of a request or a reply, then the clients' retries with the same keys.

use testbed::{Proxy, Server};

use super::field::{Field, Scale, manner};
use super::report::Report;
use super::store::durable;
use crate::luck::Luck;

/// A commit's request and its reply are about so long.
const REQUEST_BYTES: u64 = 4000;
const REPLY_BYTES: u64 = 1000;
/// After so many calls a cut that was not made is taken back.
const SPOKEN: u64 = 200;

fn cuts(proxy: &Proxy) -> u64 {
    let counts = proxy.counts();
    counts.request_cuts + counts.reply_cuts
}

pub fn scene(scale: Scale, luck: &mut Luck) -> Report {
    let store = Server::with(&durable());
    let proxy = Proxy::before(store.port());
    let mut field = Field::open(&proxy.address(), scale, "strict", manner());
    let mut moments = Luck::new(luck.next(), "moments");
    let mut drops = 0;
    field.play(luck, |_, service| {
        while cuts(&proxy) + drops < scale.faults {
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
            // It may be waiting on a connection that nobody uses.
            service.wait_for_or(SPOKEN, || !proxy.cut_is_due())?;
            proxy.call_off();
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
