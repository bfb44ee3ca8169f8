//! The one list of activities: the command hands the gateway its functions, the check its kinds of campaigns.

use campaign::Activity;

/// Every activity that this program has.
pub const ALL: [&'static dyn Activity; 4] = [
    &sign_in::SignIn,
    &gift_pack::GiftPack,
    &lottery::Lottery,
    &custom::Custom,
];
