//! What `/metrics` says of the process itself, under the names that Prometheus client libraries have for it, and what it is. From `/proc`:
//! where there is none, those lines are absent. The counters of calls and campaigns are `metrics`'s.

use std::fmt::Write as _;
use std::fs;

/// How the process is doing, as far as the system says.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Vitals {
    /// CPU seconds used since it began, in its own code and in the kernel's.
    cpu_secs: f64,
    /// Memory held, in bytes.
    resident_bytes: u64,
    /// When it began, in seconds since 1970.
    started_secs: f64,
    /// Files and sockets that are open.
    open_files: u64,
}

/// The lines to add to a scrape: the process's, and what the server is. `store` is the kind of its store.
pub(super) fn lines(store: &str) -> String {
    let mut text = String::new();
    if let Some(vitals) = Vitals::read() {
        vitals.write(&mut text);
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "# HELP gala_info What serves: always 1.\n# TYPE gala_info gauge\ngala_info{{version=\"{}\",store=\"{store}\"}} 1\n\
         # HELP gala_cores Cores that this process may use.\n# TYPE gala_cores gauge\ngala_cores {cores}\n",
        env!("CARGO_PKG_VERSION"),
    );
    text
}

impl Vitals {
    /// Reads them now; `None` where the system has no `/proc`, or says something else than Linux does.
    fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let system = fs::read_to_string("/proc/stat").ok()?;
        // The listing itself holds one open.
        let open_files = fs::read_dir("/proc/self/fd").ok()?.count() as u64;
        let units = Units {
            ticks: rustix::param::clock_ticks_per_second(),
            page: rustix::param::page_size() as u64,
        };
        Self::of(&stat, &system, open_files.saturating_sub(1), units)
    }

    /// What `/proc/self/stat` and `/proc/stat` say (`man 5 proc`).
    fn of(stat: &str, system: &str, open_files: u64, units: Units) -> Option<Self> {
        // The program's name may hold spaces and brackets: fields are counted from behind the last one.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        // The third field of the manual is the first here.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        let secs = |ticks: u64| ticks as f64 / units.ticks.max(1) as f64;
        let booted = system.lines().find_map(|line| line.strip_prefix("btime "));
        let booted: u64 = booted?.trim().parse().ok()?;
        Some(Self {
            cpu_secs: secs(field(14)?.saturating_add(field(15)?)),
            resident_bytes: field(24)?.saturating_mul(units.page),
            started_secs: booted as f64 + secs(field(22)?),
            open_files,
        })
    }

    fn write(&self, text: &mut String) {
        let Self {
            cpu_secs,
            resident_bytes,
            started_secs,
            open_files,
        } = self;
        let _ = write!(
            text,
            "# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.\n\
             # TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total {cpu_secs}\n\
             # HELP process_resident_memory_bytes Resident memory size in bytes.\n\
             # TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes {resident_bytes}\n\
             # HELP process_start_time_seconds Start time of the process since unix epoch in seconds.\n\
             # TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {started_secs}\n\
             # HELP process_open_fds Number of open file descriptors.\n\
             # TYPE process_open_fds gauge\nprocess_open_fds {open_files}\n"
        );
    }
}

/// What the system counts in.
#[derive(Debug, Clone, Copy)]
struct Units {
    /// Ticks of a second.
    ticks: u64,
    /// Bytes of a page.
    page: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNITS: Units = Units {
        ticks: 100,
        page: 4096,
    };

    #[test]
    fn fields_are_counted_from_behind_the_name() {
        let stat = "42 (ga) la) S 1 42 42 0 -1 4194560 1 2 3 4 250 150 7 8 20 0 9 0 5000 123456789 1000 18446744073709551615 1 1";
        let vitals = Vitals::of(stat, "cpu 1 2\nbtime 1700000000\n", 12, UNITS);
        assert_eq!(
            vitals,
            Some(Vitals {
                cpu_secs: 4.0,
                resident_bytes: 4_096_000,
                started_secs: 1_700_000_050.0,
                open_files: 12,
            })
        );
        for (stat, system) in [
            ("", "btime 1"),
            ("42 (gala) S 1 2", "btime 1"),
            (stat, "cpu 1"),
        ] {
            assert_eq!(Vitals::of(stat, system, 0, UNITS), None, "{stat}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_vitals() {
        let before = Vitals::read().unwrap();
        let file = fs::File::open("/proc/self/stat").unwrap();
        let mut sum = 0_u64;
        // Until the system has counted a tick: it does so some milliseconds apart.
        while Vitals::read().unwrap().cpu_secs <= before.cpu_secs {
            sum = (0..100_000_u64).fold(sum, |sum, n| std::hint::black_box(sum ^ n));
        }
        let after = Vitals::read().unwrap();
        drop(file);
        assert!(after.resident_bytes > 100_000, "{after:?}");
        assert!(after.open_files > 0, "{after:?}");
        let started = (before.started_secs - after.started_secs).abs();
        assert!(started < 1e-6, "{before:?} {after:?}");
    }
}
