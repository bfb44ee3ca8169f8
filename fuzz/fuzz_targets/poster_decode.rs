//! Any bytes as a picture that somebody sends: pixels within the limits, or a word for why not; never a panic, never more memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use poster::decode::{Fit, Limits, decode, fitted};

/// As for avatars, and smaller, so that a run sees many pictures.
const LIMITS: Limits = Limits {
    pixels: 1 << 18,
    side: 2_048,
    ..Limits::AVATAR
};

fuzz_target!(|data: &[u8]| {
    // A panic is a finding although `decode` would catch it: libFuzzer's hook aborts before it unwinds.
    match decode(data, &LIMITS) {
        Ok(picture) => {
            let pixels = u64::from(picture.width) * u64::from(picture.height);
            assert!(pixels > 0 && pixels <= LIMITS.pixels);
            assert_eq!(picture.rgba.len() as u64, 4 * pixels);
            for fit in [Fit::Cover, Fit::Contain] {
                assert_eq!(fitted(&picture, 16, 9, fit).rgba.len(), 4 * 16 * 9);
            }
        }
        Err(refused) => assert!(!refused.word().is_empty()),
    }
});
