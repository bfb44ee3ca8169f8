//! Things to do that earn something: visit, share, buy. Each is reported by an event, is done once it was reported often
//! enough (or a field of the reports adds up to enough), and then earns balances or gives rewards: by itself, or when the
//! user claims it. Within its day or week, if it has one; as one ends, what was reported and not done, and what was done and
//! not claimed, is over.

mod standing;

use std::sync::Arc;

use machine::block::{ActionSig, Block, FunctionSig, Look, Signature, VarSig};
use machine::expr::{Fault, Source};
use machine::model::{Every, LinkError};
use machine::step::{No, Rejection};
use machine::turn::{Gave, Gone, Turn};
use machine::{Campaign, Millis, Text, Type, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use self::standing::{Slots, Standing, ends};
use crate::promise::{May, Promise, may, shown};

/// This kind of block.
pub const KIND: &str = "tasks";

/// The code for a report that no task waits for any more.
pub const DONE: &str = "task-done";

/// The code for a report of tasks that come after another one.
pub const LOCKED: &str = "task-locked";

/// The code for a claim of a task that is not done.
pub const NOT_DONE: &str = "task-not-done";

/// The code for a claim of a task that was claimed as often as it was done.
pub const CLAIMED: &str = "task-claimed";

/// The most times that a task can be done within its day or week.
pub const MOST_TIMES: u32 = 100;

/// The parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// The tasks, in the order shown. Each comes after none, or after one that does not, in turn, come after it.
    pub tasks: Vec<Task>,
}

/// A thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its id; unique, and part of its variables' names and its rules' ids.
    pub id: Arc<str>,
    /// Shown to users.
    pub title: Text,
    /// The event that reports it.
    pub event: u16,
    /// How often, or up to what sum, it is to be reported; at least 1.
    pub goal: i64,
    /// The field of the event that is summed; none: reports are counted.
    pub sum: Option<u16>,
    /// Within what it can be done again.
    pub every: Every,
    /// How often within that; 1 to [`MOST_TIMES`].
    pub times: u32,
    /// The task that must be done before, by its place.
    pub after: Option<u16>,
    /// Whether the user claims what it earns; else it comes by itself.
    pub by_hand: bool,
    /// The balances it earns, and how much of each.
    pub earns: Vec<(u16, i64)>,
    /// What it gives.
    pub gives: Vec<Promise>,
}

/// The block.
#[derive(Debug)]
pub struct Tasks {
    params: Params,
    slots: Vec<Slots>,
}

/// The places of the actions in the signature.
const REPORT: u16 = 0;

/// The places of the functions in the signature.
const IS_DONE: u16 = 0;
const HOW_MANY: u16 = 1;

/// What the check knows of any of them; its variables are [`vars`]. The actions take more arguments than are written:
/// `report` the place of its event and whether one that no task waits for is rejected (1; else 0); `claim_task` the place of
/// the event's field that names the task.
pub fn signature() -> Signature {
    let action = |name| ActionSig {
        name,
        args: vec![],
        outcomes: &[],
        draws: false,
    };
    Signature {
        vars: vec![],
        actions: vec![action("report"), action("claim_task")],
        functions: vec![
            FunctionSig {
                name: "done",
                args: vec![Type::Str],
                result: Type::Bool,
            },
            FunctionSig {
                name: "tasks_done",
                args: vec![],
                result: Type::Int,
            },
            FunctionSig {
                name: "progress",
                args: vec![Type::Str],
                result: Type::Int,
            },
        ],
    }
}

/// The variables of tasks: four for each, by its id, so that a revision may move tasks about.
pub fn vars(params: &Params) -> Vec<VarSig> {
    let tasks = params.tasks.iter();
    tasks
        .flat_map(|task| standing::NAMES.map(|name| standing::var(&task.id, name)))
        .collect()
}

impl Tasks {
    pub(crate) fn new(params: Params, vars: &[u16]) -> Result<Self, LinkError> {
        let slots: Vec<Slots> = vars
            .chunks(standing::NAMES.len())
            .filter_map(Slots::of)
            .collect();
        let possible = params.tasks.iter().all(|task| {
            task.goal > 0 && (1..=MOST_TIMES).contains(&task.times) && task.every != Every::Month
        });
        if slots.len() != params.tasks.len() || !possible {
            return Err(LinkError::Params {
                kind: KIND.to_owned(),
                message: "a task lacks its variables, or a goal that can be reached".to_owned(),
            });
        }
        Ok(Self { params, slots })
    }

    fn each(&self) -> impl Iterator<Item = (usize, &Task, &Slots)> {
        let tasks = self.params.tasks.iter().zip(&self.slots);
        tasks
            .enumerate()
            .map(|(at, (task, slots))| (at, task, slots))
    }

    fn at(&self, at: usize) -> Result<(&Task, &Slots), Fault> {
        let found = self.params.tasks.get(at).zip(self.slots.get(at));
        found.ok_or(Fault::Mismatch("a task is missing"))
    }

    fn standing(&self, at: usize, look: &Look<'_>) -> Result<Standing, Fault> {
        let (task, slots) = self.at(at)?;
        slots.read(task.every, look)
    }

    /// Whether the task that comes before it is done.
    fn is_unlocked(&self, task: &Task, look: &Look<'_>) -> Result<bool, Fault> {
        match task.after {
            None => Ok(true),
            Some(before) => Ok(self.standing(usize::from(before), look)?.done > 0),
        }
    }

    /// The tasks of an event that a report counts for now.
    fn open(&self, event: i64, look: &Look<'_>) -> Result<Vec<usize>, Fault> {
        let mut open = Vec::new();
        for (at, task, slots) in self.each() {
            if i64::from(task.event) == event
                && slots.read(task.every, look)?.done < i64::from(task.times)
                && self.is_unlocked(task, look)?
            {
                open.push(at);
            }
        }
        Ok(open)
    }

    /// Why no task of an event waits for a report.
    fn refusal(&self, event: i64, look: &Look<'_>) -> Result<Rejection, Fault> {
        let mut next_at: Option<Millis> = None;
        for (_, task, slots) in self.each() {
            if i64::from(task.event) != event {
                continue;
            }
            if slots.read(task.every, look)?.done < i64::from(task.times) {
                return Ok(Rejection::Custom(LOCKED.into()));
            }
            let end = ends(task.every, look);
            next_at = next_at.into_iter().chain(end).min();
        }
        let code = DONE.into();
        Ok(Rejection::Later { code, next_at })
    }

    /// Counts a report for every task that waits for it, as they stood before it.
    fn report(&self, event: i64, insists: bool, turn: &mut Turn<'_>) -> Result<(), No> {
        let open = self.open(event, &turn.look())?;
        if open.is_empty() && insists && !turn.quiet() {
            return Err(self.refusal(event, &turn.look())?.into());
        }
        for at in open {
            self.advance(at, turn)?;
        }
        Ok(())
    }

    /// One report more: the task is done as often as the sum goes into its goal, and what is over counts for the next time.
    fn advance(&self, at: usize, turn: &mut Turn<'_>) -> Result<(), No> {
        let (task, slots) = self.at(at)?;
        let by = match task.sum {
            None => 1,
            Some(field) => match turn.look().get(Source::Event(field))? {
                Value::Int(by) => (*by).max(0),
                _ => return Err(Fault::Mismatch("a number was expected").into()),
            },
        };
        let mut standing = self.standing(at, &turn.look())?;
        let sum = standing.progress.saturating_add(by);
        let left = i64::from(task.times) - standing.done;
        let times = (sum / task.goal).min(left);
        standing.done += times;
        standing.progress = if standing.done < i64::from(task.times) {
            sum % task.goal
        } else {
            task.goal
        };
        if !task.by_hand {
            standing.claimed = standing.done;
        }
        slots.write(standing, turn)?;
        if !task.by_hand {
            for _ in 0..times {
                earn(task, false, turn)?;
            }
        }
        Ok(())
    }

    /// Claims what a task that was done once more has earned.
    fn claim(&self, field: Option<&Value>, turn: &mut Turn<'_>) -> Result<(), No> {
        let at = self.named(field, &turn.look())?;
        let (task, slots) = self.at(at)?;
        let mut standing = self.standing(at, &turn.look())?;
        if standing.claimed >= standing.done {
            let next_at = ends(task.every, &turn.look());
            return Err(if standing.done == 0 {
                Rejection::Custom(NOT_DONE.into()).into()
            } else {
                let code = CLAIMED.into();
                Rejection::Later { code, next_at }.into()
            });
        }
        standing.claimed += 1;
        slots.write(standing, turn)?;
        earn(task, true, turn)
    }

    /// The task that the event's field at the place `field` names.
    fn named(&self, field: Option<&Value>, look: &Look<'_>) -> Result<usize, No> {
        let slot = match field {
            Some(Value::Int(slot)) => u16::try_from(*slot).ok(),
            _ => None,
        };
        let slot = slot.ok_or(Fault::Mismatch("a field is missing"))?;
        let Value::Str(name) = look.get(Source::Event(slot))? else {
            return Err(Fault::Mismatch("a text was expected").into());
        };
        let mut tasks = self.params.tasks.iter();
        let found = tasks.position(|task| task.id == *name && task.by_hand);
        found.ok_or_else(|| Rejection::NotPossible.into())
    }

    fn of_name(&self, args: &[Value], look: &Look<'_>) -> Result<Standing, Fault> {
        let Some(Value::Str(name)) = args.first() else {
            return Err(Fault::Mismatch("a task's name was expected"));
        };
        let at = self.params.tasks.iter().position(|task| task.id == *name);
        self.standing(at.ok_or(Fault::Mismatch("a task is missing"))?, look)
    }

    fn shown(task: &Task, campaign: &Campaign, language: &str) -> Json {
        let event = campaign.events.get(usize::from(task.event));
        let earns = task.earns.iter().filter_map(|(slot, amount)| {
            let var = campaign.vars.get(usize::from(*slot))?;
            Some((var.name.clone(), json!(amount)))
        });
        let gives: Json = task
            .gives
            .iter()
            .map(|promise| shown(campaign, promise.reward, language))
            .collect();
        json!({
            "task": &*task.id,
            "title": task.title.pick(language, &campaign.language),
            "event": event.map(|event| &*event.name),
            "goal": task.goal,
            "times": task.times,
            "within": task.every,
            "claim": if task.by_hand { "by-hand" } else { "by-itself" },
            "earns": earns.collect::<serde_json::Map<_, _>>(),
            "gives": gives,
        })
    }
}

/// Gives what a task earns. By itself what is gone is passed over; who claims is told so, and keeps the claim, unless this user
/// can never have it: that is passed over then, too.
fn earn(task: &Task, claims: bool, turn: &mut Turn<'_>) -> Result<(), No> {
    let period = turn.period(task.every);
    for promise in &task.gives {
        let gave = turn.give(promise.rule, promise.reward, period, task.times)?;
        let Gave::Nothing(gone) = gave else { continue };
        let is_passed = match gone {
            Gone::SoldOut | Gone::BudgetSpent => !claims,
            Gone::Had => !claims || may(promise.reward, &turn.look())? != May::Later,
            Gone::Blank => true,
        };
        if !is_passed {
            return Err(turn.rejection(gone, promise.reward).into());
        }
    }
    for (slot, amount) in &task.earns {
        // However much was earned: what no number can hold is cut, or the participant would be locked out.
        let room = i64::MAX - turn.int(*slot)?.max(0);
        turn.add(*slot, (*amount).min(room))?;
    }
    Ok(())
}

impl Block for Tasks {
    fn act(&self, action: u16, args: &[Value], turn: &mut Turn<'_>) -> Result<Option<u16>, No> {
        match (action, args) {
            (REPORT, [Value::Int(event), Value::Int(insists)]) => {
                self.report(*event, *insists == 1, turn)?;
            }
            (REPORT, _) => return Err(Fault::Mismatch("a report names its event").into()),
            (_, args) => {
                let claimed =
                    turn.all_or_none(|turn| self.claim(args.first(), turn).map(|()| true));
                match claimed {
                    // After a draw nothing is rejected any more: the claim waits then.
                    Err(No::Rejected(_)) if turn.quiet() => {}
                    claimed => _ = claimed?,
                }
            }
        }
        Ok(None)
    }

    fn call(&self, function: u16, args: &[Value], look: &Look<'_>) -> Result<Value, Fault> {
        match function {
            IS_DONE => Ok(Value::Bool(self.of_name(args, look)?.done > 0)),
            HOW_MANY => {
                let mut many = 0;
                for (at, ..) in self.each() {
                    many += i64::from(self.standing(at, look)?.done > 0);
                }
                Ok(Value::Int(many))
            }
            _ => Ok(Value::Int(self.of_name(args, look)?.progress)),
        }
    }

    fn refuses(
        &self,
        action: u16,
        args: &[Value],
        look: &Look<'_>,
    ) -> Result<Option<Rejection>, Fault> {
        match (action, args) {
            (REPORT, [Value::Int(event), Value::Int(1)]) => {
                let none = self.open(*event, look)?.is_empty();
                none.then(|| self.refusal(*event, look)).transpose()
            }
            (REPORT, _) => Ok(None),
            (_, _) => {
                for (at, task, _) in self.each() {
                    let standing = self.standing(at, look)?;
                    if task.by_hand && standing.claimed < standing.done {
                        return Ok(None);
                    }
                }
                Ok(Some(Rejection::Custom(NOT_DONE.into())))
            }
        }
    }

    fn view(&self, look: &Look<'_>, language: &str) -> Option<(&'static str, Json)> {
        let time = |at: Millis| look.campaign.calendar.rfc3339(at);
        let shown = |(at, task, _): (usize, &Task, &Slots)| {
            let standing = self.standing(at, look).ok()?;
            let done = standing.done >= i64::from(task.times);
            let next_at = ends(task.every, look).filter(|_| done).map(time);
            let mut shown = Self::shown(task, look.campaign, language);
            shown["progress"] = json!(standing.progress);
            shown["done"] = json!(done);
            shown["times_done"] = json!(standing.done);
            shown["claimable"] = json!(task.by_hand && standing.claimed < standing.done);
            shown["locked"] = json!(!self.is_unlocked(task, look).ok()?);
            shown["next_at"] = json!(next_at);
            Some(shown)
        };
        let tasks: Json = self.each().filter_map(shown).collect();
        Some(("tasks", tasks))
    }

    fn public(&self, campaign: &Campaign, language: &str) -> Option<(&'static str, Json)> {
        let tasks = self.params.tasks.iter();
        let tasks: Json = tasks
            .map(|task| Self::shown(task, campaign, language))
            .collect();
        Some(("tasks", tasks))
    }

    fn next_at(&self, look: &Look<'_>) -> Option<Millis> {
        let over = |(_, task, slots): (usize, &Task, &Slots)| {
            let standing = slots.read(task.every, look).ok()?;
            ends(task.every, look).filter(|_| standing.done >= i64::from(task.times))
        };
        self.each().filter_map(over).min()
    }
}
