//! What gave out: reckoned from who was busy at the lowest rate that missed, beside the highest that held. A doubtful generator is named
//! before anything else, since it makes the other figures doubtful.

use super::Tried;
use crate::limit::short;

/// From which part of its cores on (0 to 1) a process counts as used up: the rest is what a mean over seconds hides.
const USED_UP: f64 = 0.85;

/// By which factor commits must have become slower for the store to be the cause.
const SLOWER: f64 = 2.0;

/// From which share of answers on (0 to 1) a rate limit is what stands in the way.
const LIMITED: f64 = 0.001;

/// What gave out, and why that is thought.
#[derive(Debug, PartialEq)]
pub(super) struct Cause {
    pub gave_out: &'static str,
    pub because: String,
}

/// Says what gave out between the highest rate that held and the lowest that missed.
pub(super) fn cause(held: Option<&Tried>, missed: Option<&Tried>) -> Cause {
    let Some(missed) = missed else {
        let most = held.map_or(0.0, |held| held.tried.answered_per_sec);
        return Cause {
            gave_out: "not-reached",
            because: format!(
                "all limits were met up to {}/s, the highest rate that was to be tried",
                short(most)
            ),
        };
    };
    let at = format!("at {}/s asked", short(missed.tried.asked_per_sec));
    let found = generator(missed)
        .or_else(|| function_cpu(missed))
        .or_else(|| store(held, missed));
    match found {
        Some((gave_out, why)) => Cause {
            gave_out,
            because: format!("{at} {why}"),
        },
        None => Cause {
            gave_out: "limit",
            because: format!("{at} {}", nothing(missed)),
        },
    }
}

type Named = Option<(&'static str, String)>;

fn generator(missed: &Tried) -> Named {
    let (cpu, threads) = (
        missed.tried.generator_cpu,
        missed.evidence.generator_threads,
    );
    if let Some(why) = &missed.evidence.fell_behind {
        let cpu = short(cpu);
        return Some((
            "generator",
            format!(
                "the generator could not keep up ({why}; it used {cpu} cores): the target may bear more"
            ),
        ));
    }
    // Where both share a machine, the target's part of it is looked at next.
    let alone = missed.evidence.shared_cores.is_none();
    (alone && threads > 0.0 && cpu >= USED_UP * threads).then(|| {
        let why = format!(
            "the generator used {} of its {} threads: the target may bear more",
            short(cpu),
            short(threads)
        );
        ("generator", why)
    })
}

fn function_cpu(missed: &Tried) -> Named {
    let cpu = missed.tried.server_cpu?;
    if let Some(cores) = missed.evidence.server_cores
        && cpu >= USED_UP * cores
    {
        let why = format!(
            "the target used {} of its {} cores",
            short(cpu),
            short(cores)
        );
        return Some(("function-cpu", why));
    }
    let (generator, cores) = (missed.tried.generator_cpu, missed.evidence.shared_cores?);
    if cpu + generator < USED_UP * cores {
        return None;
    }
    let both = format!(
        "{} cores and the generator beside it {} of the machine's {}: on machines of their own both do more",
        short(cpu),
        short(generator),
        short(cores)
    );
    Some(if cpu >= generator {
        ("function-cpu", format!("the target used {both}"))
    } else {
        (
            "generator",
            format!("the target used {both}, and the generator used the larger part"),
        )
    })
}

fn store(held: Option<&Tried>, missed: &Tried) -> Named {
    let now = missed.evidence.commit_ms?;
    let cpu = missed.tried.server_cpu;
    let beside = cpu.map_or_else(String::new, |cpu| {
        format!(", while the target used {} cores", short(cpu))
    });
    let before = held.and_then(|held| held.evidence.commit_ms);
    let slower = before.is_some_and(|before| now >= SLOWER * before);
    // Where nothing held there is nothing to compare with: a commit that takes most of the slowest calls' time is enough.
    let most = before.is_none() && missed.tried.p99_ms.is_some_and(|p99| now >= p99 / 2.0);
    let was = before.map_or_else(String::new, |before| {
        format!(" instead of {} ms", short(before))
    });
    (slower || most).then(|| {
        let why = format!("a commit took {} ms on average{was}{beside}", short(now));
        ("store", why)
    })
}

/// Limits were missed, and nobody was seen at their end.
fn nothing(missed: &Tried) -> String {
    let limits = missed.tried.missed.join("; ");
    let evidence = &missed.evidence;
    if evidence.limited >= LIMITED {
        return format!(
            "a rate limit refused {} % of the calls ({limits}): the tenant's or the users' quota, not the machine",
            short(evidence.limited * 100.0)
        );
    }
    if let Some(shed) = evidence.shed_per_sec.filter(|shed| *shed > 0.0) {
        return format!(
            "the target refused {} calls a second since too many were under way ({limits})",
            short(shed)
        );
    }
    match missed.tried.server_cpu {
        Some(cpu) => format!(
            "{limits}, and nobody who can be seen was at their end: the target used {} cores, the generator {}",
            short(cpu),
            short(missed.tried.generator_cpu)
        ),
        None => format!(
            "{limits}; what the target was busy with is not known: its metrics were not asked (--admin URL)"
        ),
    }
}
