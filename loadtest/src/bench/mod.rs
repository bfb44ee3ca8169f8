//! Benches: our server beside others, and what one load costs another, on one machine in one run. The load test that ops run before a
//! launch is not here.

pub mod contender;
pub mod http;
pub mod machine;
pub mod neighbour;
pub mod pace;
pub mod posters;
pub mod process;
pub mod report;
pub mod stage;
pub mod told;
pub mod wrk;
