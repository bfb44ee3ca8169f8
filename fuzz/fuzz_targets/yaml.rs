//! Any bytes as a campaign's file: a definition or diagnostics, never a panic; each diagnostic has its place; and what
//! passed the check links and survives its way through the canonical bytes.
#![no_main]

use fuzz::checked;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let found = checked(&text);
    assert!(
        found.definition.is_some() || found.diagnostics.has_errors(),
        "nothing came out, and nothing was said"
    );
    if let Some(definition) = found.definition {
        let bytes = campaign::encode(&definition);
        assert_eq!(
            campaign::decode(&bytes).expect("what was encoded decodes"),
            definition
        );
        campaign::link(definition, 1).expect("what passed the check links");
    }
});
