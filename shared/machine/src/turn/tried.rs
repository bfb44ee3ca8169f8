//! Several things to be done together or not at all where nothing is rejected any more: done on trial, and taken back whole if one of
//! them can't be.

use super::Turn;
use crate::participant::{Core, Grant};
use crate::step::No;
use crate::world::CounterMove;

/// All that giving changes in a turn, as it was.
struct Before {
    core: Core,
    new_grants: Vec<Grant>,
    moves: Vec<CounterMove>,
    alternatives: Vec<CounterMove>,
    rows: usize,
    outcome: Option<&'static str>,
}

impl Turn<'_> {
    /// Does what `try_all` does if all of it can be: it says so with true. Else nothing of it has happened, and the result is
    /// false. It must not draw: a draw is never taken back.
    pub fn all_or_none(
        &mut self,
        try_all: impl FnOnce(&mut Self) -> Result<bool, No>,
    ) -> Result<bool, No> {
        let before = Before {
            core: self.core.clone(),
            new_grants: self.new_grants.clone(),
            moves: self.moves.clone(),
            alternatives: self.alternatives.clone(),
            rows: self.rows.len(),
            outcome: self.outcome,
        };
        let done = try_all(self);
        if !matches!(done, Ok(true)) {
            self.core = before.core;
            self.new_grants = before.new_grants;
            self.moves = before.moves;
            self.alternatives = before.alternatives;
            self.rows.truncate(before.rows);
            self.outcome = before.outcome;
        }
        done
    }
}
