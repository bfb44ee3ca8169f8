//! Members who share a claim of their token (a class, a crew) and sign in together: a day of the team counts when enough of
//! them signed in on it, and the days in a row that count are its streak.
//!
//! A team has no record: how many of its members signed in on a day is a tally, which the commit of each member's first
//! sign-in of the day moves by one, and which the shell reads before a step. A tally only grows, so a reward that is decided
//! on an older one may come later and is never wrong. Each member is given theirs in their own record, when they come next.

use machine::block::{ActionSig, Block, Look, Signature, VarSig};
use machine::calendar::{Calendar, date};
use machine::expr::Fault;
use machine::facts::Tallies;
use machine::ids::Period;
use machine::model::LinkError;
use machine::step::{No, Rejection};
use machine::turn::Turn;
use machine::value::Days;
use machine::{Campaign, Day, Type, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::promise::{Promise, shown};

/// This kind of block.
pub const KIND: &str = "team";

/// The longest streak that may give something, in days: tallies are kept for somewhat longer.
pub const MOST_DAYS: u32 = 90;

/// How many days that count a member may be late for what the team has reached.
pub const LATE_DAYS: u32 = 14;

/// The parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// The fact that holds the tallies, by its place in the definition.
    pub fact: u16,
    /// The variable with the days on which a member signed in: the streak's.
    pub signed: u16,
    /// How many must sign in for a day to count.
    pub needs: Needs,
    /// On how many of the days of a streak a member must have signed in to be given what it gives; at least 1.
    pub own_days: u32,
    /// What each day that counts gives those who signed in on it.
    pub each_day: Vec<Promise>,
    /// What so many days in a row give.
    pub streak: Vec<(u32, Promise)>,
}

/// How many must sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Needs {
    /// So many.
    Members(u32),
    /// Such a share of the team, in percent; its size is a claim, by its place among the tenant's. Rounded up.
    Percent {
        /// From 1 to 100.
        percent: u32,
        /// The claim.
        size: u16,
    },
}

/// The block.
#[derive(Debug)]
pub struct Team {
    params: Params,
    of: u16,
    days: u16,
}

/// What the check knows of it.
pub fn signature() -> Signature {
    let hidden = |name: &str, ty: Type| VarSig {
        name: name.to_owned(),
        ty,
        balance: false,
        show: false,
        default: ty.zero(),
        at_most: i64::MAX,
    };
    Signature {
        vars: vec![
            hidden("$team.of", Type::Str),
            hidden("$team.days", Type::Days),
        ],
        actions: vec![ActionSig {
            name: "claim_team",
            args: vec![],
            outcomes: &[],
            draws: false,
        }],
        functions: vec![],
    }
}

impl Params {
    /// From which day on tallies are needed: so many days that count before today, and none before the campaign.
    pub fn first_day(days: u32, today: Day, calendar: &Calendar, opens: Day) -> Day {
        let mut first = today;
        for _ in 0..days {
            first = calendar.day_before(first);
        }
        first.max(opens)
    }
}

impl Team {
    pub(crate) fn new(params: Params, vars: &[u16]) -> Result<Self, LinkError> {
        let [of, days] = crate::slots(KIND, vars)?;
        Ok(Self { params, of, days })
    }

    fn tallies<'a>(&self, look: &Look<'a>) -> Option<&'a Tallies> {
        let tallies = look.facts.tallies(self.params.fact)?;
        (!tallies.team.is_empty()).then_some(tallies)
    }

    /// How many must sign in for a day to count; none where the token does not say how large the team is.
    fn needs(&self, look: &Look<'_>) -> Option<u32> {
        match self.params.needs {
            Needs::Members(members) => Some(members.max(1)),
            Needs::Percent { percent, size } => match look.user.claims.get(usize::from(size)) {
                Some(Value::Int(size)) if *size > 0 => {
                    let share = i128::from(*size) * i128::from(percent);
                    u32::try_from((share + 99) / 100)
                        .ok()
                        .map(|needs| needs.max(1))
                }
                _ => None,
            },
        }
    }

    fn days_of(vars: &[Value], slot: u16) -> Result<&Days, Fault> {
        match vars.get(usize::from(slot)) {
            Some(Value::Days(days)) => Ok(days),
            _ => Err(Fault::Mismatch("a set of days is missing")),
        }
    }

    /// Counts today for the team, once, if the member has signed in; then gives all that is due. True if something came of it.
    fn settle(&self, turn: &mut Turn<'_>) -> Result<bool, Fault> {
        let look = turn.look();
        let Some(tallies) = self.tallies(&look) else {
            return Ok(false);
        };
        let tallies = tallies.clone();
        let needs = self.needs(&look);
        let today = look.today();
        let calendar = &turn.campaign.calendar;
        let signed = Self::days_of(&turn.core.vars, self.params.signed)?.contains(today);
        let mut own = Self::days_of(&turn.core.vars, self.days)?.clone();
        let is_of = matches!(turn.core.vars.get(usize::from(self.of)), Some(Value::Str(of)) if **of == *tallies.team);
        let mut added = false;
        // One sign-in counts for one team, though its member should change to another on the same day.
        if signed && !calendar.skips(today) && !own.contains(today) {
            if !is_of {
                own = Days::default();
                turn.set(self.of, Value::Str(tallies.team.clone()))?;
            }
            own.insert(today);
            turn.set(self.days, Value::Days(own.clone()))?;
            turn.tally(&tallies.team, today);
            added = true;
        } else if !is_of {
            // What the old team reaches from now on is no longer theirs; what the new one has reached, not yet.
            return Ok(false);
        }
        let Some(needs) = needs.filter(|_| tallies.known) else {
            return Ok(added);
        };
        let counts = |day: Day| {
            let more = u32::from(added && day == today);
            tallies.on(day).saturating_add(more) >= needs
        };
        let seen = Seen {
            first: tallies.first,
            today,
            counts: &counts,
        };
        Ok(self.give(turn, &own, &seen)? || added)
    }

    fn give(&self, turn: &mut Turn<'_>, own: &Days, seen: &Seen<'_>) -> Result<bool, Fault> {
        let before = turn.look().all_grants().count();
        let runs = seen.runs(turn.campaign);
        for day in runs.iter().flat_map(|run| &run.days) {
            for promise in self.params.each_day.iter().filter(|_| own.contains(*day)) {
                turn.give(promise.rule, promise.reward, Period::Day(*day), 1)?;
            }
        }
        for run in runs.iter().filter(|run| run.is_whole) {
            for (length, promise) in &self.params.streak {
                self.keep(*length, *promise, run, own, turn)?;
            }
        }
        Ok(turn.look().all_grants().count() > before)
    }

    /// Keeps a promise for so many days in a row, once for each run.
    fn keep(
        &self,
        length: u32,
        promise: Promise,
        run: &Run,
        own: &Days,
        turn: &mut Turn<'_>,
    ) -> Result<(), Fault> {
        let Some(days) = run.days.get(..length as usize) else {
            return Ok(());
        };
        let signed = days.iter().filter(|day| own.contains(**day)).count();
        let (Some(on), Some(first), Some(last)) = (days.last(), run.days.first(), run.days.last())
        else {
            return Ok(());
        };
        if (signed as u32) < self.params.own_days.clamp(1, length) {
            return Ok(());
        }
        // On an older tally the run may have seemed to begin later: what counts is that it gave this once.
        let within =
            |period: Period| matches!(period, Period::Day(day) if (*first..=*last).contains(&day));
        let look = turn.look();
        let kept = look
            .all_grants()
            .any(|grant| grant.rule == promise.rule && within(grant.period));
        if !kept {
            turn.give(promise.rule, promise.reward, Period::Day(*on), 1)?;
        }
        Ok(())
    }
}

/// What is seen of a team's days.
struct Seen<'a> {
    first: Day,
    today: Day,
    counts: &'a dyn Fn(Day) -> bool,
}

/// Days in a row that count; days that are skipped are not among them.
struct Run {
    days: Vec<Day>,
    /// Whether it is seen from its first day on.
    is_whole: bool,
}

impl Seen<'_> {
    fn runs(&self, campaign: &Campaign) -> Vec<Run> {
        let calendar = &campaign.calendar;
        let opens = calendar.day(campaign.window.opens);
        let mut runs: Vec<Run> = Vec::new();
        let mut running = false;
        // Before the first day that is seen there may be more of the same run.
        let mut whole = self.first <= opens;
        for day in (self.first..=self.today).filter(|day| !calendar.skips(*day)) {
            if !(self.counts)(day) {
                (running, whole) = (false, true);
            } else if let (true, Some(run)) = (running, runs.last_mut()) {
                run.days.push(day);
            } else {
                running = true;
                runs.push(Run {
                    days: vec![day],
                    is_whole: whole,
                });
            }
        }
        runs
    }

    /// The streak as of today: of the run that reaches today, or the last day that counts before it.
    fn streak(&self, campaign: &Campaign) -> usize {
        let before = campaign.calendar.day_before(self.today);
        let runs = self.runs(campaign);
        let last = runs.last().filter(|run| run.days.last() >= Some(&before));
        last.map_or(0, |run| run.days.len())
    }
}

impl Block for Team {
    fn act(&self, _: u16, _: &[Value], turn: &mut Turn<'_>) -> Result<Option<u16>, No> {
        if !self.settle(turn)? && !turn.quiet() {
            return Err(Rejection::NotPossible.into());
        }
        Ok(None)
    }

    fn call(&self, _: u16, _: &[Value], _: &Look<'_>) -> Result<Value, Fault> {
        Err(Fault::Mismatch("no such function of the team"))
    }

    fn follow(&self, turn: &mut Turn<'_>) -> Result<(), Fault> {
        self.settle(turn).map(|_| ())
    }

    fn view(&self, look: &Look<'_>, language: &str) -> Option<(&'static str, Json)> {
        let tallies = self.tallies(look).filter(|tallies| tallies.known)?;
        let needs = self.needs(look)?;
        let counts = |day: Day| tallies.on(day) >= needs;
        let seen = Seen {
            first: tallies.first,
            today: look.today(),
            counts: &counts,
        };
        let streak = seen.streak(look.campaign);
        let next = self
            .params
            .streak
            .iter()
            .filter(|(days, _)| *days as usize > streak)
            .min_by_key(|(days, _)| *days)
            .map(|(days, promise)| {
                let mut next = shown(look.campaign, promise.reward, language);
                next["days"] = json!(days);
                next
            });
        Some((
            "team",
            json!({
                "day": date(seen.today).to_string(),
                "today": tallies.on(seen.today),
                "needs": needs,
                "counts_today": counts(seen.today),
                "streak": streak,
                "next": next,
            }),
        ))
    }
}
