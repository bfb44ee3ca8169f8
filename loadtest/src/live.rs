//! What is seen of a run while it goes on, on standard error: redrawn in place on a terminal, a plain line a second otherwise.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};

use crate::call::Verdict;
use crate::engine::Tick;
use crate::limit::short;

/// How many outcomes are named.
const OUTCOMES: usize = 8;
/// How many characters wide the bar is.
const BAR: u64 = 30;

/// The view.
#[derive(Debug)]
pub struct Live {
    in_place: bool,
    /// Lines that are drawn now.
    drawn: usize,
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

impl Live {
    /// On standard error, as it is.
    pub fn new() -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self {
            in_place: io::stderr().is_terminal() && !dumb,
            drawn: 0,
        }
    }

    /// Shows a second.
    pub fn show(&mut self, tick: &Tick) {
        let text = if self.in_place {
            let mut text = String::new();
            if self.drawn > 0 {
                // Up to the first line, and away with what stands there.
                let _ = write!(text, "\x1b[{}F\x1b[J", self.drawn);
            }
            let lines = lines(tick);
            self.drawn = lines.lines().count();
            text.push_str(&lines);
            text
        } else {
            line(tick)
        };
        // Whoever is gone needs no view.
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

fn millis(time: Option<f64>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| format!("{} ms", short(time)))
}

fn outcomes(tick: &Tick) -> String {
    let named = tick.outcomes.iter().take(OUTCOMES);
    let mut text: Vec<String> = named
        .map(|(word, verdict, count)| {
            let mark = if *verdict == Verdict::Failed { "!" } else { "" };
            format!("{mark}{word} {count}")
        })
        .collect();
    let more = tick.outcomes.len().saturating_sub(OUTCOMES);
    if more > 0 {
        text.push(format!("and {more} more"));
    }
    text.join(", ")
}

/// One second in a line.
fn line(tick: &Tick) -> String {
    format!(
        "{:>4} s {}: asked {}/s, sent {}/s, answered {}/s, failed {}, p50 {}, p99 {}, lag p99 {}, waiting {} | {}\n",
        tick.at_secs,
        tick.phase,
        tick.asked,
        tick.sent,
        tick.answered,
        tick.failed,
        millis(tick.p50_ms),
        millis(tick.p99_ms),
        millis(tick.lag_p99_ms),
        tick.waiting,
        outcomes(tick),
    )
}

/// One second as a few lines.
fn lines(tick: &Tick) -> String {
    let full = (tick.at_secs * BAR / tick.of_secs.max(1)).min(BAR) as usize;
    let bar = format!("{}{}", "#".repeat(full), ".".repeat(BAR as usize - full));
    format!(
        "[{bar}] {} s of {} s, {}\n\
         rate      asked {}/s, sent {}/s, answered {}/s\n\
         times     p50 {}, p99 {} (from when each call was due)\n\
         outcomes  {}\n\
         under way {} journeys, {} calls waiting, {} connections; failed {} in this second\n\
         generator {} cores, lag p99 {}\n",
        tick.at_secs,
        tick.of_secs,
        tick.phase,
        tick.asked,
        tick.sent,
        tick.answered,
        millis(tick.p50_ms),
        millis(tick.p99_ms),
        outcomes(tick),
        tick.under_way,
        tick.waiting,
        tick.connections,
        tick.failed,
        short(tick.cpu),
        millis(tick.lag_p99_ms),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_reads_well() {
        let tick = Tick {
            at_secs: 12,
            of_secs: 40,
            phase: "steady".to_owned(),
            asked: 1000,
            sent: 999,
            answered: 990,
            failed: 3,
            p50_ms: Some(1.234),
            p99_ms: Some(12.5),
            lag_p99_ms: None,
            outcomes: vec![
                ("missed".to_owned(), Verdict::Good, 8000),
                ("won".to_owned(), Verdict::Good, 900),
                ("overloaded".to_owned(), Verdict::Failed, 3),
            ],
            under_way: 120,
            waiting: 0,
            connections: 64,
            cpu: 0.312,
        };
        insta::assert_snapshot!(format!("{}{}", line(&tick), lines(&tick)));
    }
}
