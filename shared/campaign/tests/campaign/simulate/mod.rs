//! Forecasts: the same for the same seed, never more than there is, and what production would have done.

mod campaigns;
mod profiles;
mod runs;
