//! `kill -9` of redis-server under load. With `appendfsync always` nothing acknowledged is lost. With `everysec` what is lost is
//! counted: it must be young, and what remains must agree with itself.

use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use testbed::Server;

use super::field::{Field, Scale, manner};
use super::report::Report;
use super::service::Service;
use super::store::{durable, each_second};
use crate::luck::Luck;
use crate::player::Manner;

/// What `everysec` may lose with the process: Redis holds its writes back so long while the disk is slow.
const AT_RISK: Duration = Duration::from_secs(2);

pub fn always(scale: Scale, luck: &mut Luck) -> Report {
    let mut store = Server::with(&durable());
    let mut field = Field::open(&store.address(), scale, "strict", manner());
    let mut moments = Luck::new(luck.next(), "moments");
    field.play(luck, |_, service| {
        for _ in 0..scale.faults {
            service.wait_for(5 + moments.below(200))?;
            store.kill();
            sleep(Duration::from_micros(moments.below(200_000)));
            store.restart();
        }
        service.wait_for(50)
    });
    let mut report = field.judge(luck);
    report.fault("redis killed", scale.faults);
    report
}

/// Every other time the machine loses power: the file ends, at any byte, somewhere in what was written in the last second; and
/// is repaired before the server starts, as the operator must.
pub fn everysec(scale: Scale, luck: &mut Luck) -> Report {
    let mut store = Server::with(&each_second());
    // Players do not ask again for what may be lost.
    let manner = Manner {
        checks: false,
        ..manner()
    };
    let mut field = Field::open(&store.address(), scale, "standard", manner);
    let mut moments = Luck::new(luck.next(), "moments");
    let (mut lost, mut report) = (0, Report::default());
    for number in 0..scale.faults {
        let power = number % 2 == 1;
        let mut safe_before = None;
        field.play(luck, |_, service| {
            safe_before = Some(kill(&mut store, power, service, &mut moments)?);
            store.restart();
            service.wait_for(20)
        });
        field.settle(luck);
        for ack in field.strike_lost(luck) {
            lost += 1;
            if safe_before.is_none_or(|safe| ack.at < safe) {
                report
                    .violations
                    .push(format!("everysec: {ack:?} was older than what may be lost"));
            }
        }
        report.fault(
            if power {
                "power lost"
            } else {
                "redis killed (everysec)"
            },
            1,
        );
    }
    report.lost.insert("everysec", lost);
    report.add(field.judge(luck));
    report
}

/// Kills the server; what was answered before the returned moment must be there afterwards.
fn kill(
    store: &mut Server,
    power: bool,
    service: &Service,
    moments: &mut Luck,
) -> Result<Instant, String> {
    service.wait_for(20)?;
    if !power {
        store.kill();
        let killed = Instant::now();
        return Ok(killed.checked_sub(AT_RISK).unwrap_or(killed));
    }
    // All that was answered so long before this moment is in the file's first `safe` bytes.
    let now = Instant::now();
    let safe_before = now.checked_sub(AT_RISK).unwrap_or(now);
    let safe = newest_log(store).map_or(0, |(_, bytes)| bytes);
    service.wait_for(20 + moments.below(200))?;
    sleep(Duration::from_micros(moments.below(700_000)));
    store.kill();
    if let Some((path, bytes)) = newest_log(store) {
        let kept = safe + moments.below(bytes.saturating_sub(safe));
        let file = OpenOptions::new()
            .write(true)
            .open(path)
            .expect("the server's log");
        file.set_len(kept).expect("the server's log, cut");
    }
    store.repair();
    Ok(safe_before)
}

/// The file that the server appends to, and its size.
fn newest_log(store: &Server) -> Option<(PathBuf, u64)> {
    let folder = store.folder().join("appendonlydir");
    let entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    entries
        .filter(|entry| entry.file_name().to_string_lossy().contains(".incr."))
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?.len())))
        .max()
}
