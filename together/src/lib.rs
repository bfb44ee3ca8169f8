//! The one list of activities: the command hands the gateway its functions and the check its kinds of campaigns from it, and the
//! program beside it serves all of them as one function.

use campaign::Activity;

/// Every activity that there is.
pub const ALL: [&'static dyn Activity; 4] = [
    &sign_in::SignIn,
    &gift_pack::GiftPack,
    &lottery::Lottery,
    &custom::Custom,
];
