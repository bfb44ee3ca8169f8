//! How long to wait between two tries: twice as long each time, up to a bound, and never the same for two processes.

use rand::TryRng;
use rand::rngs::SysRng;

/// A row of growing pauses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause {
    /// The first, in milliseconds.
    pub(super) first_ms: u64,
    /// The longest, in milliseconds.
    pub(super) most_ms: u64,
}

impl Pause {
    /// The pause before try `n` (from 0), in milliseconds: from half of its bound to the whole of it, so that the
    /// processes that lost a server together don't come back together.
    pub(super) fn nth(self, n: u32) -> u64 {
        let bound = self
            .first_ms
            .saturating_mul(1 << n.min(20))
            .min(self.most_ms);
        // Without system randomness the pauses are merely equal.
        let random = u64::from(SysRng.try_next_u32().unwrap_or(u32::MAX));
        bound / 2 + (bound - bound / 2) * random / u64::from(u32::MAX)
    }
}
