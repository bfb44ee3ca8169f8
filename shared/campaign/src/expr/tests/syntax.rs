//! What is said of what is no expression.

use super::*;
use crate::document::parse;

#[test]
fn what_is_said_of_broken_syntax() {
    insta::assert_snapshot!(table(&[
        "chances = 0",
        "chances > ",
        "chances > 0 and vip",
        "vip or vip",
        "not vip",
        "vip & vip",
        "(vip",
        "级别 > 3",
        "city == “北京”",
        "chances ＞ 3",
        "city == 'a",
        "99999999999999999999",
        "7 days",
        "chances >> 1",
        "a.b.`c`",
        "if (vip) 1",
    ]), @r#"
    chances = 0
      E0301 9 `=` `=` can't stand here in an expression
      = `==` compares; a variable is changed by the action `set`
    chances > 
      E0301 11 `` the expression ends in the middle: something is missing at its end
    chances > 0 and vip
      E0301 13 `and` `and` can't stand here in an expression
      = write `&&`
    vip or vip
      E0301 5 `or` `or` can't stand here in an expression
      = write `||`
    not vip
      E0301 5 `vip` `vip` can't stand here in an expression
      = write `!` for "not"
    vip & vip
      E0301 5 `&` `&` can't stand here in an expression
      = write `&&` for "and"
    (vip
      E0301 5 `` the expression ends in the middle: something is missing at its end
    级别 > 3
      E0301 1 `级别` `级别` can't stand here in an expression
      = names are of the letters a-z, digits and `_`; a text needs quotes: '...'
    city == “北京”
      E0301 9 `“` `“` can't stand here in an expression
      = texts stand in plain quotes: '...'
    chances ＞ 3
      E0301 9 `＞` `＞` can't stand here in an expression
      = use the plain character, not the full-width one
    city == 'a
      E0301 9 `'` `'` can't stand here in an expression
      = the quotes of a text come in pairs
    99999999999999999999
      E0301 1 `99999999999999999999` this number does not fit into 64 bits
    7 days
      E0301 3 `days` `days` can't stand here in an expression
      = write `duration('7 days')`
    chances >> 1
      E0301 10 `>` `>` can't stand here in an expression
    a.b.`c`
      E0301 4 `.` `.` can't stand here in an expression
    if (vip) 1
      E0301 1 `if` `if` can't stand here in an expression
      = write `condition ? a : b`
    "#);
    insta::assert_snapshot!(table(&["{a: 1}"]), @r"
    {a: 1}
      E0303 1 `{a: 1}` maps are not part of expressions here
      = an expression with `{` or `}` in it is usually a slip of YAML
    ");
    let deep = format!("{}vip{}", "(".repeat(300), ")".repeat(300));
    let long = vec!["chances"; 150].join("+");
    let nested = format!("{}vip", "!(".repeat(40)) + &")".repeat(40);
    let large = "1 + ".repeat(300) + "1";
    let piles = [
        "-", "!", "[", "{", "a.", "a?", "a[", "f(", "a?b:", "a&&", "(a+",
    ]
    .map(|part| part.repeat(1000 / part.len()));
    for text in piles.into_iter().chain([deep, long, large, nested]) {
        assert!(
            shown(&text, None, &mut World::new()).starts_with("E03"),
            "{text}"
        );
    }
}

#[test]
fn values_that_are_no_expressions() {
    let mut lines = Vec::new();
    for text in [
        "when:",
        "when: [vip]",
        "when: {a: 1}",
        "when: ''",
        "when: >-\n  chances >\n  nothing",
        "when: |\n  nothing > 1",
    ] {
        let mut out = Diagnostics::new();
        let root = parse(&Source::new("a.yaml", text), &mut out).unwrap();
        assert!(lower_bool(root.get("when").unwrap(), &mut World::new(), &mut out).is_none());
        lines.push(out.lines());
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    E0002 1:5 a value is missing here
    E0009 1:7 a single value is expected, this is a list
    E0009 1:7 a single value is expected, this is a map
    E0002 1:7 an expression is missing here
    E0304 2:3 `nothing` is not a name that expressions know here
      = known are `chances`, `misses`, `vip`, `city`, `since`, `last`, `wait`, `my_points`, `now`, `today`, `user`, `event`, `rewards`, `user.level`, `user.tags`, `user.tier`, `user.signed_up`, `event.words`, `event.day`
    E0304 2:3 `nothing` is not a name that expressions know here
      = known are `chances`, `misses`, `vip`, `city`, `since`, `last`, `wait`, `my_points`, `now`, `today`, `user`, `event`, `rewards`, `user.level`, `user.tags`, `user.tier`, `user.signed_up`, `event.words`, `event.day`
    ");
}
