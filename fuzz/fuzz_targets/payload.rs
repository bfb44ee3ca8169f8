//! Any bytes as an event's body: an object or a plain no; its canonical form is read back as the same, and has the same
//! fingerprint.
#![no_main]

use function::fingerprint::{Fingerprint, canonical, parse_payload};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(object) = parse_payload(data) else {
        return;
    };
    let text = canonical(&object);
    let again = parse_payload(text.as_bytes()).expect("the canonical form is a payload");
    assert_eq!(canonical(&again), text);
    assert_eq!(
        Fingerprint::of("event", &again).as_bytes(),
        Fingerprint::of("event", &object).as_bytes()
    );
    for event in fuzz::CAMPAIGNS.iter().flat_map(|campaign| &campaign.events) {
        let _ = machine::Payload::read(event, &object);
    }
});
