//! Go or no-go, with the reasons in plain sentences, the most important first.

use serde::{Deserialize, Serialize};

use super::text::{count, part, short, some};
use crate::judge::odds::Odds;
use crate::judge::truth::{Basis, Id, Truth};
use crate::limit::Held;
use crate::run::Run;

/// Go or no-go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which.
    pub says: Says,
    /// Why, in sentences, the most important first.
    pub reasons: Vec<Reason>,
    /// What does not change it, and should be known.
    pub cautions: Vec<String>,
}

/// Go or no-go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Says {
    /// It holds.
    Go,
    /// It does not, or nobody knows.
    NoGo,
}

/// A reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What kind of one.
    pub kind: Kind,
    /// The sentence.
    pub says: String,
}

/// Kinds of reasons, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A promise of the product was broken, or nobody looked.
    Truth,
    /// Calls failed.
    Errors,
    /// A limit was missed.
    Limits,
    /// The generator could not keep up, so that its figures are not the target's.
    Generator,
    /// All is well.
    Fine,
}

impl Verdict {
    /// Concludes. `truth` is what the judge found, or why it could not judge.
    pub fn of(run: &Run, limits: &[Held], truth: Result<&Truth, &str>, odds: &[Odds]) -> Self {
        let mut reasons = broken(truth);
        reasons.extend(errors(run, limits));
        let broken = broken_stair(run);
        // What all stairs together took says nothing: the last one is meant to break.
        let of_all = broken.is_none();
        let missed = limits
            .iter()
            .filter(|held| !held.met && !is_of_errors(held) && (of_all || held.measured.is_none()));
        reasons.extend(broken);
        reasons.extend(missed.map(|held| Reason {
            kind: Kind::Limits,
            says: match &held.measured {
                Some(measured) => format!("\u{201c}{}\u{201d} was missed: {measured}.", held.limit),
                None => format!(
                    "\u{201c}{}\u{201d} could not be measured: no such call was answered.",
                    held.limit
                ),
            },
        }));
        if let Some(why) = &run.generator.fell_behind {
            reasons.push(Reason {
                kind: Kind::Generator,
                says: format!(
                    "No verdict on latency: the generator fell behind. {}",
                    sentence(why)
                ),
            });
        }
        let says = if reasons.is_empty() {
            Says::Go
        } else {
            Says::NoGo
        };
        if reasons.is_empty() {
            reasons.push(fine(run, limits, truth));
        }
        Self {
            says,
            reasons,
            cautions: cautions(run, truth, odds),
        }
    }

    /// The exit code of a command that ends with it: 0 go, 4 where nothing but limits was missed, else 1.
    pub fn exit_code(&self) -> u8 {
        match (self.says, self.reasons.first().map(|reason| reason.kind)) {
            (Says::Go, _) => 0,
            (Says::NoGo, Some(Kind::Limits | Kind::Generator)) => 4,
            (Says::NoGo, Some(Kind::Truth | Kind::Errors | Kind::Fine) | None) => 1,
        }
    }
}

impl Says {
    /// In capitals.
    pub fn words(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::NoGo => "NO-GO",
        }
    }
}

/// Where stairs broke, and which one held last.
fn broken_stair(run: &Run) -> Option<Reason> {
    let at = run
        .stairs
        .iter()
        .position(|stair| !stair.missed.is_empty())?;
    let stair = run.stairs.get(at)?;
    let held = at.checked_sub(1).and_then(|below| run.stairs.get(below));
    let held = held.map_or_else(
        || "no stair held".to_owned(),
        |held| format!("{} held", rate(held.journeys_per_sec)),
    );
    Some(Reason {
        kind: Kind::Limits,
        says: format!(
            "{} journeys a second missed a limit ({}); {held}.",
            rate(stair.journeys_per_sec),
            stair.missed.join("; "),
        ),
    })
}

/// Journeys a second.
pub(super) fn rate(journeys_per_sec: f64) -> String {
    if journeys_per_sec < 100.0 {
        short(journeys_per_sec)
    } else {
        count(journeys_per_sec.round() as u64)
    }
}

/// Whether a limit is about failed calls.
pub(super) fn is_of_errors(held: &Held) -> bool {
    held.limit.starts_with("errors")
}

/// How many calls failed, of how many.
pub(super) fn failed(run: &Run) -> (u64, u64) {
    let meanings = || run.calls.iter().flat_map(|calls| calls.meanings.values());
    let failed = meanings().filter(|meaning| meaning.verdict == "failed");
    (
        failed.map(|meaning| meaning.count).sum(),
        meanings().map(|meaning| meaning.count).sum(),
    )
}

fn broken(truth: Result<&Truth, &str>) -> Vec<Reason> {
    let reason = |says| Reason {
        kind: Kind::Truth,
        says,
    };
    let truth = match truth {
        Ok(truth) => truth,
        Err(why) => {
            return vec![reason(format!(
                "The truth was not judged: {}",
                sentence(why)
            ))];
        }
    };
    let broken = truth.checks.iter().filter(|check| check.faults > 0);
    let says = |check: &crate::judge::truth::Check| {
        let n = check.faults;
        let what = match check.id {
            Id::Oversold => format!(
                "{} given beyond the stock",
                some(n, "unit was", "units were")
            ),
            Id::Serials => format!("{} given to two", some(n, "unit was", "units were")),
            Id::DoubleGrants => format!("{} given twice", some(n, "grant was", "grants were")),
            Id::PromisedTwice => format!(
                "{} promised by two answers",
                some(n, "grant was", "grants were")
            ),
            Id::PromisedMissing => format!(
                "{} promised and {} missing",
                some(n, "grant was", "grants were"),
                if n == 1 { "is" } else { "are" }
            ),
            Id::GivenUnsaid => format!(
                "{} given to users who were not told",
                some(n, "thing was", "things were")
            ),
            Id::Budget => format!("{} overrun", some(n, "budget was", "budgets were")),
            Id::Replays => format!(
                "{} from the first answer",
                some(n, "replay differed", "replays differed")
            ),
        };
        let example = check.examples.first();
        let example = example.map_or_else(String::new, |example| {
            format!(" ({}: {})", example.campaign, example.says)
        });
        reason(format!("{what}{example}."))
    };
    broken.map(says).collect()
}

fn errors(run: &Run, limits: &[Held]) -> Option<Reason> {
    let (failed, all) = failed(run);
    let mut asked = limits.iter().filter(|held| is_of_errors(held)).peekable();
    let limited = asked.peek().is_some();
    let words = match asked.find(|held| !held.met) {
        Some(missed) => format!("; \u{201c}{}\u{201d} was asked for", missed.limit),
        None if limited || failed == 0 => return None,
        None => String::new(),
    };
    let says = format!(
        "{} of {} calls failed ({}){words}.",
        count(failed),
        count(all),
        part(failed, all)
    );
    Some(Reason {
        kind: Kind::Errors,
        says,
    })
}

fn fine(run: &Run, limits: &[Held], truth: Result<&Truth, &str>) -> Reason {
    let limits = match limits.len() {
        _ if let Some(top) = run.stairs.last() => format!(
            "No stair broke, up to {} journeys a second",
            rate(top.journeys_per_sec)
        ),
        0 => "The scenario asks for no limits".to_owned(),
        1 => "Its one limit was met".to_owned(),
        2 => "Both limits were met".to_owned(),
        n => format!("All {n} limits were met"),
    };
    let named = truth.map_or(0, |truth| {
        let promised = truth
            .checks
            .iter()
            .find(|check| check.id == Id::PromisedMissing);
        promised.map_or(0, |check| check.looked_at)
    });
    let when = match run.generator.strained {
        Some(_) => "",
        None => " when they were due",
    };
    Reason {
        kind: Kind::Fine,
        says: format!(
            "{limits}, the truth holds over {}, and the generator sent {}{when}.",
            some(named, "promised grant", "promised grants"),
            some(run.generator.sent, "call", "calls"),
        ),
    }
}

fn cautions(run: &Run, truth: Result<&Truth, &str>, odds: &[Odds]) -> Vec<String> {
    let mut cautions = Vec::new();
    cautions.extend(run.generator.strained.as_deref().map(sentence));
    if run.stopped && broken_stair(run).is_none() {
        cautions.push(
            "The run was stopped before its last arrival: what was to come is not tested."
                .to_owned(),
        );
    }
    if let Ok(truth) = truth {
        if truth.basis == Basis::Answers {
            cautions.push(
                "The truth was judged from answers and `/grants` alone: stock, budgets and doubles in the ledger were not looked at. Give `--admin` and `--token` to have them judged."
                    .to_owned(),
            );
        }
        let unknown = truth.unknown.keys;
        if unknown > 0 {
            let done = truth.unknown.done.map_or_else(String::new, |done| {
                format!("; the ledger shows {} of them done", count(done))
            });
            cautions.push(format!(
                "What {} did is not known: every try was lost or answered with 5xx{done}.",
                some(unknown, "call", "calls")
            ));
        }
    }
    for odds in odds.iter().filter(|odds| odds.suspect()) {
        let p = odds.test.map_or(0.0, |test| test.p);
        cautions.push(format!(
            "The draws of {} ({}) do not look like its published odds: p = {p:.1e} over {} draws. One sound wheel in a thousand looks so.",
            odds.campaign, odds.wheel, count(odds.n)
        ));
    }
    cautions
}

/// With a capital and a full stop.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    let stop = if words.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{first}{}{stop}", letters.as_str())
}
