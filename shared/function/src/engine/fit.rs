//! Whether this process may answer events of a campaign now. Where it may not, no answer goes out, not even one that was
//! given before: it could promise what the store can't keep, or give it for the wrong day. Looks go on.

use store::Store;

use super::Failed;
use crate::served::Served;

/// How far this machine's clock may be off the store's, in milliseconds, either way.
pub const MAX_CLOCK_OFF_MS: u64 = 2000;

/// How far this machine's clock is ahead of the store's, in milliseconds, where that is more than is allowed.
pub fn clock_off(store: &dyn Store) -> Option<i64> {
    let ahead = store.clock_ahead_ms()?;
    (ahead.unsigned_abs() > MAX_CLOCK_OFF_MS).then_some(ahead)
}

/// Says what stands against events of this campaign, if something does.
pub fn fit(store: &dyn Store, served: &Served) -> Result<(), Failed> {
    if let Some(ahead) = clock_off(store) {
        return Err(Failed::ClockOff(ahead));
    }
    if served.lost {
        return Err(Failed::Frozen("all of the campaign".to_owned()));
    }
    match store.falls_short(served.durability()) {
        Some(why) => Err(Failed::UnderDurable(why)),
        None => Ok(()),
    }
}
