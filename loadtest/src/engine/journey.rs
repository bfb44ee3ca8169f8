//! A journey as a program, and where a user is in it. Nothing here knows of calls but their numbers.

use std::time::Duration;

use crate::engine::chance::Dice;
use crate::scenario::{self, Step};

/// One instruction.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Op {
    Think(Duration, Duration),
    /// A call, by its number among all that the scenario makes.
    Call(usize),
    /// Begins a loop of between so many rounds; `past` is the instruction after it.
    Loop {
        least: u32,
        most: u32,
        past: usize,
    },
    /// Ends a round.
    Round,
}

/// A journey's instructions.
#[derive(Debug, Clone, PartialEq)]
pub struct Program(Vec<Op>);

/// Where a user is.
#[derive(Debug, Clone, Default)]
pub struct Cursor {
    at: usize,
    /// The loops that are open, from the outermost: rounds left, where it begins, where it goes on after it.
    loops: Vec<(u32, usize, usize)>,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Time passes.
    Wait(Duration),
    /// A call.
    Call(usize),
    /// The journey is over.
    End,
}

impl Program {
    /// Writes it; `number` gives each call its number.
    pub fn new(steps: &[Step], number: &mut impl FnMut(&scenario::Ask) -> usize) -> Self {
        let mut ops = Vec::new();
        write(steps, number, &mut ops);
        Self(ops)
    }
}

fn write(steps: &[Step], number: &mut impl FnMut(&scenario::Ask) -> usize, ops: &mut Vec<Op>) {
    for step in steps {
        match step {
            Step::Think(least, most) => ops.push(Op::Think(*least, *most)),
            Step::Call(ask) => ops.push(Op::Call(number(ask))),
            Step::Repeat(least, most, steps) => {
                let begin = ops.len();
                ops.push(Op::Round);
                write(steps, number, ops);
                ops.push(Op::Round);
                let past = ops.len();
                if let Some(op) = ops.get_mut(begin) {
                    *op = Op::Loop {
                        least: *least,
                        most: *most,
                        past,
                    };
                }
            }
        }
    }
}

impl Cursor {
    /// Goes to what comes next. Loops are bounded, so it ends.
    pub fn next(&mut self, program: &Program, dice: &mut Dice) -> Next {
        while let Some(op) = program.0.get(self.at) {
            self.at += 1;
            match *op {
                Op::Think(least, most) => {
                    let spread = most.saturating_sub(least).mul_f64(dice.share());
                    return Next::Wait(least + spread);
                }
                Op::Call(call) => return Next::Call(call),
                Op::Loop { least, most, past } => {
                    let more = u64::from(most.saturating_sub(least)) + 1;
                    let rounds = least + dice.below(more) as u32;
                    if rounds == 0 {
                        self.at = past;
                    } else {
                        self.loops.push((rounds, self.at, past));
                    }
                }
                Op::Round => {
                    if let Some((left, begin, _)) = self.loops.last_mut() {
                        *left -= 1;
                        if *left > 0 {
                            self.at = *begin;
                        } else {
                            self.loops.pop();
                        }
                    }
                }
            }
        }
        Next::End
    }

    /// A no: the loop that it stands in is over.
    pub fn give_up(&mut self) {
        if let Some((_, _, past)) = self.loops.pop() {
            self.at = past;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Ask;

    fn walk(steps: &[Step], no_at: Option<usize>) -> Vec<usize> {
        let mut calls = 0;
        let program = Program::new(steps, &mut |_| {
            calls += 1;
            calls - 1
        });
        let (mut cursor, mut dice) = (Cursor::default(), Dice::of(1, 2, 3));
        let mut went = Vec::new();
        loop {
            match cursor.next(&program, &mut dice) {
                Next::Wait(_) => {}
                Next::Call(call) => {
                    went.push(call);
                    if no_at == Some(went.len()) {
                        cursor.give_up();
                    }
                }
                Next::End => return went,
            }
        }
    }

    #[test]
    fn loops_go_round_and_a_no_ends_the_inner_one() {
        let call = || Step::Call(Ask::View);
        let steps = [
            call(),
            Step::Repeat(2, 2, vec![call(), Step::Repeat(3, 3, vec![call()]), call()]),
            Step::Repeat(0, 0, vec![call()]),
            call(),
        ];
        assert_eq!(walk(&steps, None), [0, 1, 2, 2, 2, 3, 1, 2, 2, 2, 3, 5]);
        assert_eq!(walk(&steps, Some(3)), [0, 1, 2, 3, 1, 2, 2, 2, 3, 5]);
        assert_eq!(walk(&steps, Some(2)), [0, 1, 5]);
        assert_eq!(walk(&steps, Some(1)), walk(&steps, None));
    }

    #[test]
    fn times_lie_between_their_bounds() {
        let steps = [Step::Think(Duration::from_secs(1), Duration::from_secs(3))];
        let program = Program::new(&steps, &mut |_| 0);
        let mut longest = Duration::ZERO;
        for number in 0..1000 {
            let next = Cursor::default().next(&program, &mut Dice::of(1, 2, number));
            let Next::Wait(waits) = next else {
                panic!("{next:?}")
            };
            assert!((Duration::from_secs(1)..=Duration::from_secs(3)).contains(&waits));
            longest = longest.max(waits);
        }
        assert!(longest > Duration::from_millis(2900));
    }
}
