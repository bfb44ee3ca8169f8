//! What a run is made on, and what this process has used of it.

use std::fs;
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use crate::run::Machine;

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// A number in kB of a file of `/proc`, in kB; 0 where the system has none.
fn kilobytes(path: &str, name: &str) -> u64 {
    let text = read(path);
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// This machine.
pub fn look() -> Machine {
    let cpuinfo = read("/proc/cpuinfo");
    let cpu = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let release = read("/etc/os-release");
    let name = release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))
        .map_or(std::env::consts::OS, |name| name.trim_matches('"'));
    Machine {
        cpu: cpu.map_or_else(
            || std::env::consts::ARCH.to_owned(),
            |(_, name)| name.to_owned(),
        ),
        cores: cores(),
        memory_mb: kilobytes("/proc/meminfo", "MemTotal:") / 1024,
        system: format!("{name}, kernel {}", kernel()),
        load: read("/proc/loadavg")
            .split(' ')
            .next()
            .and_then(|load| load.parse().ok())
            .unwrap_or(0.0),
    }
}

/// The kernel's release.
pub fn kernel() -> String {
    read("/proc/sys/kernel/osrelease").trim().to_owned()
}

/// The cores that this process may use.
pub fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32)
}

/// The most memory that this process has held, in MB.
pub fn most_memory_mb() -> f64 {
    kilobytes("/proc/self/status", "VmHWM:") as f64 / 1024.0
}

/// The CPU time that this thread has used.
pub fn thread_cpu() -> Duration {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(used.tv_sec as u64, used.tv_nsec as u32)
}

/// Lets this process open as many files as the system allows it; how many those are, `None`: without a bound.
pub fn most_files() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let before = limit.current;
        limit.current = limit.maximum;
        if setrlimit(Resource::Nofile, limit).is_err() {
            return before;
        }
    }
    limit.maximum
}
