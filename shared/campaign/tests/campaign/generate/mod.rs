//! Random campaigns for property tests, and what must hold of them.

pub mod campaigns;
pub mod dice;
pub mod expressions;
pub mod promises;
