//! Forecasts: the same for the same seed, never more than there is, and what production would have done.

#[cfg(test)]
#[path = "../support/mod.rs"]
mod activities;
#[cfg(test)]
mod campaigns;
#[cfg(test)]
mod profiles;
#[cfg(test)]
mod runs;
