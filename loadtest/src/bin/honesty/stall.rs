//! What each tool sees of a server that stands still for one second in every ten. At an even rate one call in ten is due while it does, and
//! waits for the rest of that second: of all calls the share that takes longer than `x` is `(1 s - x) / 10 s`. A closed loop sends nothing
//! while it waits, so a stall catches as many calls as there are connections, and its percentiles hardly see it: oha's do not, wrk adds what it
//! thinks it would have sent.

use std::fmt;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use loadtest::Error;
use loadtest::bench::machine::Machine;
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;

use super::tool::{Load, Shot, Times, Tool};
use super::{Args, Stage, measured};

/// One stall in each of these.
const EACH: Duration = Duration::from_secs(10);

/// How long it is.
const STALL: Duration = Duration::from_secs(1);

/// When the first one begins: none is cut off by a beginning or an end.
const FIRST: Duration = Duration::from_millis(4500);

/// How far the generator's p99 may be from what arithmetic says: calls that came meanwhile are not answered all at once.
const TOLERANCE: f64 = 0.1;

/// What arithmetic says.
const EXPECTED: Times = Times {
    p50: 0.0,
    p99: 900.0,
    p999: Some(990.0),
};

/// What the tools saw.
#[derive(Debug, Serialize)]
pub struct Table {
    machine: Machine,
    connections: u32,
    secs: u64,
    asked: u32,
    expected_ms: Times,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    per_second: f64,
    times_ms: Times,
}

impl Table {
    /// Whether the generator is right.
    pub fn holds(&self) -> bool {
        let own = self.rows.iter().find(|row| row.name == OWN);
        own.is_some_and(|own| {
            let off = own.times_ms.p99 / self.expected_ms.p99 - 1.0;
            off.abs() <= TOLERANCE
        })
    }
}

/// What the generator's row is called.
const OWN: &str = "generator";

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = &self.machine;
        writeln!(
            out,
            "{}, {} cores, kernel {}, load before {}; {} connections; {} s each; the server stands still for 1 s in every 10 s",
            machine.cpu,
            machine.cores,
            machine.kernel,
            machine.load_before,
            self.connections,
            self.secs
        )?;
        writeln!(
            out,
            "\n{:38}  {:>9}  {:>9}  {:>9}  {:>9}",
            "", "calls/s", "p50 ms", "p99 ms", "p99.9 ms"
        )?;
        let mut line = |name: &str, per_second: Option<f64>, times: &Times| {
            let figure = |figure: Option<f64>, digits| {
                figure.map_or("-".to_owned(), |it| format!("{it:.digits$}"))
            };
            writeln!(
                out,
                "{name:38}  {:>9}  {:>9.2}  {:>9.1}  {:>9}",
                figure(per_second, 0),
                times.p50,
                times.p99,
                figure(times.p999, 1)
            )
        };
        line("what arithmetic says", None, &self.expected_ms)?;
        for row in &self.rows {
            line(row.name, Some(row.per_second), &row.times_ms)?;
        }
        write!(
            out,
            "\nthe generator and `oha -q` had {} calls a second due; the others send when they are answered",
            self.asked
        )
    }
}

/// Loads the server with each tool in turn, while it stands still now and then.
pub fn bench(args: &Args) -> Result<Table, Error> {
    let stage = Stage::open()?;
    let secs = args.secs.unwrap_or(30).div_ceil(EACH.as_secs()) * EACH.as_secs();
    let load = Load {
        own: &stage.own,
        url: &stage.url,
        secs,
        connections: args.connections,
        asked: args.asked.unwrap_or(1000),
        patience_secs: 5,
    };
    let mut rows = Vec::new();
    let mut row = |name, shot: Shot, times_ms| {
        let per_second = shot.per_second;
        rows.push(Row {
            name,
            per_second,
            times_ms,
        });
    };
    for (name, tool) in [
        (OWN, Tool::Own),
        ("wrk", Tool::Wrk),
        ("oha", Tool::Oha),
        ("oha -q --latency-correction", Tool::OhaPaced),
    ] {
        if !tool.is_here() {
            continue;
        }
        eprintln!("{name}: {secs} s");
        let (shot, _) = stalled(&stage, secs, || measured(name, tool, &load))?;
        row(name, shot, shot.due_ms.unwrap_or(shot.sent_ms));
        if tool == Tool::Own {
            row("generator, from when calls were sent", shot, shot.sent_ms);
        }
    }
    Ok(Table {
        machine: stage.machine,
        connections: args.connections,
        secs,
        asked: load.asked,
        expected_ms: EXPECTED,
        rows,
    })
}

/// Does the work while the server stands still for one second in every ten, from the work's beginning on.
fn stalled<T>(
    stage: &Stage,
    secs: u64,
    work: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    let id = i32::try_from(stage.server.id()).ok();
    let server = id.and_then(Pid::from_raw);
    let (over, is_over) = mpsc::channel::<()>();
    let began = Instant::now();
    thread::scope(|scope| {
        scope.spawn(move || {
            let Some(server) = server else { return };
            let stalls = u32::try_from(secs / EACH.as_secs()).unwrap_or(0);
            let passes = |at: Duration| {
                let rest = at.saturating_sub(began.elapsed());
                is_over.recv_timeout(rest) == Err(RecvTimeoutError::Timeout)
            };
            for at in (0..stalls).map(|n| FIRST + EACH * n) {
                if !passes(at) {
                    return;
                }
                // A program that is gone is noticed by whoever waits for its answers.
                let _ = kill_process(server, Signal::STOP);
                let goes_on = passes(at + STALL);
                let _ = kill_process(server, Signal::CONT);
                if !goes_on {
                    return;
                }
            }
        });
        let done = work();
        drop(over);
        done
    })
}
