//! Random campaigns for property tests.

pub mod campaigns;
pub mod dice;
pub mod expressions;
