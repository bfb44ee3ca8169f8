//! Random expressions of a wanted type, over names that the generated campaigns have.

use super::dice::Dice;

/// What an expression may name.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// Whether an event with the usual payload is there.
    pub event: bool,
    /// Whether a user is there.
    pub user: bool,
    /// Rewards, as expressions write them.
    pub rewards: &'a [String],
    /// Readable integers of blocks and balances.
    pub ints: &'a [String],
    /// Whether there is a streak.
    pub streak: bool,
}

/// A boolean expression.
pub fn bool(dice: &mut Dice, names: Names<'_>, depth: usize) -> String {
    if depth == 0 {
        let mut leaves = vec!["flag", "true", "now >= at", "day <= today", "name == 'x'"];
        if names.event {
            leaves.extend(["event.right", "event.note != name", "event.day > day"]);
        }
        if names.user {
            leaves.extend([
                "'vip' in user.tags",
                "in_list('vip')",
                "facts.fresh",
                "facts.city != name",
                "user.signed_up < now",
            ]);
        }
        if names.streak {
            leaves.extend(["signed_today()", "signed_on(day)", "can_make_up(today - 1)"]);
        }
        return dice.one(&leaves).to_owned();
    }
    let down = depth - 1;
    match dice.below(8) {
        0 => format!("!({})", bool(dice, names, down)),
        1 => format!(
            "({} && {})",
            bool(dice, names, down),
            bool(dice, names, down)
        ),
        2 => format!(
            "({} || {})",
            bool(dice, names, down),
            bool(dice, names, down)
        ),
        3 => format!(
            "{} in [{}, 3, {}]",
            int(dice, names, down),
            int(dice, names, down),
            int(dice, names, 0)
        ),
        4 => format!(
            "({} ? {} : {})",
            bool(dice, names, down),
            bool(dice, names, down),
            bool(dice, names, down)
        ),
        5 => format!("{} < {}", date(dice, names, down), date(dice, names, down)),
        _ => {
            let how = dice.one(&["==", "!=", "<", "<=", ">", ">="]);
            format!(
                "{} {how} {}",
                int(dice, names, down),
                int(dice, names, down)
            )
        }
    }
}

/// An integer expression.
pub fn int(dice: &mut Dice, names: Names<'_>, depth: usize) -> String {
    if depth == 0 {
        let mut leaves = vec![
            "n",
            "0",
            "1",
            "7",
            "9223372036854775807",
            "size(name)",
            "count_total('e0')",
            "count_today('e1')",
        ];
        if names.event {
            leaves.extend(["event.words", "size(event.note)"]);
        }
        if names.user {
            leaves.extend(["user.level", "facts.rank"]);
        }
        if names.streak {
            leaves.push("makeups_left()");
        }
        leaves.extend(names.ints.iter().map(String::as_str));
        let given: Vec<String> = names
            .rewards
            .iter()
            .map(|id| format!("rewards.{id}.given"))
            .collect();
        leaves.extend(given.iter().map(String::as_str));
        return dice.one(&leaves).to_owned();
    }
    let down = depth - 1;
    match dice.below(7) {
        0 => format!("(-{})", int(dice, names, down)),
        1 => format!(
            "({} ? {} : {})",
            bool(dice, names, down),
            int(dice, names, down),
            int(dice, names, down)
        ),
        2 => format!(
            "({} - {})",
            date(dice, names, down),
            date(dice, names, down)
        ),
        _ => {
            let how = dice.one(&["+", "-", "*", "/", "%"]);
            format!(
                "({} {how} {})",
                int(dice, names, down),
                int(dice, names, down)
            )
        }
    }
}

/// A date expression.
pub fn date(dice: &mut Dice, names: Names<'_>, depth: usize) -> String {
    if depth == 0 {
        let mut leaves = vec![
            "today",
            "day",
            "day_of(now)",
            "day_of(at)",
            "date('2026-12-05')",
        ];
        if names.event {
            leaves.push("event.day");
        }
        return dice.one(&leaves).to_owned();
    }
    format!(
        "({} + {})",
        date(dice, names, 0),
        int(dice, names, depth - 1)
    )
}

/// An assignment to one of the variables.
pub fn set(dice: &mut Dice, names: Names<'_>) -> String {
    match dice.below(6) {
        0 => format!("{{ flag: \"{}\" }}", bool(dice, names, 2)),
        1 => format!("{{ day: \"{}\" }}", date(dice, names, 1)),
        2 => "{ at: now, day: today }".to_owned(),
        3 => "{ span: \"now - at\", at: \"at + span\" }".to_owned(),
        4 => format!(
            "{{ name: \"flag ? name : {}\" }}",
            if names.event { "event.note" } else { "'y'" }
        ),
        _ => format!("{{ n: \"{}\" }}", int(dice, names, 2)),
    }
}
