//! How a task stands for a participant, as the record keeps it: within a day or a week, and empty again in the next one.

use machine::block::{Look, VarSig};
use machine::calendar::Calendar;
use machine::expr::Fault;
use machine::model::Every;
use machine::turn::Turn;
use machine::{Millis, Type, Value};

/// The variables of a task, in the order of [`Slots`].
pub(super) const NAMES: [&str; 4] = ["within", "progress", "done", "claimed"];

/// One of them.
pub(super) fn var(task: &str, name: &str) -> VarSig {
    VarSig {
        name: format!("$tasks.{task}.{name}"),
        ty: Type::Int,
        balance: false,
        show: false,
        default: Value::Int(0),
        at_most: i64::MAX,
    }
}

/// Where the record keeps a task.
#[derive(Debug)]
pub(super) struct Slots {
    within: u16,
    progress: u16,
    done: u16,
    claimed: u16,
}

/// How a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// Within what: the day's number, or the week's Monday's; 0 where it is the whole edition.
    within: i64,
    /// How far it is: below its goal until it is done for the last time.
    pub progress: i64,
    /// How often it was done.
    pub done: i64,
    /// How often what it earned was given.
    pub claimed: i64,
}

impl Slots {
    pub fn of(vars: &[u16]) -> Option<Self> {
        let [within, progress, done, claimed] = vars.try_into().ok()?;
        Some(Self {
            within,
            progress,
            done,
            claimed,
        })
    }

    /// How it stands today: nothing of another day or week counts.
    pub fn read(&self, every: Every, look: &Look<'_>) -> Result<Standing, Fault> {
        let within = within(every, look);
        let kept = look.int(self.within)?;
        if kept != within {
            return Ok(Standing {
                within,
                progress: 0,
                done: 0,
                claimed: 0,
            });
        }
        Ok(Standing {
            within,
            progress: look.int(self.progress)?,
            done: look.int(self.done)?,
            claimed: look.int(self.claimed)?,
        })
    }

    pub fn write(&self, standing: Standing, turn: &mut Turn<'_>) -> Result<(), Fault> {
        turn.set(self.within, Value::Int(standing.within))?;
        turn.set(self.progress, Value::Int(standing.progress))?;
        turn.set(self.done, Value::Int(standing.done))?;
        turn.set(self.claimed, Value::Int(standing.claimed))
    }
}

fn within(every: Every, look: &Look<'_>) -> i64 {
    match every {
        Every::Ever => 0,
        Every::Day => i64::from(look.today()),
        Every::Week | Every::Month => i64::from(Calendar::week(look.today())),
    }
}

/// When the day or the week ends that it is of; nothing where it is of the whole edition.
pub(super) fn ends(every: Every, look: &Look<'_>) -> Option<Millis> {
    let next = match every {
        Every::Ever => return None,
        Every::Day => look.today().saturating_add(1),
        Every::Week | Every::Month => Calendar::week(look.today()).saturating_add(7),
    };
    Some(look.campaign.calendar.start_of(next))
}
