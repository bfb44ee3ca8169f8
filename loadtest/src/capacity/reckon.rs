//! From calls a day to instances and money.

use super::forecast::Forecast;
use super::money::Decimal;
use super::prices::{Table, Unit};
use super::{Capacity, Price};
use crate::histogram::Histogram;
use crate::limit::short;
use crate::run::Run;
use crate::server::{Look, Server};

/// How far an instance is loaded at most: what is left bears a burst, and one instance that fails.
const UTILISATION: f64 = 0.6;

/// How much busier the busiest second is than the mean of the busiest hour.
const BURST: f64 = 2.0;

/// How large an instance is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Instance {
    /// Its cores, as fast as those of the target that was measured.
    pub cores: f64,
}

impl Default for Instance {
    fn default() -> Self {
        Self { cores: 2.0 }
    }
}

/// Reckons. `server` is what was seen of the target during the run, or nothing; `scenario_peak` is the highest rate that the scenario
/// asked for, in calls a second, where it stands for a rush that the forecast does not know (an opening second).
pub fn reckon(
    forecast: &Forecast,
    run: &Run,
    server: Option<&Server>,
    scenario_peak: Option<f64>,
    instance: Instance,
    tables: &[Table],
) -> Capacity {
    let measured = Measured::of(run, server);
    let per_visit = forecast.calls_per_visit();
    let (day, visits) = forecast.busiest();
    let from_day = visits * per_visit * forecast.busiest_hour() / 3600.0 * BURST;
    let of_day = format!(
        "the busiest day ({day}) has {} visits of {} calls, its busiest hour {} % of them, the busiest second {}x that hour's mean: {}/s",
        short(visits),
        short(per_visit),
        short(forecast.busiest_hour() * 100.0),
        short(BURST),
        short(from_day)
    );
    let (peak_per_sec, peak_from) = match scenario_peak {
        Some(peak) if peak > from_day => {
            let peak_from =
                format!("the scenario's own peak, which is above the forecast's ({of_day})");
            (peak, peak_from)
        }
        _ => (from_day, of_day),
    };
    let calls = forecast.visits.high * per_visit;
    let instances = measured.cpu_secs.map(|cpu| {
        let needed = peak_per_sec * cpu / (instance.cores.max(0.01) * UTILISATION);
        (needed.ceil() as u32).max(1)
    });
    let function_secs = measured.call_secs.map(|secs| secs * calls);
    let days = forecast.by_day.len() as f64;
    let usage = Usage {
        calls,
        function_secs,
        instance_hours: instances.map(|instances| f64::from(instances) * days * 24.0),
        gb_out: measured.bytes.map(|bytes| bytes * calls / 1e9),
    };
    Capacity {
        campaign: format!("{}/{}", forecast.tenant, forecast.campaign),
        peak_per_sec,
        peak_from,
        calls,
        cpu_ms_per_call: measured.cpu_secs.map(|secs| secs * 1000.0),
        instances,
        utilisation: UTILISATION,
        memory_mb: measured.memory_mb,
        function_secs,
        prices: tables.iter().map(|table| usage.price(table)).collect(),
        assumed: assumed(&measured, instance, tables),
    }
}

/// What the run showed of one call.
struct Measured {
    /// CPU seconds of the target.
    cpu_secs: Option<f64>,
    /// From sending to the whole answer, in seconds.
    call_secs: Option<f64>,
    /// Bytes of an answer.
    bytes: Option<f64>,
    /// Most memory of the target, in MB.
    memory_mb: Option<f64>,
}

impl Measured {
    fn of(run: &Run, server: Option<&Server>) -> Self {
        let mean = |figure: fn(&Look) -> Option<f64>| {
            server.and_then(|server| server.mean(0.0, run.secs, figure))
        };
        let calls = mean(|look| look.calls_per_sec).filter(|calls| *calls > 0.0);
        let mut times = Histogram::fine();
        run.calls.iter().for_each(|calls| times.merge(&calls.raw));
        let bytes: u64 = run.calls.iter().map(|calls| calls.bytes).sum();
        let memory = server.map_or(&[][..], |server| &server.looks).iter();
        Self {
            cpu_secs: mean(|look| look.cpu)
                .zip(calls)
                .map(|(cpu, calls)| cpu / calls),
            call_secs: times.mean_ms().map(|ms| ms / 1000.0),
            bytes: (!times.is_empty()).then(|| bytes as f64 / times.len() as f64),
            memory_mb: memory.filter_map(|look| look.memory_mb).reduce(f64::max),
        }
    }
}

fn assumed(measured: &Measured, instance: Instance, tables: &[Table]) -> Vec<String> {
    let mut assumed = vec![
        "A visit is one look at the page and the events that the forecast's steps are; pictures, scripts and posters are served elsewhere."
            .to_owned(),
        "Calls and the busiest day are the forecast's higher figures: of its 95th percentile.".to_owned(),
    ];
    match measured.cpu_secs {
        Some(_) => assumed.push(format!(
            "An instance has {} cores as fast as the measured target's, is loaded to {} %, and a call costs as much CPU as in the run's mean: the run's mix of calls stands for the campaign's.",
            short(instance.cores),
            short(UTILISATION * 100.0)
        )),
        None => assumed.push(
            "The target's side was not seen (no --admin, or nothing there to read): CPU and instances are left out, and what costs by them."
                .to_owned(),
        ),
    }
    if measured.call_secs.is_some() {
        assumed.push(
            "Functions are billed for as long as a call took as the generator saw it, network included, one call at a time in an instance: more than a host would bill."
                .to_owned(),
        );
    }
    let sources = tables.iter().map(|table| {
        format!(
            "Prices of \"{}\" are list prices of {}: {}.",
            table.name, table.as_of, table.source
        )
    });
    assumed.extend(sources);
    assumed
}

/// How much of everything is used.
struct Usage {
    calls: f64,
    function_secs: Option<f64>,
    instance_hours: Option<f64>,
    gb_out: Option<f64>,
}

impl Usage {
    fn price(&self, table: &Table) -> Price {
        let mut total = Decimal::default();
        let mut parts = Vec::new();
        for part in &table.parts {
            let quantity = match part.unit {
                Unit::MillionCalls => Some(self.calls / 1e6),
                Unit::GbSecond => {
                    let secs = self.function_secs;
                    secs.map(|secs| secs * f64::from(table.function_mb) / 1024.0)
                }
                Unit::InstanceHour => self.instance_hours,
                Unit::GbOut => self.gb_out,
            };
            let (used, amount) = match quantity {
                Some(quantity) => {
                    let amount = part.price.times(quantity);
                    total = total.plus(amount);
                    (
                        format!("{} {}", short(quantity), part.unit.as_str()),
                        amount.to_string(),
                    )
                }
                None => (
                    format!("unknown {}", part.unit.as_str()),
                    "unknown".to_owned(),
                ),
            };
            parts.push((part.what.clone(), used, amount));
        }
        let whole = parts.iter().all(|(_, _, amount)| amount != "unknown");
        Price {
            table: table.name.clone(),
            currency: table.currency.clone(),
            parts,
            total: if whole {
                total.to_string()
            } else {
                format!("at least {total}")
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::capacity::prices::shipped;
    use crate::run::{Calls, Generator, Machine};

    /// Two runs of 1,000 visits at most, 3 events a visit, all of them within eight hours.
    const FORECAST: &str = r#"{
        "tenant": "acme", "campaign": "wheel", "runs": 2, "all_steps": 6000, "more": [1],
        "visits": {"low": 900, "mid": 1000, "high": 1100},
        "by_day": [
            {"day": "2026-12-01", "visits": {"low": 1, "mid": 600, "high": 720}},
            {"day": "2026-12-02", "visits": {"low": 1, "mid": 400, "high": 450}}
        ],
        "profile": {"hours": [0,0,0,0,0,0,0,0,0,0,1,1,1,1,1,1,1,1,0,0,0,0,0,0], "users": 1000}
    }"#;

    fn run() -> Run {
        let mut raw = Histogram::fine();
        (0..100).for_each(|_| raw.count(Duration::from_millis(20)));
        let calls = Calls {
            name: "draw".to_owned(),
            campaign: "acme/wheel".to_owned(),
            times: raw.clone(),
            raw,
            windows: Vec::new(),
            meanings: BTreeMap::new(),
            bytes: 100_000,
        };
        Run {
            scenario: String::new(),
            title: String::new(),
            seed: 1,
            part: None,
            stopped: false,
            target: "http://127.0.0.1".to_owned(),
            began_at: String::new(),
            secs: 2.0,
            window_secs: 1.0,
            phases: Vec::new(),
            stairs: Vec::new(),
            windows: Vec::new(),
            calls: vec![calls],
            generator: Generator {
                threads: 1,
                cpu_secs: 0.1,
                lag: Histogram::fine(),
                asked: 100,
                sent: 100,
                unsent: 0,
                connections: 1,
                connects: 1,
                memory_mb: 1.0,
                fell_behind: None,
                strained: None,
            },
            machine: Machine {
                cpu: String::new(),
                cores: 2,
                memory_mb: 1,
                system: String::new(),
                load: 0.0,
            },
        }
    }

    fn server() -> Server {
        let look = |at_secs| Look {
            at_secs,
            cpu: Some(0.6),
            calls_per_sec: Some(50.0),
            memory_mb: Some(100.0 + at_secs),
            ..Look::default()
        };
        Server {
            looks: vec![look(1.0), look(2.0)],
            ..Server::default()
        }
    }

    fn tables() -> Vec<Table> {
        shipped()
            .iter()
            .map(|(_, text)| Table::read(text).unwrap())
            .collect()
    }

    #[test]
    fn figures_follow_from_the_forecast_and_the_run() {
        let forecast = Forecast::read(FORECAST).unwrap();
        let capacity = reckon(
            &forecast,
            &run(),
            Some(&server()),
            None,
            Instance::default(),
            &tables(),
        );
        // 720 visits of 4 calls, an eighth of them in an hour, twice the mean.
        assert!((capacity.peak_per_sec - 720.0 * 4.0 / 8.0 / 3600.0 * 2.0).abs() < 1e-9);
        assert!(
            capacity.peak_from.contains("2026-12-01"),
            "{}",
            capacity.peak_from
        );
        assert!((capacity.calls - 4400.0).abs() < 1e-9);
        assert!((capacity.cpu_ms_per_call.unwrap() - 12.0).abs() < 1e-9);
        assert_eq!(
            (capacity.instances, capacity.memory_mb),
            (Some(1), Some(102.0))
        );
        // Within the histogram's one per mille.
        assert!(
            (capacity.function_secs.unwrap() - 88.0).abs() < 0.2,
            "{capacity:?}"
        );
        let vm = &capacity.prices[2];
        // One machine for two days; 4.4 MB of answers cost nothing that shows.
        assert_eq!(
            vm.parts[0],
            (
                "machines".to_owned(),
                "48 instance hours".to_owned(),
                "24.00".to_owned()
            )
        );
        assert_eq!(vm.total, "24.00");
        assert!(
            capacity.assumed.iter().any(|said| said.contains("check")),
            "{:?}",
            capacity.assumed
        );
    }

    #[test]
    fn a_rush_that_the_forecast_does_not_know_is_the_scenarios() {
        let forecast = Forecast::read(FORECAST).unwrap();
        let with = |peak| {
            reckon(
                &forecast,
                &run(),
                Some(&server()),
                Some(peak),
                Instance::default(),
                &[],
            )
        };
        let rush = with(10_000.0);
        assert!((rush.peak_per_sec - 10_000.0).abs() < 1e-9);
        assert!(
            rush.peak_from.starts_with("the scenario's own peak"),
            "{}",
            rush.peak_from
        );
        // 10,000 a second at 12 ms are 120 cores, of which each instance gives 1.2.
        assert_eq!(rush.instances, Some(100));
        assert!(with(0.01).peak_from.starts_with("the busiest day"));
    }

    #[test]
    fn what_was_not_seen_is_not_invented() {
        let forecast = Forecast::read(FORECAST).unwrap();
        let capacity = reckon(
            &forecast,
            &run(),
            None,
            None,
            Instance::default(),
            &tables(),
        );
        assert_eq!(
            (
                capacity.cpu_ms_per_call,
                capacity.instances,
                capacity.memory_mb
            ),
            (None, None, None)
        );
        assert!(
            capacity
                .assumed
                .iter()
                .any(|said| said.contains("was not seen"))
        );
        assert_eq!(capacity.prices[2].parts[0].2, "unknown");
        assert!(
            capacity.prices[2].total.starts_with("at least "),
            "{:?}",
            capacity.prices[2]
        );
        assert!(
            !capacity.prices[0].total.contains("least"),
            "functions need no CPU"
        );
    }

    #[test]
    fn what_is_no_forecast_is_refused() {
        let nobody = FORECAST
            .replace("\"high\": 720", "\"high\": 0")
            .replace("\"high\": 450", "\"high\": 0");
        for text in ["{}", "", &FORECAST.replace("by_day", "days"), &nobody] {
            assert!(Forecast::read(text).is_err(), "{text}");
        }
    }
}
