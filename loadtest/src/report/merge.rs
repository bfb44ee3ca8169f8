//! Makes one report of the parts of a run that several processes or machines shared. What does not belong together is refused by name: a
//! sum of unlike things looks like a result.

use chrono::DateTime;

use super::{Parts, Report};
use crate::histogram::Histogram;
use crate::judge::odds::Odds;
use crate::limit::{Limit, Unread};
use crate::run::{Calls, Generator, Machine, Run, Window};

/// Why parts cannot be merged.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// There is none.
    #[error("there is nothing to merge: name the `report.json` of each part")]
    Nothing,
    /// One is not a part.
    #[error("{0} is a whole run and no part of one: parts are made with `gala load --part 1/3`")]
    Whole(String),
    /// Two are not of one run.
    #[error(
        "{first} and {second} are not parts of one run: {what} is `{one}` in the first and `{two}` in the second"
    )]
    Unlike {
        /// The first one's name.
        first: String,
        /// The other one's.
        second: String,
        /// In what they differ.
        what: &'static str,
        /// What the first says.
        one: String,
        /// What the other says.
        two: String,
    },
    /// One is there twice.
    #[error("{first} and {second} are both part {part}: what they counted would be counted twice")]
    Twice {
        /// The first one's name.
        first: String,
        /// The other one's.
        second: String,
        /// Which.
        part: u32,
    },
    /// Some are not there.
    #[error(
        "parts {missing} of {of} are missing: without them the report would show less load than there was"
    )]
    Missing {
        /// Which.
        missing: String,
        /// How many there are in all.
        of: u32,
    },
    /// One has a beginning that is no time.
    #[error("{name} began at `{at}`, which is no RFC 3339 time")]
    Began {
        /// Its name.
        name: String,
        /// When it says.
        at: String,
    },
    /// A limit that is none.
    #[error(transparent)]
    Limit(#[from] Unread),
}

/// Merges the parts, each with the name by which a refusal calls it.
pub fn merge(parts: &[(String, Report)]) -> Result<Report, Error> {
    let ((first_name, first), others) = parts.split_first().ok_or(Error::Nothing)?;
    agree((first_name, first), others)?;
    let of = complete(parts)?;
    let mut began = Vec::new();
    for (name, report) in parts {
        let at = &report.run.began_at;
        let read = DateTime::parse_from_rfc3339(at);
        let read = read.map_err(|_| Error::Began {
            name: name.clone(),
            at: at.clone(),
        })?;
        began.push(read);
    }
    let earliest = began.iter().min().copied().unwrap_or_default();
    let late = |at: &DateTime<_>| (*at - earliest).num_milliseconds() as f64 / 1000.0;
    let runs: Vec<(f64, &Run)> = began
        .iter()
        .map(late)
        .zip(parts.iter().map(|(_, part)| &part.run))
        .collect();
    let mut run = runs_as_one(&runs).ok_or(Error::Nothing)?;
    run.generator = generators(parts, of);

    let limits = first.limits.iter().map(|held| Limit::read(&held.limit));
    let limits = limits
        .map(|limit| limit.map(|limit| limit.measure(&run)))
        .collect::<Result<_, _>>()?;
    let (server, late) = parts
        .iter()
        .zip(&runs)
        .find_map(|((_, part), (late, _))| Some((part.server.clone()?, *late)))
        .map_or((None, 0.0), |(server, late)| (Some(server), late));
    let server = server.map(|mut server| {
        server
            .looks
            .iter_mut()
            .for_each(|look| look.at_secs += late);
        server
    });
    Ok(Report::of(Parts {
        truth: truths(parts),
        odds: draws(parts),
        server,
        limits,
        // Both are reckoned from what one process measured, which is only a part.
        capacity: Vec::new(),
        found: None,
        reproduce: first.reproduce.clone(),
        run,
    }))
}

/// That all are of one scenario, seed and target.
fn agree((first, one): (&str, &Report), others: &[(String, Report)]) -> Result<(), Error> {
    for (second, two) in others {
        for (what, a, b) in [
            (
                "the scenario",
                one.run.scenario.clone(),
                two.run.scenario.clone(),
            ),
            (
                "the scenario's digest",
                one.reproduce.scenario_sha256.clone(),
                two.reproduce.scenario_sha256.clone(),
            ),
            (
                "the seed",
                one.run.seed.to_string(),
                two.run.seed.to_string(),
            ),
            ("the target", one.run.target.clone(), two.run.target.clone()),
            (
                "the window",
                one.run.window_secs.to_string(),
                two.run.window_secs.to_string(),
            ),
        ] {
            if a != b {
                return Err(Error::Unlike {
                    first: first.to_owned(),
                    second: second.clone(),
                    what,
                    one: a,
                    two: b,
                });
            }
        }
    }
    Ok(())
}

/// That each part is there, once; how many there are.
fn complete(parts: &[(String, Report)]) -> Result<u32, Error> {
    let mut seen: Vec<(u32, u32, &str)> = Vec::new();
    for (name, report) in parts {
        let (part, of) = report.run.part.ok_or_else(|| Error::Whole(name.clone()))?;
        if let Some((_, other, first)) = seen.iter().find(|(_, other, _)| *other != of) {
            let (one, two) = (other.to_string(), of.to_string());
            return Err(Error::Unlike {
                first: (*first).to_owned(),
                second: name.clone(),
                what: "the number of parts",
                one,
                two,
            });
        }
        if let Some((_, _, first)) = seen.iter().find(|(other, _, _)| *other == part) {
            return Err(Error::Twice {
                first: (*first).to_owned(),
                second: name.clone(),
                part,
            });
        }
        seen.push((part, of, name));
    }
    let of = seen.first().map_or(0, |(_, of, _)| *of);
    let missing = (1..=of).filter(|part| seen.iter().all(|(seen, _, _)| seen != part));
    let missing: Vec<String> = missing.map(|part| part.to_string()).collect();
    if missing.is_empty() {
        Ok(of)
    } else {
        Err(Error::Missing {
            missing: missing.join(", "),
            of,
        })
    }
}

/// One run of several, each with how many seconds later than the first it began. The generator's figures stay the first one's.
fn runs_as_one(runs: &[(f64, &Run)]) -> Option<Run> {
    let (_, first) = runs
        .iter()
        .min_by(|(one, _), (two, _)| one.total_cmp(two))?;
    let mut whole = Run {
        part: None,
        windows: Vec::new(),
        calls: Vec::new(),
        phases: Vec::new(),
        stairs: Vec::new(),
        ..(*first).clone()
    };
    let mut machines: Vec<&Machine> = Vec::new();
    for (late, run) in runs {
        let shift = (late / run.window_secs.max(0.001)).round() as usize;
        whole.secs = whole.secs.max(late + run.secs);
        whole.stopped |= run.stopped;
        for (at, phase) in run.phases.iter().enumerate() {
            if let Some(known) = whole.phases.get_mut(at) {
                known.from_secs = known.from_secs.min(late + phase.from_secs);
                known.to_secs = known.to_secs.max(late + phase.to_secs);
            } else {
                let mut phase = phase.clone();
                phase.from_secs += late;
                phase.to_secs += late;
                whole.phases.push(phase);
            }
        }
        for (at, stair) in run.stairs.iter().enumerate() {
            if let Some(known) = whole.stairs.get_mut(at) {
                known.from_secs = known.from_secs.min(late + stair.from_secs);
                known.to_secs = known.to_secs.max(late + stair.to_secs);
                known.missed.extend(stair.missed.iter().cloned());
            } else {
                let mut stair = stair.clone();
                stair.from_secs += late;
                stair.to_secs += late;
                whole.stairs.push(stair);
            }
        }
        for (at, window) in run.windows.iter().enumerate() {
            add_window(
                at_place(&mut whole.windows, at + shift, Window::default),
                window,
            );
        }
        for calls in &run.calls {
            let known = whole
                .calls
                .iter()
                .position(|known| known.name == calls.name && known.campaign == calls.campaign);
            let known = known.unwrap_or_else(|| {
                whole.calls.push(Calls {
                    name: calls.name.clone(),
                    campaign: calls.campaign.clone(),
                    times: Histogram::fine(),
                    raw: Histogram::fine(),
                    windows: Vec::new(),
                    meanings: std::collections::BTreeMap::new(),
                    bytes: 0,
                });
                whole.calls.len() - 1
            });
            if let Some(known) = whole.calls.get_mut(known) {
                add_calls(known, calls, shift);
            }
        }
        if !machines.contains(&&run.machine) {
            machines.push(&run.machine);
        }
    }
    whole.machine = machines_as_one(&machines)?;
    Some(whole)
}

/// The element at a place; what is missing before it is made.
fn at_place<T>(list: &mut Vec<T>, at: usize, make: impl FnMut() -> T) -> &mut T {
    if list.len() <= at {
        list.resize_with(at + 1, make);
    }
    &mut list[at]
}

fn add_window(to: &mut Window, more: &Window) {
    to.asked += more.asked;
    to.sent += more.sent;
    to.answered += more.answered;
    to.failed += more.failed;
    to.under_way += more.under_way;
    to.waiting += more.waiting;
    to.connections += more.connections;
    to.generator_cpu_secs += more.generator_cpu_secs;
}

fn add_calls(to: &mut Calls, more: &Calls, shift: usize) {
    to.times.merge(&more.times);
    to.raw.merge(&more.raw);
    to.bytes += more.bytes;
    for (at, window) in more.windows.iter().enumerate() {
        at_place(&mut to.windows, at + shift, Histogram::coarse).merge(window);
    }
    for (meaning, count) in &more.meanings {
        to.meanings
            .entry(meaning.clone())
            .and_modify(|known| known.count += count.count)
            .or_insert_with(|| count.clone());
    }
}

fn generators(parts: &[(String, Report)], of: u32) -> Generator {
    let mut all = Generator {
        threads: 0,
        cpu_secs: 0.0,
        lag: Histogram::fine(),
        asked: 0,
        sent: 0,
        unsent: 0,
        connections: 0,
        connects: 0,
        memory_mb: 0.0,
        fell_behind: None,
        strained: None,
    };
    let (mut behind, mut strained) = (Vec::new(), Vec::new());
    for (_, part) in parts {
        let one = &part.run.generator;
        all.threads += one.threads;
        all.cpu_secs += one.cpu_secs;
        all.lag.merge(&one.lag);
        all.asked += one.asked;
        all.sent += one.sent;
        all.unsent += one.unsent;
        all.connections += one.connections;
        all.connects += one.connects;
        all.memory_mb += one.memory_mb;
        for (said, of_all) in [
            (&one.fell_behind, &mut behind),
            (&one.strained, &mut strained),
        ] {
            if let (Some(why), Some((number, _))) = (said, part.run.part) {
                of_all.push(format!("part {number} of {of}: {why}"));
            }
        }
    }
    all.fell_behind = (!behind.is_empty()).then(|| behind.join("; "));
    all.strained = (!strained.is_empty()).then(|| strained.join("; "));
    all
}

/// Several machines as one; what is said of each is said of all where they are alike.
fn machines_as_one(machines: &[&Machine]) -> Option<Machine> {
    let (first, others) = machines.split_first()?;
    let mut all = (*first).clone();
    for other in others {
        // The same machine under another load is one machine.
        let same = (&other.cpu, other.cores, other.memory_mb, &other.system)
            == (&first.cpu, first.cores, first.memory_mb, &first.system);
        all.load = all.load.max(other.load);
        if !same {
            all.cpu = format!("{} + {}", all.cpu, other.cpu);
            all.system = format!("{} + {}", all.system, other.system);
            all.cores += other.cores;
            all.memory_mb += other.memory_mb;
        }
    }
    Some(all)
}

fn truths(parts: &[(String, Report)]) -> Result<crate::judge::truth::Truth, String> {
    let mut whole = None;
    for (name, part) in parts {
        let Some(truth) = &part.truth else {
            return Err(format!(
                "{name}: {}",
                part.unjudged.as_deref().unwrap_or("no reason is given")
            ));
        };
        match &mut whole {
            None => whole = Some(truth.clone()),
            Some(whole) => whole.merge(truth),
        }
    }
    whole.ok_or_else(|| "there are no parts".to_owned())
}

/// Of each wheel what the later look at the ledger saw: every part looked at the draws of all.
fn draws(parts: &[(String, Report)]) -> Vec<Odds> {
    let mut all: Vec<Odds> = Vec::new();
    for odds in parts.iter().flat_map(|(_, part)| &part.odds) {
        let known = all.iter_mut().find(|known| {
            known.campaign == odds.campaign && known.wheel == odds.wheel && known.tier == odds.tier
        });
        match known {
            Some(known) if known.n >= odds.n => {}
            Some(known) => *known = odds.clone(),
            None => all.push(odds.clone()),
        }
    }
    all
}
