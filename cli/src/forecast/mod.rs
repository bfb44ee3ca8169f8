//! Forecasts for people: the runs side by side on threads ([`make`]), and what comes of them as a table (`table`), as a page
//! (`page`), or beside another one (`compare`). What is played and how stands in `campaign::simulate`.

mod charts;
mod compare;
mod figures;
mod page;
mod progress;
mod table;
pub mod words;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use campaign::simulate::{Forecast, Plan, SimulateError, Tally};

use self::progress::Progress;
use crate::failure::Failure;

pub use compare::compare;
pub use page::page;
pub use table::table;

/// A forecast with the name it is shown under.
#[derive(Debug)]
pub struct Named {
    /// The file's name, or `live` and its revision.
    pub name: String,
    /// The forecast.
    pub forecast: Forecast,
}

/// Makes the runs of a plan on so many threads, and puts them together. The threads take the next run whenever they are
/// free; the answer does not depend on which takes which.
pub fn make(plan: &Plan, threads: usize) -> Result<Forecast, Failure> {
    let progress = Progress::new(u64::from(plan.runs) * u64::from(plan.days));
    let next = AtomicU32::new(0);
    let runs: Mutex<Vec<(u32, Result<Tally, SimulateError>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, plan.runs as usize) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= plan.runs {
                        break;
                    }
                    let run = plan.run(number, || progress.step());
                    if let Ok(mut runs) = runs.lock() {
                        runs.push((number, run));
                    }
                }
            });
        }
    });
    progress.end();
    let mut runs = runs.into_inner().unwrap_or_default();
    runs.sort_by_key(|(number, _)| *number);
    let runs: Result<Vec<Tally>, SimulateError> = runs.into_iter().map(|(_, run)| run).collect();
    let runs = runs.map_err(|error| Failure::check("simulate", error.to_string()))?;
    Ok(Forecast::of(plan, &runs))
}
