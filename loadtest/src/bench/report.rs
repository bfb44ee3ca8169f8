//! Medians over rounds, as a table for people or JSON for programs.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::bench::contender::{Contender, Keeps, Measured};
use crate::bench::machine::Machine;

/// A contender's medians.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// Who.
    pub contender: Contender,
    /// Requests a second, in the median of the rounds.
    pub per_second: f64,
    /// In the best round.
    pub best_per_second: f64,
    /// In the worst round.
    pub worst_per_second: f64,
    /// Half of the answers came within this, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 came within this, in milliseconds.
    pub p99_ms: f64,
    /// CPU of the server for each request, in microseconds.
    pub server_us: f64,
    /// CPU of its Redis for each request, in microseconds.
    pub redis_us: f64,
    /// Memory of the server, in MB.
    pub resident_mb: f64,
    /// Requests answered in all rounds.
    pub requests: u64,
    /// Of those, errors.
    pub errors: u64,
}

/// What a run found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Where.
    pub machine: Machine,
    /// How many rounds of each.
    pub rounds: usize,
    /// How long each was measured in a round.
    pub secs: u64,
    /// Connections of wrk.
    pub connections: u32,
    /// Users who draw in turn.
    pub users: u32,
    /// What the Redis servers kept on disk.
    pub keeps: Keeps,
    /// Draws of gala for each claim of Koa, in the median of the rounds' ratios; none unless both ran.
    pub gala_to_koa: Option<f64>,
    /// CPU of gala for a draw to that of Koa and its Redis for a claim.
    pub gala_to_koa_cpu: Option<f64>,
    /// Draws of gala for each hello.
    pub gala_to_hello: Option<f64>,
    /// Gala on Redis beside the others that ran: requests a second, and CPU a request of server and Redis together.
    pub shared: Vec<Beside>,
    /// The medians.
    pub lines: Vec<Line>,
}

/// Gala on Redis beside another, in the median of the rounds' ratios.
#[derive(Debug, Clone, Serialize)]
pub struct Beside {
    /// Gala, drawing or signing in.
    pub gala: Contender,
    /// The other.
    pub other: Contender,
    /// Gala's requests for each of the other's.
    pub rate: f64,
    /// At least this much is aimed at.
    pub rate_goal: Option<f64>,
    /// Gala's CPU for a request, its Redis' too, to the other's.
    pub cpu: f64,
    /// At most this much is aimed at.
    pub cpu_goal: Option<f64>,
}

/// Whom gala on Redis is compared with: at least so many times the requests, at most so many times the CPU.
const GOALS: [(Contender, Option<f64>, Option<f64>); 3] = [
    (Contender::Floor, Some(0.85), None),
    (Contender::Fastify, Some(1.1), None),
    (Contender::Koa, None, Some(0.55)),
];

/// All rounds of all contenders.
pub type Rounds = BTreeMap<Contender, Vec<Measured>>;

impl Report {
    /// The medians of `rounds`.
    pub fn new(
        machine: Machine,
        (secs, connections, users): (u64, u32, u32),
        keeps: Keeps,
        rounds: &Rounds,
    ) -> Self {
        let rate = |measured: &Measured| measured.run.per_second;
        let cpu = |measured: &Measured| measured.server_us + measured.redis_us;
        Self {
            machine,
            rounds: rounds.values().map(Vec::len).max().unwrap_or(0),
            secs,
            connections,
            users,
            keeps,
            gala_to_koa: ratio(rounds, Contender::Gala, Contender::Koa, rate),
            gala_to_koa_cpu: ratio(rounds, Contender::Gala, Contender::Koa, cpu),
            gala_to_hello: ratio(rounds, Contender::Gala, Contender::Hello, rate),
            shared: [Contender::Shared, Contender::SignIn]
                .into_iter()
                .flat_map(|gala| GOALS.map(|goal| (gala, goal)))
                .filter_map(|(gala, (other, rate_goal, cpu_goal))| {
                    Some(Beside {
                        gala,
                        other,
                        rate: ratio(rounds, gala, other, rate)?,
                        rate_goal,
                        cpu: ratio(rounds, gala, other, cpu)?,
                        cpu_goal,
                    })
                })
                .collect(),
            lines: rounds
                .iter()
                .map(|(contender, rounds)| line(*contender, rounds))
                .collect(),
        }
    }
}

/// The median over rounds of gala's figure to the other's: what ran within seconds met the same machine.
fn ratio(
    rounds: &Rounds,
    gala: Contender,
    other: Contender,
    figure: impl Fn(&Measured) -> f64,
) -> Option<f64> {
    let (gala, other) = (rounds.get(&gala)?, rounds.get(&other)?);
    let ratios: Vec<f64> = gala
        .iter()
        .zip(other)
        .map(|(gala, other)| figure(gala) / figure(other))
        .collect();
    (!ratios.is_empty()).then(|| median(ratios))
}

fn line(contender: Contender, rounds: &[Measured]) -> Line {
    let all = |figure: fn(&Measured) -> f64| rounds.iter().map(figure).collect::<Vec<f64>>();
    let rates = all(|one| one.run.per_second);
    Line {
        contender,
        best_per_second: rates.iter().copied().fold(0.0, f64::max),
        worst_per_second: rates.iter().copied().fold(f64::INFINITY, f64::min),
        per_second: median(rates),
        p50_ms: median(all(|one| one.run.p50_ms)),
        p99_ms: median(all(|one| one.run.p99_ms)),
        server_us: median(all(|one| one.server_us)),
        redis_us: median(all(|one| one.redis_us)),
        resident_mb: median(all(|one| one.resident_mb)),
        requests: rounds.iter().map(|one| one.run.requests).sum(),
        errors: rounds.iter().map(|one| one.run.bad + one.run.sockets).sum(),
    }
}

/// The figure in the middle; of two, the mean. 0 of none.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => figures[middle],
        _ => f64::midpoint(figures[middle - 1], figures[middle]),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine {
            cpu,
            cores,
            kernel,
            load_before,
            flush_p50_ms,
        } = &self.machine;
        if let Some(ratio) = self.gala_to_koa {
            write!(f, "gala / Koa + ioredis: {ratio:.2} x requests a second")?;
            writeln!(
                f,
                ", {:.2} x CPU a request",
                self.gala_to_koa_cpu.unwrap_or(0.0)
            )?;
        }
        if let Some(ratio) = self.gala_to_hello {
            writeln!(f, "gala / axum hello:    {ratio:.2} x requests a second")?;
        }
        for beside in &self.shared {
            write!(f, "{beside}")?;
        }
        writeln!(
            f,
            "\n{:<35}{:>9}{:>18}{:>9}{:>9}{:>10}{:>10}{:>8}{:>8}",
            "",
            "req/s",
            "worst..best",
            "p50 ms",
            "p99 ms",
            "server us",
            "Redis us",
            "RSS MB",
            "errors"
        )?;
        for line in &self.lines {
            let spread = format!("{:.0}..{:.0}", line.worst_per_second, line.best_per_second);
            writeln!(
                f,
                "{:<35}{:>9.0}{spread:>18}{:>9.2}{:>9.2}{:>10.1}{:>10.1}{:>8.0}{:>8}",
                line.contender.title(),
                line.per_second,
                line.p50_ms,
                line.p99_ms,
                line.server_us,
                line.redis_us,
                line.resident_mb,
                line.errors,
            )?;
        }
        writeln!(
            f,
            "\nmedians of {} interleaved rounds of {} s, {} connections, {} users",
            self.rounds, self.secs, self.connections, self.users
        )?;
        writeln!(f, "Redis keeps on disk: {}", self.keeps.words())?;
        writeln!(
            f,
            "{cores} x {cpu}, Linux {kernel}, load {load_before:.1} before, a flush takes {flush_p50_ms:.2} ms (p50)"
        )
    }
}

impl fmt::Display for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = |goal: Option<f64>, is_met: &dyn Fn(f64) -> bool, sign: &str| {
            goal.map_or(String::new(), |goal| {
                let verdict = if is_met(goal) { "met" } else { "NOT met" };
                format!(" (goal {sign} {goal:.2}: {verdict})")
            })
        };
        writeln!(
            f,
            "{} / {}: {:.2} x requests a second{}, {:.2} x CPU a request{}",
            self.gala.title(),
            self.other.title(),
            self.rate,
            verdict(self.rate_goal, &|goal| self.rate >= goal, ">="),
            self.cpu,
            verdict(self.cpu_goal, &|goal| self.cpu <= goal, "<="),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::wrk::Run;

    fn measured(per_second: f64, server_us: f64, redis_us: f64) -> Measured {
        let run = Run {
            requests: 10,
            per_second,
            p50_ms: 1.0,
            p99_ms: 2.0,
            bad: 0,
            sockets: 0,
        };
        Measured {
            run,
            server_us,
            redis_us,
            resident_mb: 8.0,
        }
    }

    fn machine() -> Machine {
        Machine {
            cpu: "chip".to_owned(),
            cores: 2,
            kernel: "6".to_owned(),
            load_before: 0.5,
            flush_p50_ms: 1.0,
        }
    }

    #[test]
    fn the_middle_of_some_figures() {
        let rows: [(&[f64], f64); 4] = [
            (&[], 0.0),
            (&[3.0], 3.0),
            (&[4.0, 2.0], 3.0),
            (&[9.0, 1.0, 5.0], 5.0),
        ];
        for (figures, wanted) in rows {
            assert!(
                (median(figures.to_vec()) - wanted).abs() < 1e-9,
                "{figures:?}"
            );
        }
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        let rounds = Rounds::from([
            (
                Contender::Gala,
                vec![
                    measured(100.0, 10.0, 0.0),
                    measured(50.0, 10.0, 0.0),
                    measured(90.0, 10.0, 0.0),
                ],
            ),
            (
                Contender::Koa,
                vec![
                    measured(50.0, 30.0, 10.0),
                    measured(25.0, 30.0, 10.0),
                    measured(30.0, 30.0, 10.0),
                ],
            ),
        ]);
        let report = Report::new(machine(), (3, 64, 10), Keeps::Mixed, &rounds);
        assert_eq!(
            (report.gala_to_koa, report.gala_to_hello),
            (Some(2.0), None)
        );
        assert_eq!(report.gala_to_koa_cpu, Some(0.25));
        let table = report.to_string();
        assert!(
            table.starts_with(
                "gala / Koa + ioredis: 2.00 x requests a second, 0.25 x CPU a request\n"
            ),
            "{table}"
        );
        assert_eq!(
            table
                .lines()
                .filter(|line| line.starts_with("gala serve"))
                .count(),
            1
        );
    }

    #[test]
    fn a_goal_has_a_verdict() {
        let rounds = Rounds::from([
            (Contender::Shared, vec![measured(80.0, 10.0, 5.0)]),
            (Contender::Floor, vec![measured(100.0, 10.0, 5.0)]),
            (Contender::Koa, vec![measured(50.0, 40.0, 10.0)]),
        ]);
        let table = Report::new(machine(), (3, 64, 10), Keeps::Mixed, &rounds).to_string();
        for line in [
            "EVALSHA of commit.lua: 0.80 x requests a second (goal >= 0.85: NOT met), 1.00 x CPU a request\n",
            "Koa + ioredis: claim: 1.60 x requests a second, 0.30 x CPU a request (goal <= 0.55: met)\n",
        ] {
            assert!(table.contains(line), "{table}");
        }
    }

    #[test]
    fn json_has_the_ratio_and_a_line_for_each() {
        let rounds = Rounds::from([(Contender::Hello, vec![measured(100.0, 10.0, 0.0)])]);
        let json = serde_json::to_value(Report::new(machine(), (3, 64, 10), Keeps::Mixed, &rounds))
            .unwrap();
        assert_eq!(
            (&json["gala_to_koa"], &json["lines"][0]["contender"]),
            (&json!(null), &json!("hello"))
        );
    }

    use serde_json::json;
}
