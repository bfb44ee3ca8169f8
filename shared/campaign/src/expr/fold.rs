//! Programs put together, with everything worked out that needs no participant.

use machine::expr::{Arith, BoolExpr, Compare, Fault, IntExpr, StrExpr};

/// `-x`.
pub(super) fn neg(inner: IntExpr) -> Result<IntExpr, Fault> {
    match inner {
        IntExpr::Lit(value) => value.checked_neg().map(IntExpr::Lit).ok_or(Fault::Overflow),
        other => Ok(IntExpr::Neg(Box::new(other))),
    }
}

/// `a + b` and its like.
pub(super) fn arith(how: Arith, left: IntExpr, right: IntExpr) -> Result<IntExpr, Fault> {
    match (&left, &right) {
        (IntExpr::Lit(a), IntExpr::Lit(b)) => how.of(*a, *b).map(IntExpr::Lit),
        (_, IntExpr::Lit(0)) if matches!(how, Arith::Div | Arith::Rem) => {
            Err(Fault::DivisionByZero)
        }
        _ => Ok(IntExpr::Arith(how, Box::new((left, right)))),
    }
}

/// `a < b` and its like.
pub(super) fn compare(how: Compare, left: IntExpr, right: IntExpr) -> BoolExpr {
    match (&left, &right) {
        (IntExpr::Lit(a), IntExpr::Lit(b)) => BoolExpr::Lit(how.holds(*a, *b)),
        _ => BoolExpr::Compare(how, left, right),
    }
}

/// `'a' == b`.
pub(super) fn same_str(left: StrExpr, right: StrExpr) -> BoolExpr {
    match (&left, &right) {
        (StrExpr::Lit(a), StrExpr::Lit(b)) => BoolExpr::Lit(a == b),
        _ => BoolExpr::SameStr(left, right),
    }
}

/// `a == true`.
pub(super) fn same_bool(left: BoolExpr, right: BoolExpr) -> BoolExpr {
    match (left, right) {
        (BoolExpr::Lit(a), BoolExpr::Lit(b)) => BoolExpr::Lit(a == b),
        (BoolExpr::Lit(true), other) | (other, BoolExpr::Lit(true)) => other,
        (BoolExpr::Lit(false), other) | (other, BoolExpr::Lit(false)) => not(other),
        (left, right) => BoolExpr::SameBool(Box::new(left), Box::new(right)),
    }
}

/// `!a`.
pub(super) fn not(inner: BoolExpr) -> BoolExpr {
    match inner {
        BoolExpr::Lit(value) => BoolExpr::Lit(!value),
        BoolExpr::Not(inner) => *inner,
        other => BoolExpr::Not(Box::new(other)),
    }
}

/// `a && b && ...`, flat.
pub(super) fn all(parts: Vec<BoolExpr>) -> BoolExpr {
    let nested = parts.into_iter().flat_map(|part| match part {
        BoolExpr::All(inner) => inner,
        other => vec![other],
    });
    match chain(nested, true) {
        Ok(parts) => BoolExpr::All(parts),
        Err(one) => one,
    }
}

/// `a || b || ...`, flat.
pub(super) fn any(parts: Vec<BoolExpr>) -> BoolExpr {
    let nested = parts.into_iter().flat_map(|part| match part {
        BoolExpr::Any(inner) => inner,
        other => vec![other],
    });
    match chain(nested, false) {
        Ok(parts) => BoolExpr::Any(parts),
        Err(one) => one,
    }
}

/// What is left of a chain whose `idle` parts do nothing and whose other constants end it. What stands left of a
/// constant that ends it stays: it may still fault.
fn chain(parts: impl Iterator<Item = BoolExpr>, idle: bool) -> Result<Vec<BoolExpr>, BoolExpr> {
    let mut kept = Vec::new();
    for part in parts {
        match part {
            BoolExpr::Lit(value) if value == idle => {}
            BoolExpr::Lit(_) => {
                kept.push(part);
                break;
            }
            other => kept.push(other),
        }
    }
    if kept.len() > 1 {
        Ok(kept)
    } else {
        Err(kept.pop().unwrap_or(BoolExpr::Lit(idle)))
    }
}

/// Whether a needle is among constants, when all of them are.
pub(super) fn int_in(needle: IntExpr, list: Vec<IntExpr>) -> BoolExpr {
    let constant = matches!(needle, IntExpr::Lit(_))
        && list.iter().all(|item| matches!(item, IntExpr::Lit(_)));
    if constant {
        BoolExpr::Lit(list.contains(&needle))
    } else {
        BoolExpr::IntIn(needle, list)
    }
}

/// The same for texts.
pub(super) fn str_in(needle: StrExpr, list: Vec<StrExpr>) -> BoolExpr {
    let constant = matches!(needle, StrExpr::Lit(_))
        && list.iter().all(|item| matches!(item, StrExpr::Lit(_)));
    if constant {
        BoolExpr::Lit(list.contains(&needle))
    } else {
        BoolExpr::StrIn(needle, list)
    }
}

#[cfg(test)]
mod tests {
    use machine::expr::Source;

    use super::*;

    #[test]
    fn chains_keep_what_may_fault() {
        let get = |slot| BoolExpr::Get(Source::Var(slot));
        let (yes, no) = (BoolExpr::Lit(true), BoolExpr::Lit(false));
        assert_eq!(
            all(vec![get(0), yes.clone(), all(vec![get(1), get(2)])]),
            BoolExpr::All(vec![get(0), get(1), get(2)])
        );
        assert_eq!(
            all(vec![get(0), no.clone(), get(1)]),
            BoolExpr::All(vec![get(0), no.clone()])
        );
        assert_eq!(all(vec![no.clone(), get(1)]), no);
        assert_eq!(all(vec![yes.clone(), yes.clone()]), yes);
        assert_eq!(any(vec![no.clone(), get(1)]), get(1));
        assert_eq!(any(vec![yes.clone(), get(1)]), yes);
    }
}
