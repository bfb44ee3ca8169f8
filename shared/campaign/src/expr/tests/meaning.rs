//! A program gives what its expression means: random well-typed expressions against a second reading of them.

use super::*;

/// A well-typed expression, with what it gives when `chances`, `misses` and `vip` have some values.
#[derive(Debug, Clone)]
enum Tree {
    Lit(i64),
    Var(usize),
    Neg(Box<Tree>),
    Arith(&'static str, Box<Tree>, Box<Tree>),
    Choose(Box<Truth>, Box<Tree>, Box<Tree>),
}

#[derive(Debug, Clone)]
enum Truth {
    Lit(bool),
    Vip,
    Not(Box<Truth>),
    And(Box<Truth>, Box<Truth>),
    Or(Box<Truth>, Box<Truth>),
    Same(Box<Truth>, Box<Truth>),
    Compare(&'static str, Box<Tree>, Box<Tree>),
    In(Box<Tree>, Vec<Tree>),
}

impl Tree {
    fn text(&self) -> String {
        match self {
            Self::Lit(value) => value.to_string(),
            Self::Var(at) => VARS[*at].0.to_owned(),
            Self::Neg(inner) => format!("-({})", inner.text()),
            Self::Arith(sign, left, right) => {
                format!("({}) {sign} ({})", left.text(), right.text())
            }
            Self::Choose(condition, yes, no) => format!(
                "({}) ? ({}) : ({})",
                condition.text(),
                yes.text(),
                no.text()
            ),
        }
    }

    /// The value; nothing for a fault.
    fn value(&self, vars: [i64; 2], vip: bool) -> Option<i64> {
        match self {
            Self::Lit(value) => Some(*value),
            Self::Var(at) => Some(vars[*at]),
            Self::Neg(inner) => inner.value(vars, vip)?.checked_neg(),
            Self::Arith(sign, left, right) => {
                let (left, right) = (left.value(vars, vip)?, right.value(vars, vip)?);
                match *sign {
                    "+" => left.checked_add(right),
                    "-" => left.checked_sub(right),
                    "*" => left.checked_mul(right),
                    "/" => left.checked_div(right),
                    _ => left.checked_rem(right),
                }
            }
            Self::Choose(condition, yes, no) => {
                (if condition.value(vars, vip)? { yes } else { no }).value(vars, vip)
            }
        }
    }
}

impl Truth {
    fn text(&self) -> String {
        match self {
            Self::Lit(value) => value.to_string(),
            Self::Vip => "vip".to_owned(),
            Self::Not(inner) => format!("!({})", inner.text()),
            Self::And(left, right) => format!("({}) && ({})", left.text(), right.text()),
            Self::Or(left, right) => format!("({}) || ({})", left.text(), right.text()),
            Self::Same(left, right) => format!("({}) == ({})", left.text(), right.text()),
            Self::Compare(sign, left, right) => {
                format!("({}) {sign} ({})", left.text(), right.text())
            }
            Self::In(needle, items) => {
                format!(
                    "({}) in [{}]",
                    needle.text(),
                    items.iter().map(Tree::text).collect::<Vec<_>>().join(", ")
                )
            }
        }
    }

    fn value(&self, vars: [i64; 2], vip: bool) -> Option<bool> {
        Some(match self {
            Self::Lit(value) => *value,
            Self::Vip => vip,
            Self::Not(inner) => !inner.value(vars, vip)?,
            Self::And(left, right) => left.value(vars, vip)? && right.value(vars, vip)?,
            Self::Or(left, right) => left.value(vars, vip)? || right.value(vars, vip)?,
            Self::Same(left, right) => left.value(vars, vip)? == right.value(vars, vip)?,
            Self::Compare(sign, left, right) => {
                let (left, right) = (left.value(vars, vip)?, right.value(vars, vip)?);
                match *sign {
                    "==" => left == right,
                    "!=" => left != right,
                    "<" => left < right,
                    "<=" => left <= right,
                    ">" => left > right,
                    _ => left >= right,
                }
            }
            Self::In(needle, items) => {
                let needle = needle.value(vars, vip)?;
                for item in items {
                    if item.value(vars, vip)? == needle {
                        return Some(true);
                    }
                }
                false
            }
        })
    }
}

fn trees() -> impl Strategy<Value = Tree> {
    let number = prop_oneof![-9i64..10, Just(i64::MAX), Just(i64::MIN + 1)];
    let leaf = prop_oneof![number.prop_map(Tree::Lit), (0usize..2).prop_map(Tree::Var)];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let sign = prop::sample::select(vec!["+", "-", "*", "/", "%"]);
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            inner.clone().prop_map(|tree| Tree::Neg(Box::new(tree))),
            (sign, inner.clone(), inner).prop_map(|(sign, left, right)| Tree::Arith(
                sign,
                Box::new(left),
                Box::new(right)
            )),
            (any::<bool>(), pair).prop_map(|(vip, (yes, no))| {
                let condition = if vip {
                    Truth::Vip
                } else {
                    Truth::Compare("<", Box::new(yes.clone()), Box::new(no.clone()))
                };
                Tree::Choose(Box::new(condition), Box::new(yes), Box::new(no))
            }),
        ]
    })
}

fn truths() -> impl Strategy<Value = Truth> {
    let sign = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let leaf = prop_oneof![
        any::<bool>().prop_map(Truth::Lit),
        Just(Truth::Vip),
        (sign, trees(), trees()).prop_map(|(sign, left, right)| Truth::Compare(
            sign,
            Box::new(left),
            Box::new(right)
        )),
        (trees(), prop::collection::vec(trees(), 1..4))
            .prop_map(|(needle, items)| Truth::In(Box::new(needle), items)),
    ];
    leaf.prop_recursive(4, 12, 2, |inner| {
        let pair = (inner.clone(), inner.clone())
            .prop_map(|(left, right)| (Box::new(left), Box::new(right)));
        prop_oneof![
            inner.prop_map(|truth| Truth::Not(Box::new(truth))),
            pair.clone()
                .prop_map(|(left, right)| Truth::And(left, right)),
            pair.clone()
                .prop_map(|(left, right)| Truth::Or(left, right)),
            pair.prop_map(|(left, right)| Truth::Same(left, right)),
        ]
    })
}

/// The programs' meaning, for the few parts that the trees above become: a second reading of `machine::expr`, which
/// can't be run here without a whole campaign.
fn run_bool(program: &BoolExpr, vars: [i64; 2], vip: bool) -> Option<bool> {
    Some(match program {
        BoolExpr::Lit(value) => *value,
        BoolExpr::Get(_) => vip,
        BoolExpr::Not(inner) => !run_bool(inner, vars, vip)?,
        BoolExpr::All(parts) => {
            for part in parts {
                if !run_bool(part, vars, vip)? {
                    return Some(false);
                }
            }
            true
        }
        BoolExpr::Any(parts) => {
            for part in parts {
                if run_bool(part, vars, vip)? {
                    return Some(true);
                }
            }
            false
        }
        BoolExpr::Compare(how, left, right) => {
            how.holds(run_int(left, vars, vip)?, run_int(right, vars, vip)?)
        }
        BoolExpr::SameBool(left, right) => {
            run_bool(left, vars, vip)? == run_bool(right, vars, vip)?
        }
        BoolExpr::IntIn(needle, items) => {
            let needle = run_int(needle, vars, vip)?;
            for item in items {
                if run_int(item, vars, vip)? == needle {
                    return Some(true);
                }
            }
            false
        }
        other => panic!("{other:?}"),
    })
}

fn run_int(program: &IntExpr, vars: [i64; 2], vip: bool) -> Option<i64> {
    match program {
        IntExpr::Lit(value) => Some(*value),
        IntExpr::Get(machine::expr::Source::Var(at)) => Some(vars[usize::from(*at)]),
        IntExpr::Neg(inner) => run_int(inner, vars, vip)?.checked_neg(),
        IntExpr::Arith(how, parts) => how
            .of(run_int(&parts.0, vars, vip)?, run_int(&parts.1, vars, vip)?)
            .ok(),
        IntExpr::If(parts) => run_int(
            if run_bool(&parts.0, vars, vip)? {
                &parts.1
            } else {
                &parts.2
            },
            vars,
            vip,
        ),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn a_program_gives_what_the_expression_means(truth in truths(), vars in [-5i64..6, -5i64..6], vip: bool) {
        let text = truth.text();
        prop_assume!(text.len() <= MAX_BYTES);
        let mut out = Diagnostics::new();
        let source = Source::new("a.yaml", text.as_str());
        let node = Node { place: Place::new(&source, 0, text.len()), kind: Kind::Scalar { text: text.clone(), quoted: false } };
        match lower_bool(&node, &mut World::new(), &mut out) {
            Some(program) => prop_assert_eq!(run_bool(&program, vars, vip), truth.value(vars, vip), "{} {:?}", text, program),
            // What is refused is what always fails somewhere, or is too big.
            None => prop_assert!(out.iter().all(|each| ["E0309", "E0302"].contains(&each.code)), "{}: {}", text, out.lines()),
        }
    }
}
