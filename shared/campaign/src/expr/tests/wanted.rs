//! What is said of expressions of another type than is needed.

use super::*;

#[test]
fn what_is_wanted_is_asked_for() {
    let rows = [
        ("chances", Type::Bool),
        ("city", Type::Bool),
        ("gold", Type::Str),
        ("2026-12-01", Type::Date),
        ("now", Type::Date),
        ("7 days", Type::Duration),
        ("'7 days'", Type::Duration),
        ("\"'7 days'\"", Type::Duration),
        ("vip", Type::Int),
        ("3", Type::Str),
    ];
    let all: Vec<_> = rows
        .iter()
        .map(|(text, want)| {
            format!(
                "{text} as {want}\n  {}",
                shown(text, Some(*want), &mut World::new())
            )
        })
        .collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    chances as bool
      E0308 1 `chances` a bool is needed here, this is an int
      = compare it with something: `... > 0`
    city as bool
      E0308 1 `city` a bool is needed here, this is a string
      = compare it with something: `... == ...`
    gold as string
      E0304 1 `gold` `gold` is not a name that expressions know here
      = for the text itself write `'gold'`, in quotes
    2026-12-01 as date
      E0308 1 `2026-12-01` a date is needed here, this is an int
      = write `date('2026-12-01')`
    now as date
      E0308 1 `now` a date is needed here, this is a time
      = `day_of(...)` is the day of a time
    7 days as duration
      E0301 3 `days` `days` can't stand here in an expression
      = write `duration('7 days')`
    '7 days' as duration
      E0308 1 `'7 days'` a duration is needed here, this is a string
      = write `duration('7 days')`
    "'7 days'" as duration
      E0308 1 `"'7 days'"` a duration is needed here, this is a string
      = write `duration('7 days')`
    vip as int
      E0308 1 `vip` an int is needed here, this is a bool
    3 as string
      E0308 1 `3` a string is needed here, this is an int
      = a text needs quotes: '...'
    "#);
}
