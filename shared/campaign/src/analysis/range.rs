//! What is known of a number, a truth value, a text: intervals, three-valued truth, small sets. Each stands for all values
//! it could be, never for fewer.

use std::collections::BTreeSet;
use std::sync::Arc;

use machine::expr::Arith;
use machine::{Type, Value};

/// The most texts that a variable is followed through; with more it may be any.
const MOST_TEXTS: usize = 12;

/// Whole numbers from `low` to `high`, both included; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub low: i64,
    pub high: i64,
}

impl Range {
    pub const ANY: Self = Self {
        low: i64::MIN,
        high: i64::MAX,
    };

    pub const COUNT: Self = Self {
        low: 0,
        high: i64::MAX,
    };

    pub fn one(value: i64) -> Self {
        Self {
            low: value,
            high: value,
        }
    }

    pub fn new(low: i64, high: i64) -> Option<Self> {
        (low <= high).then_some(Self { low, high })
    }

    pub fn only(self) -> Option<i64> {
        (self.low == self.high).then_some(self.low)
    }

    pub fn with(self, other: Self) -> Option<Self> {
        Self::new(self.low.max(other.low), self.high.min(other.high))
    }

    pub fn or(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    /// What arithmetic gives where it gives anything: what overflows refuses the event.
    fn within(low: i128, high: i128) -> Option<Self> {
        let (least, most) = (i128::from(i64::MIN), i128::from(i64::MAX));
        (low <= most && high >= least).then(|| Self {
            low: low.max(least) as i64,
            high: high.min(most) as i64,
        })
    }

    pub fn neg(self) -> Option<Self> {
        Self::within(-i128::from(self.high), -i128::from(self.low))
    }

    pub fn arith(how: Arith, left: Self, right: Self) -> Option<Self> {
        let (a, b) = (i128::from(left.low), i128::from(left.high));
        let (c, d) = (i128::from(right.low), i128::from(right.high));
        match how {
            Arith::Add => Self::within(a + c, b + d),
            Arith::Sub => Self::within(a - d, b - c),
            Arith::Mul => hull([a * c, a * d, b * c, b * d]),
            Arith::Div => {
                let divisors = [c, d, -1, 1]
                    .into_iter()
                    .filter(|by| *by != 0 && (c..=d).contains(by));
                hull(divisors.flat_map(|by| [a / by, b / by]))
            }
            Arith::Rem => {
                let most = c.abs().max(d.abs()) - 1;
                let least = if c > 0 { c } else { -d };
                if most < 0 {
                    return None;
                }
                if a >= 0 && b < least {
                    return Some(left);
                }
                Self::within((-most).max(a).min(0), most.min(b).max(0))
            }
        }
    }
}

fn hull(values: impl IntoIterator<Item = i128>) -> Option<Range> {
    let mut values = values.into_iter();
    let first = values.next()?;
    let (low, high) = values.fold((first, first), |(low, high), next| {
        (low.min(next), high.max(next))
    });
    Range::within(low, high)
}

/// Which truth values are possible; with neither, the expression always fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Truth {
    pub yes: bool,
    pub no: bool,
}

impl Truth {
    pub const EITHER: Self = Self {
        yes: true,
        no: true,
    };

    pub fn one(value: bool) -> Self {
        Self {
            yes: value,
            no: !value,
        }
    }

    pub fn may(self, value: bool) -> bool {
        if value { self.yes } else { self.no }
    }

    pub fn or(self, other: Self) -> Self {
        Self {
            yes: self.yes || other.yes,
            no: self.no || other.no,
        }
    }
}

/// Which texts are possible: none of them named means any.
pub(super) type Texts = Option<BTreeSet<Arc<str>>>;

/// What is known of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    Int(Range),
    Bool(Truth),
    Text(Texts),
    /// Lists and sets of days: nothing is.
    Other,
}

impl Known {
    /// All values of a type.
    pub fn any(ty: Type) -> Self {
        match ty {
            Type::Bool => Self::Bool(Truth::EITHER),
            Type::Int | Type::Date | Type::Time | Type::Duration => Self::Int(Range::ANY),
            Type::Str => Self::Text(None),
            Type::Strs | Type::Days => Self::Other,
        }
    }

    pub fn one(value: &Value) -> Self {
        match value {
            Value::Bool(value) => Self::Bool(Truth::one(*value)),
            Value::Int(value) => Self::Int(Range::one(*value)),
            Value::Str(value) => Self::Text(Some(BTreeSet::from([value.clone()]))),
            Value::Strs(_) | Value::Days(_) => Self::Other,
        }
    }

    pub fn or(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => Self::Int(left.or(*right)),
            (Self::Bool(left), Self::Bool(right)) => Self::Bool(left.or(*right)),
            (Self::Text(Some(left)), Self::Text(Some(right))) => {
                let all: BTreeSet<_> = left.union(right).cloned().collect();
                Self::Text((all.len() <= MOST_TEXTS).then_some(all))
            }
            (Self::Text(_), Self::Text(_)) => Self::Text(None),
            _ => Self::Other,
        }
    }

    /// The same, its ends moved out to the next of `steps` where they have moved since `before`: so that going round a
    /// machine comes to an end.
    pub fn widened(&self, before: &Self, steps: &[i64]) -> Self {
        let (Self::Int(now), Self::Int(before)) = (self, before) else {
            return self.clone();
        };
        let low = if now.low < before.low {
            let below = steps.iter().rev().find(|step| **step <= now.low);
            below.copied().unwrap_or(i64::MIN)
        } else {
            now.low
        };
        let high = if now.high > before.high {
            let above = steps.iter().find(|step| **step >= now.high);
            above.copied().unwrap_or(i64::MAX)
        } else {
            now.high
        };
        Self::Int(Range { low, high })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range() -> impl Strategy<Value = Range> {
        let end = prop_oneof![-12i64..12, Just(i64::MIN), Just(i64::MAX), any::<i64>()];
        (end.clone(), end).prop_map(|(a, b)| Range {
            low: a.min(b),
            high: a.max(b),
        })
    }

    proptest! {
        #[test]
        fn arithmetic_stays_within(left in range(), right in range(), at in any::<(u64, u64)>()) {
            let pick = |range: Range, at: u64| {
                let span = i128::from(range.high) - i128::from(range.low) + 1;
                (i128::from(range.low) + i128::from(at) % span) as i64
            };
            // Ends and what lies between.
            for a in [left.low, left.high, pick(left, at.0)] {
                for b in [right.low, right.high, pick(right, at.1)] {
                    for how in [Arith::Add, Arith::Sub, Arith::Mul, Arith::Div, Arith::Rem] {
                        if let Ok(value) = how.of(a, b) {
                            let found = Range::arith(how, left, right);
                            prop_assert!(
                                found.is_some_and(|found| (found.low..=found.high).contains(&value)),
                                "{how:?} of {a} and {b} is {value}, not in {found:?}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_always_fails_is_nothing() {
        let zero = Range::one(0);
        assert_eq!(Range::arith(Arith::Div, Range::ANY, zero), None);
        assert_eq!(Range::arith(Arith::Rem, Range::ANY, zero), None);
        let most = Range::one(i64::MAX);
        assert_eq!(Range::arith(Arith::Add, most, Range::one(1)), None);
        assert_eq!(Range::one(i64::MIN).neg(), None);
    }
}
