//! Trees and readers, by example.

use proptest::prelude::*;

use super::*;
use crate::diagnostic::Diagnostics;
use crate::source::Source;

/// What parsing says.
fn said(text: &str) -> String {
    let mut out = Diagnostics::new();
    let node = parse(&Source::new("a.yaml", text), &mut out);
    assert_eq!(
        node.is_none(),
        out.iter().any(|each| each.code != "E0004"),
        "{text}"
    );
    out.sorted().lines()
}

/// Reads the value of `v` in a file, and gives what it is or what was said.
fn read<T: std::fmt::Debug>(
    value: &str,
    reader: impl FnOnce(&Node, &mut Diagnostics) -> Option<T>,
) -> String {
    let mut out = Diagnostics::new();
    let root = parse(&Source::new("a.yaml", format!("v: {value}")), &mut out).unwrap();
    let found = reader(root.get("v").unwrap(), &mut out);
    let lines = out.sorted().lines();
    match found {
        Some(found) if lines.is_empty() => format!("{found:?}"),
        Some(found) => format!("{found:?}\n{lines}"),
        None => lines,
    }
}

fn table<T: std::fmt::Debug>(
    values: &[&str],
    reader: impl Fn(&Node, &mut Diagnostics) -> Option<T>,
) -> String {
    values
        .iter()
        .map(|value| format!("{value} -> {}", read(value, &reader)))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn every_key_and_value_knows_its_place() {
    let source = Source::new(
        "a.yaml",
        "标题: { zh-CN: 转盘, en: \"Wheel\" }\nlist:\n  - a b\n  - 'c'\nend: |\n  text\n",
    );
    let mut out = Diagnostics::new();
    let root = parse(&source, &mut out).unwrap();
    let mut lines = Vec::new();
    walk(&root, &mut lines);
    insta::assert_snapshot!(lines.join("\n"), @r#"
    map 1:1 "标题: { zh-CN: 转盘, en: \"Wheel\" }\nlist:\n  - a b\n  - 'c'\nend: |\n  text\n"
    key 1:1 "标题"
    map 1:5 "{ zh-CN: 转盘, en: \"Wheel\" }"
    key 1:7 "zh-CN"
    "转盘" plain 1:14 "转盘"
    key 1:18 "en"
    "Wheel" quoted 1:22 "\"Wheel\""
    key 2:1 "list"
    list 3:3 "- a b\n  - 'c'"
    "a b" plain 3:5 "a b"
    "c" quoted 4:5 "'c'"
    key 5:1 "end"
    "text\n" quoted 6:3 "text\n"
    "#);
}

fn walk(node: &Node, lines: &mut Vec<String>) {
    let at = |node: &Node| {
        format!(
            "{}:{} {:?}",
            node.place.line(),
            node.place.column(),
            node.place.text()
        )
    };
    match &node.kind {
        Kind::Map(entries) => {
            lines.push(format!("map {}", at(node)));
            for entry in entries {
                lines.push(format!("key {}", at(&entry.key)));
                walk(&entry.value, lines);
            }
        }
        Kind::List(items) => {
            lines.push(format!("list {}", at(node)));
            for item in items {
                walk(item, lines);
            }
        }
        Kind::Scalar { text, quoted } => lines.push(format!(
            "{text:?} {} {}",
            if *quoted { "quoted" } else { "plain" },
            at(node)
        )),
        Kind::Null => lines.push(format!("null {}", at(node))),
    }
}

#[test]
fn what_is_not_a_tree_is_said_in_plain_words() {
    let files = [
        "",
        "# only a comment\n",
        "a:\n\tb: 1\n",
        "a: 'open\nb: 1\n",
        "a: \"open\nb: 1\n",
        "a: [1, 2\nb: 3\n",
        "a: {x: 1]\n",
        "a: b: c\n",
        "title: 标题: 副标题\n",
        "a: 1\n  b: 2\n",
        "a: 1\nb\n",
        "a: 1\nb: 2\na: 3\n",
        "a: {b: 1, b: 2}\n",
        "a: &x 1\nb: *x\n",
        "a: *x\n",
        "when: !done\n",
        "<<: {a: 1}\n",
        "a: 1\n---\nb: 2\n",
        "? [a]\n: b\n",
        "a: @b\n",
        "a: 10%\nb: %5\n",
        "a: \"\\q\"\n",
        ": 1\n",
        "- a\n b\n- c: 1\n",
        "a: 'x' y\n",
    ];
    let all: Vec<_> = files
        .iter()
        .map(|text| format!("{text:?}\n{}", said(text)))
        .collect();
    insta::assert_snapshot!(all.join("\n"), @r##"
    ""
    E0002 1:1 the file is empty
      = a file of `key: value` lines is expected here
    "# only a comment\n"
    E0002 1:1 the file is empty
      = a file of `key: value` lines is expected here
    "a:\n\tb: 1\n"
    E0001 2:2 a tab stands here; YAML is indented with spaces only
      = replace the tab by spaces
    "a: 'open\nb: 1\n"
    E0001 1:4 this quote is never closed
      = add the closing quote at the end of the text
    "a: \"open\nb: 1\n"
    E0001 1:4 this quote is never closed
      = add the closing quote at the end of the text
    "a: [1, 2\nb: 3\n"
    E0001 2:2 a `:` can't stand here
      = a text with `: ` in it needs quotes; a key begins on a line of its own
    "a: {x: 1]\n"
    E0001 1:4 `{` is closed by `]`
      = use brackets in pairs: `{ }` and `[ ]`
    "a: b: c\n"
    E0001 1:5 a `:` can't stand here
      = a text with `: ` in it needs quotes; a key begins on a line of its own
    "title: 标题: 副标题\n"
    E0001 1:10 a `:` can't stand here
      = a text with `: ` in it needs quotes; a key begins on a line of its own
    "a: 1\n  b: 2\n"
    E0001 2:4 a `:` can't stand here
      = a text with `: ` in it needs quotes; a key begins on a line of its own
    "a: 1\nb\n"
    E0001 2:1 this line is not a `key: value`
      = a key is followed by `:` and a space
    "a: 1\nb: 2\na: 3\n"
    E0004 3:1 the key `a` stands here a second time
    "a: {b: 1, b: 2}\n"
    E0004 1:11 the key `b` stands here a second time
    "a: &x 1\nb: *x\n"
    E0005 1:7 anchors (`&name`) are not supported in campaign files
      = drop the anchor; a text that begins with `&` needs quotes
    "a: *x\n"
    E0005 1:4 aliases (`*name`) are not supported in campaign files
      = write the value out; a text that begins with `*` needs quotes
    "when: !done\n"
    E0005 1:7 tags (`!name`) are not supported in campaign files
      = drop the tag; a text that begins with `!`, as an expression may, needs quotes
    "<<: {a: 1}\n"
    E0005 1:1 merge keys (`<<`) are not supported in campaign files
      = write the keys out
    "a: 1\n---\nb: 2\n"
    E0005 2:1 a second document begins here (`---`)
      = one file is one campaign: put it into a file of its own
    "? [a]\n: b\n"
    E0006 1:3 a key must be a single word, this is a list or a map
      = a text that begins with `{` or `[` needs quotes
    "a: @b\n"
    E0001 1:4 `@` can't begin a text here
      = a text with `: `, ` #`, or one of `{ [ ] } , & * ! | > % @` at its start needs quotes: "..."
    "a: 10%\nb: %5\n"
    E0001 2:4 `%` can't begin a text here
      = a text with `: `, ` #`, or one of `{ [ ] } , & * ! | > % @` at its start needs quotes: "..."
    "a: \"\\q\"\n"
    E0001 1:4 this escape is unknown within "..."
      = write `\\` for a backslash, or use '...'
    ": 1\n"
    E0001 1:1 a key is missing before this `:`
    "- a\n b\n- c: 1\n"

    "a: 'x' y\n"
    E0001 1:8 something follows a closing quote
      = quotes go around the whole text; within '...' write '' for a quote
    "##);
}

#[test]
fn bombs_are_refused_at_once() {
    let deep = "[".repeat(20_000);
    let deep_block = (0..200).fold(String::new(), |text, level| {
        text + &" ".repeat(level)
            + "a:
"
    });
    let wide = "- 1\n".repeat(MAX_NODES + 1);
    let big = "a".repeat(MAX_BYTES + 1);
    let laughs = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n";
    for text in [deep.as_str(), &deep_block, &wide, &big] {
        let mut out = Diagnostics::new();
        assert!(parse(&Source::new("a.yaml", text), &mut out).is_none());
        assert!(
            out.iter()
                .all(|each| ["E0003", "E0001"].contains(&each.code)),
            "{}",
            out.lines()
        );
    }
    assert!(said(laughs).starts_with("E0005 1:"));
}

#[test]
fn texts() {
    let languages = ["zh-CN".to_owned(), "en".to_owned()];
    let values = [
        "新年",
        "2026",
        "{ zh-CN: 新年, en: New }",
        "{ zh-CN: 新年 }",
        "{ zh-cn: 新年 }",
        "{ fr: bon }",
        "",
        "''",
        "[a]",
        "{}",
        "{ en: }",
    ];
    insta::assert_snapshot!(table(&values, |node, out| node.text(&languages, out)), @r#"
    新年 -> Text({"zh-CN": "新年"})
    2026 -> Text({"zh-CN": "2026"})
    { zh-CN: 新年, en: New } -> Text({"en": "New", "zh-CN": "新年"})
    { zh-CN: 新年 } -> Text({"zh-CN": "新年"})
    W0101 1:4 this text is missing in `en`
    { zh-cn: 新年 } -> E0116 1:6 `zh-cn` is not one of the tenant's languages
      = did you mean `zh-CN`?
    { fr: bon } -> E0116 1:6 `fr` is not one of the tenant's languages
      = its languages are `zh-CN`, `en`
     -> E0002 1:2 a value is missing here
    '' -> E0002 1:4 a text is missing here
    [a] -> E0009 1:4 a single value is expected, this is a list
    {} -> E0002 1:4 a text is missing here
    { en: } -> E0002 1:8 a value is missing here
    "#);
}

#[test]
fn numbers_and_booleans() {
    insta::assert_snapshot!(table(&["10", "'10'", "1_000", "-5", "1.5", "7 days", "99999999999999999999", "0x10", "1e3", "'-'", "[1]"], |node, out| node.int(0..=1000, out)), @r"
    10 -> 10
    '10' -> 10
    1_000 -> 1000
    -5 -> E0102 1:4 `-5` is out of range: it must be from 0 to 1000
    1.5 -> E0101 1:4 a whole number is expected, not `1.5`
    7 days -> E0101 1:4 a whole number is expected, not `7 days`
    99999999999999999999 -> E0102 1:4 `99999999999999999999` is out of range: it must be from 0 to 1000
    0x10 -> E0101 1:4 a whole number is expected, not `0x10`
    1e3 -> E0101 1:4 a whole number is expected, not `1e3`
    '-' -> E0101 1:4 a whole number is expected, not `-`
    [1] -> E0009 1:4 a single value is expected, this is a list
    ");
    insta::assert_snapshot!(table(&["true", "false", "yes", "OFF", "True", "maybe"], Node::bool), @r"
    true -> true
    false -> false
    yes -> E0103 1:4 `true` or `false` is expected, not `yes`
      = write `true`
    OFF -> E0103 1:4 `true` or `false` is expected, not `OFF`
      = write `false`
    True -> E0103 1:4 `true` or `false` is expected, not `True`
      = write `true`
    maybe -> E0103 1:4 `true` or `false` is expected, not `maybe`
    ");
}

#[test]
fn money_is_exact() {
    insta::assert_snapshot!(table(&["5999.00", "20", "0.5", "'10.00'", "-3", "1.005", "¥10", "1,000", "1e3", ".5", "99999999999999999999"], |node, out| node.decimal(2, out)), @r"
    5999.00 -> 599900
    20 -> 2000
    0.5 -> 50
    '10.00' -> 1000
    -3 -> E0106 1:4 an amount can't be negative: `-3`
    1.005 -> E0105 1:4 the currency has at most 2 decimals, `1.005` has 3
    ¥10 -> E0104 1:4 an amount of money is expected, not `¥10`
      = write digits and a point only: `10`
    1,000 -> E0104 1:4 an amount of money is expected, not `1,000`
      = write digits and a point only: `1000`
    1e3 -> E0104 1:4 an amount of money is expected, not `1e3`
      = write digits and a point, without a sign or a currency: `5999.00`
    .5 -> E0104 1:4 an amount of money is expected, not `.5`
      = write digits and a point, without a sign or a currency: `5999.00`
    99999999999999999999 -> E0102 1:4 `99999999999999999999` is more money than can be counted
    ");
    insta::assert_snapshot!(table(&["120", "120.5"], |node, out| node.decimal(0, out)), @r"
    120 -> 120
    120.5 -> E0105 1:4 the currency has no decimals, `120.5` has 1
    ");
}

#[test]
fn odds_are_exact() {
    insta::assert_snapshot!(table(&["10%", "0.001%", "1/3", "2 / 6", "rest", "0%", "0", "100%", "0.25", "10", "101%", "3/2", "1/0", "-5%", "0.1234567890123%", "often", "1/99999999999999999999"], Node::odds), @r"
    10% -> Parts { num: 1, den: 10 }
    0.001% -> Parts { num: 1, den: 100000 }
    1/3 -> Parts { num: 1, den: 3 }
    2 / 6 -> Parts { num: 1, den: 3 }
    rest -> Rest
    0% -> Parts { num: 0, den: 1 }
    0 -> Parts { num: 0, den: 1 }
    100% -> Parts { num: 1, den: 1 }
    0.25 -> Parts { num: 1, den: 4 }
    N0501 1:4 `0.25` is read as 25%: a bare number is a share of 1
      = write `25%` if that is meant, else say it in percent
    10 -> E0115 1:4 `10` can't be odds: they lie between 0 and 100%, with at most 12 decimals
      = write `10%` if you mean percent
    101% -> E0115 1:4 `101%` can't be odds: they lie between 0 and 100%, with at most 12 decimals
      = write `10%`, `0.001%`, `1/3`, or `rest` for what the others leave
    3/2 -> E0115 1:4 `3/2` can't be odds: they lie between 0 and 100%, with at most 12 decimals
      = write `10%`, `0.001%`, `1/3`, or `rest` for what the others leave
    1/0 -> E0115 1:4 `1/0` can't be odds: they lie between 0 and 100%, with at most 12 decimals
      = write `10%`, `0.001%`, `1/3`, or `rest` for what the others leave
    -5% -> E0115 1:4 `-5%` can't be odds: they lie between 0 and 100%, with at most 12 decimals
      = write `10%`, `0.001%`, `1/3`, or `rest` for what the others leave
    0.1234567890123% -> E0115 1:4 `0.1234567890123%` can't be odds: they lie between 0 and 100%, with at most 12 decimals
      = write `10%`, `0.001%`, `1/3`, or `rest` for what the others leave
    often -> E0114 1:4 odds are expected, not `often`
      = write `10%`, `0.001%`, `1/3`, or `rest` for what the others leave
    1/99999999999999999999 -> E0115 1:4 `1/99999999999999999999` can't be odds: they lie between 0 and 100%, with at most 12 decimals
      = write `10%`, `0.001%`, `1/3`, or `rest` for what the others leave
    ");
}

#[test]
fn lengths_of_time() {
    insta::assert_snapshot!(table(&["7 days", "1 day", "12 hours", "30 minutes", "90 seconds", "2 weeks", "1 day 12 hours", "7", "7d", "7 dayz", "1 month", "-1 days", "1.5 hours", "99999999999 weeks", "99999999999999999999 days"], Node::duration), @r"
    7 days -> 604800000
    1 day -> 86400000
    12 hours -> 43200000
    30 minutes -> 1800000
    90 seconds -> 90000
    2 weeks -> 1209600000
    1 day 12 hours -> 129600000
    7 -> E0107 1:4 a length of time is expected, not `7`
      = write a number and a unit: `30 minutes`, `7 days`; the units are seconds, minutes, hours, days, weeks
    7d -> E0107 1:4 a length of time is expected, not `7d`
      = write `7 days`
    7 dayz -> E0107 1:4 `dayz` is not a unit of time
      = write a number and a unit: `30 minutes`, `7 days`; the units are seconds, minutes, hours, days, weeks
    1 month -> E0107 1:4 a length of time can't be counted in month: they differ in length
      = write a number and a unit: `30 minutes`, `7 days`; the units are seconds, minutes, hours, days, weeks
    -1 days -> E0107 1:4 `-1` is not a whole number of anything
      = write a number and a unit: `30 minutes`, `7 days`; the units are seconds, minutes, hours, days, weeks
    1.5 hours -> E0107 1:4 `1.5` is not a whole number of anything
      = write a number and a unit: `30 minutes`, `7 days`; the units are seconds, minutes, hours, days, weeks
    99999999999 weeks -> E0107 1:4 `99999999999 weeks` is longer than can be counted
      = write a number and a unit: `30 minutes`, `7 days`; the units are seconds, minutes, hours, days, weeks
    99999999999999999999 days -> E0107 1:4 `99999999999999999999 days` is longer than can be counted
      = write a number and a unit: `30 minutes`, `7 days`; the units are seconds, minutes, hours, days, weeks
    ");
}

#[test]
fn points_in_time() {
    let zone = chrono_tz::Europe::Berlin;
    let values = [
        "2026-12-01 10:00",
        "2026-12-01T10:00:30",
        "2026-12-01",
        "2026-12-01T10:00:00+08:00",
        "2026-03-29 02:30",
        "2026-10-25 02:30",
        "2026-13-01",
        "01.12.2026",
        "2026-12-01 25:00",
        "0026-12-01",
        "tomorrow",
    ];
    insta::assert_snapshot!(table(&values, |node, out| node.datetime(zone, out).map(|moment| (moment.at, moment.date_only))), @r"
    2026-12-01 10:00 -> (1796115600000, false)
    2026-12-01T10:00:30 -> (1796115630000, false)
    2026-12-01 -> (1796079600000, true)
    2026-12-01T10:00:00+08:00 -> (1796090400000, false)
    2026-03-29 02:30 -> (1774746000000, false)
    W0401 1:4 `2026-03-29 02:30` does not exist in Europe/Berlin, where clocks jump over it
      = 2026-03-29T03:00:00+02:00 is taken
    2026-10-25 02:30 -> (1792888200000, false)
    W0402 1:4 `2026-10-25 02:30` happens twice in Europe/Berlin, where clocks go back; the first is taken
      = write it with an offset to say which
    2026-13-01 -> E0108 1:4 a point in time is expected, not `2026-13-01`
      = write `2026-12-01 10:00`, `2026-12-01`, or with an offset `2026-12-01T10:00:00+08:00`
    01.12.2026 -> E0108 1:4 a point in time is expected, not `01.12.2026`
      = write `2026-12-01 10:00`, `2026-12-01`, or with an offset `2026-12-01T10:00:00+08:00`
    2026-12-01 25:00 -> E0108 1:4 a point in time is expected, not `2026-12-01 25:00`
      = write `2026-12-01 10:00`, `2026-12-01`, or with an offset `2026-12-01T10:00:00+08:00`
    0026-12-01 -> E0108 1:4 a point in time is expected, not `0026-12-01`
      = write `2026-12-01 10:00`, `2026-12-01`, or with an offset `2026-12-01T10:00:00+08:00`
    tomorrow -> E0108 1:4 a point in time is expected, not `tomorrow`
      = write `2026-12-01 10:00`, `2026-12-01`, or with an offset `2026-12-01T10:00:00+08:00`
    ");
    insta::assert_snapshot!(table(&["2026-12-01", "2026-02-29", "2026-1-1", "2026-12-01 10:00"], Node::date), @r"
    2026-12-01 -> 20788
    2026-02-29 -> E0109 1:4 a date is expected, not `2026-02-29`
      = write `2026-12-01`: year, month, day
    2026-1-1 -> E0109 1:4 a date is expected, not `2026-1-1`
      = write `2026-01-01`
    2026-12-01 10:00 -> E0109 1:4 a date is expected, not `2026-12-01 10:00`
      = write `2026-12-01`: year, month, day
    ");
    insta::assert_snapshot!(table(&["\"04:00\"", "00:00", "23:59:59", "24:00", "4:00"], Node::clock), @r#"
    "04:00" -> 14400
    00:00 -> 0
    23:59:59 -> 86399
    24:00 -> E0111 1:4 a time of day is expected, not `24:00`
      = write `"00:00"`
    4:00 -> E0111 1:4 a time of day is expected, not `4:00`
      = write `"04:00"`
    "#);
    insta::assert_snapshot!(table(&["Asia/Shanghai", "Asia/Beijing", "UTC+8", "Asia/Shangai", "Mars"], Node::timezone), @r"
    Asia/Shanghai -> Asia/Shanghai
    Asia/Beijing -> E0110 1:4 `Asia/Beijing` is not a timezone of the IANA database
      = did you mean `Asia/Shanghai`?
    UTC+8 -> E0110 1:4 `UTC+8` is not a timezone of the IANA database
      = did you mean `Asia/Shanghai`?
    Asia/Shangai -> E0110 1:4 `Asia/Shangai` is not a timezone of the IANA database
      = did you mean `Asia/Shanghai`?
    Mars -> E0110 1:4 `Mars` is not a timezone of the IANA database
      = write a region and a city: `Asia/Shanghai`, `Europe/Berlin`
    ");
}

#[test]
fn words() {
    insta::assert_snapshot!(table(&["coupon-1", "My Coupon", "红包", "''", "a_b"], |node, out| node.id("reward", out).map(str::to_owned)), @r#"
    coupon-1 -> "coupon-1"
    My Coupon -> E0112 1:4 `My Coupon` can't be the id of a reward
      = write `my-coupon`
    红包 -> E0112 1:4 `红包` can't be the id of a reward
      = 1 to 64 of the characters `a-z`, `0-9` and `-`
    '' -> E0112 1:4 `` can't be the id of a reward
      = 1 to 64 of the characters `a-z`, `0-9` and `-`
    a_b -> E0112 1:4 `a_b` can't be the id of a reward
      = write `a-b`
    "#);
    insta::assert_snapshot!(table(&["keep", "kept", "maybe"], |node, out| node.one_of(&["keep", "lost"], out)), @r#"
    keep -> "keep"
    kept -> E0113 1:4 `kept` is not possible here: it must be `keep` or `lost`
    maybe -> E0113 1:4 `maybe` is not possible here: it must be `keep` or `lost`
    "#);
}

static KEYS: Keys = Keys {
    name: "window",
    doc: "A window.",
    keys: &[
        Key::required("opens", Shape::DateTime, "The first instant of play."),
        Key::required("closes", Shape::DateTime, "The first instant after play."),
        Key::optional("note", Shape::String, "Anything."),
    ],
};

#[test]
fn keys_are_checked_against_their_table() {
    let mut lines = Vec::new();
    for text in [
        "a: { opens: 1, clsoes: 2, colour: red }",
        "a: { opens: 1, closes: 2, note: }",
        "a: [opens]",
        "a: 1",
        "a:\n  opens: 1\n",
    ] {
        let mut out = Diagnostics::new();
        let root = parse(&Source::new("a.yaml", text), &mut out).unwrap();
        let fields = root.get("a").unwrap().fields(&KEYS, &mut out);
        let has = fields.map(|fields| ["opens", "closes", "note"].map(|name| fields.has(name)));
        lines.push(format!("{text:?} {has:?}\n{}", out.sorted().lines()));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    "a: { opens: 1, clsoes: 2, colour: red }" Some([true, false, false])
    E0007 1:16 `clsoes` is not a key of a window
      = did you mean `closes`?
    E0007 1:27 `colour` is not a key of a window
      = its keys are `opens`, `closes`, `note`
    "a: { opens: 1, closes: 2, note: }" Some([true, true, true])

    "a: [opens]" None
    E0009 1:4 a window is a map of keys, this is a list
      = its keys are `opens`, `closes`, `note`
    "a: 1" None
    E0009 1:4 a window is a map of keys, this is a single value
      = its keys are `opens`, `closes`, `note`
    "a:\n  opens: 1\n" Some([true, false, false])
    E0008 2:3 `closes` is missing: the first instant after play
    "#);
}

proptest! {
    #[test]
    fn parsing_never_panics(text in "\\PC*") {
        parse(&Source::new("a.yaml", text), &mut Diagnostics::new());
    }

    #[test]
    fn parsing_yaml_like_text_never_panics(parts in prop::collection::vec(prop::sample::select(vec![
        "a", "标题", ": ", ":", "\n", "  ", "- ", "[", "]", "{", "}", ",", "'", "\"", "#", " #", "|", ">", "\t", "&a", "*a", "!t", "---", "...", "<<", "?", "%", "@", "\\", "\r\n", "\u{feff}", "1", "~", "null",
    ]), 0..60)) {
        let text = parts.concat();
        let source = Source::new("a.yaml", text);
        let mut out = Diagnostics::new();
        let node = parse(&source, &mut out);
        prop_assert!(node.is_some() || out.has_errors());
        // Places lie within the file, on whole characters.
        for each in &out {
            prop_assert!(source.text().get(each.place.span.start..each.place.span.end).is_some());
            out_json(each);
        }
        let mut open: Vec<&Node> = node.iter().collect();
        while let Some(node) = open.pop() {
            prop_assert!(source.text().get(node.place.span.start..node.place.span.end).is_some());
            match &node.kind {
                Kind::Map(entries) => open.extend(entries.iter().flat_map(|entry| [&entry.key, &entry.value])),
                Kind::List(items) => open.extend(items),
                Kind::Null | Kind::Scalar { .. } => {}
            }
        }
    }

    #[test]
    fn readers_never_panic(text in "\\PC{0,40}") {
        let source = Source::new("a.yaml", text.clone());
        let node = Node { place: Place::new(&source, 0, source.text().len()), kind: Kind::Scalar { text, quoted: true } };
        let mut out = Diagnostics::new();
        let _ = (node.int(0..=9, &mut out), node.bool(&mut out), node.decimal(2, &mut out), node.odds(&mut out));
        let _ = (node.duration(&mut out), node.datetime(chrono_tz::UTC, &mut out), node.date(&mut out), node.clock(&mut out));
        let _ = (node.timezone(&mut out), node.id("reward", &mut out), node.one_of(&["a"], &mut out), node.text(&[], &mut out));
    }

    #[test]
    fn money_reads_back(minor in 0..=i64::MAX, digits in 0u8..=4) {
        let currency = machine::model::Currency { code: "XXX".to_owned(), digits };
        let text = currency.decimal(minor);
        let source = Source::new("a.yaml", text.clone());
        let node = Node { place: Place::start_of(&source), kind: Kind::Scalar { text, quoted: false } };
        prop_assert_eq!(node.decimal(digits, &mut Diagnostics::new()), Some(minor));
    }
}

fn out_json(each: &crate::Diagnostic) {
    assert!(each.to_json()["line"].as_u64().is_some());
}
