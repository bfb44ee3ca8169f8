//! The rows of the table, by what they are about.

mod addresses;
mod answers;
mod bodies;
mod failing;
mod headers;
mod trust;

use crate::Case;

pub const ALL: &[&[Case]] = &[
    addresses::CASES,
    headers::CASES,
    bodies::CASES,
    answers::CASES,
    failing::CASES,
    trust::CASES,
];
