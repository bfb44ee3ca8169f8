//! wrk: how it is called, and what its output says.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Serialize;

use crate::Error;
use crate::bench::process::Child;

/// How to get it.
pub const INSTALL: &str = "`apt-get install wrk` (Debian, Ubuntu) or `brew install wrk`";

/// What one run of wrk found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Run {
    /// Requests answered.
    pub requests: u64,
    /// Of those, in a second.
    pub per_second: f64,
    /// Half of the answers came within this, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 came within this, in milliseconds.
    pub p99_ms: f64,
    /// Answers other than 2xx and 3xx.
    pub bad: u64,
    /// Sockets that failed to connect, read, write, or waited too long.
    pub sockets: u64,
}

/// Loads `url` for `secs` from `connections` connections, with the requests of a script, and `args` as its arguments.
pub fn run(
    url: &str,
    script: Option<&Path>,
    args: &[&str],
    connections: u32,
    secs: u64,
) -> Result<Run, Error> {
    let mut command = Command::new("wrk");
    command.args(["-t1", "--latency", "--timeout", "5s"]);
    command
        .arg(format!("-c{connections}"))
        .arg(format!("-d{secs}s"));
    if let Some(script) = script {
        command.arg("-s").arg(script);
    }
    command
        .arg(url)
        .arg("--")
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let output = Child::start("wrk", &mut command)?.output(Duration::from_secs(secs + 20))?;
    parse(&output)
}

/// Reads wrk's output.
pub fn parse(output: &str) -> Result<Run, Error> {
    let after = |label: &str| {
        output
            .lines()
            .find_map(|line| line.trim().strip_prefix(label))
            .map(str::trim)
    };
    let requests = output
        .lines()
        .find_map(|line| line.split_once(" requests in ")?.0.trim().parse().ok())
        .ok_or(Error::Wrk("number of requests"))?;
    let per_second = after("Requests/sec:").and_then(|rate| rate.parse().ok());
    let latency = |label: &str, what| after(label).and_then(millis).ok_or(Error::Wrk(what));
    let sockets = after("Socket errors:").map_or(0, |errors| {
        errors
            .split(',')
            .filter_map(|one| one.split_whitespace().last()?.parse::<u64>().ok())
            .sum()
    });
    Ok(Run {
        requests,
        per_second: per_second.ok_or(Error::Wrk("rate"))?,
        p50_ms: latency("50%", "median latency")?,
        p99_ms: latency("99%", "99th percentile")?,
        bad: after("Non-2xx or 3xx responses:")
            .and_then(|bad| bad.parse().ok())
            .unwrap_or(0),
        sockets,
    })
}

/// A span as wrk writes it (`412.00us`, `1.20ms`, `2.01s`, `1.50m`), in milliseconds.
fn millis(span: &str) -> Option<f64> {
    let unit = span.find(|c: char| c != '.' && !c.is_ascii_digit())?;
    let (number, unit) = span.split_at(unit);
    let factor = match unit {
        "us" => 0.001,
        "ms" => 1.0,
        "s" => 1000.0,
        "m" => 60_000.0,
        _ => return None,
    };
    number.parse::<f64>().ok().map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
Running 3s test @ http://127.0.0.1:3000/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.02ms  411.20us  12.10ms   92.11%
    Req/Sec    59.91k     2.11k   63.20k    70.00%
  Latency Distribution
     50%  880.00us
     75%    1.10ms
     90%    1.40ms
     99%    2.03ms
  179733 requests in 3.00s, 61.20MB read
Requests/sec:  59911.02
Transfer/sec:     20.40MB
";

    #[test]
    fn reads_a_good_run() {
        let run = Run {
            requests: 179_733,
            per_second: 59911.02,
            p50_ms: 0.88,
            p99_ms: 2.03,
            bad: 0,
            sockets: 0,
        };
        assert_eq!(parse(GOOD).unwrap(), run);
    }

    #[test]
    fn counts_what_went_wrong() {
        let output = GOOD.replace(
            "Requests/sec:",
            "  Socket errors: connect 1, read 2, write 0, timeout 4\n  Non-2xx or 3xx responses: 17\nRequests/sec:",
        );
        let run = parse(&output).unwrap();
        assert_eq!((run.bad, run.sockets), (17, 7));
    }

    #[test]
    fn spans_have_units() {
        let rows = [
            ("412.00us", 0.412),
            ("1.20ms", 1.2),
            ("2.01s", 2010.0),
            ("1.50m", 90_000.0),
        ];
        for (text, wanted) in rows {
            assert!((millis(text).unwrap() - wanted).abs() < 1e-9, "{text}");
        }
        assert_eq!(millis("nan"), None);
    }

    #[test]
    fn a_cut_output_is_no_run() {
        assert!(matches!(parse(""), Err(Error::Wrk("number of requests"))));
        assert!(matches!(
            parse(&GOOD.replace("99%", "98%")),
            Err(Error::Wrk("99th percentile"))
        ));
    }
}
