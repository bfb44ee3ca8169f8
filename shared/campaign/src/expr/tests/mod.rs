//! Expressions, by example: what they become, and what is said of those that become nothing.

mod meaning;

use std::collections::BTreeMap;

use machine::calendar::Calendar;
use proptest::prelude::*;

use super::*;
use crate::document::{Kind, parse};
use crate::source::{Place, Source};

/// A campaign's names.
struct World {
    calendar: Calendar,
    event: Option<&'static str>,
    counts: Vec<String>,
    lists: BTreeMap<String, u16>,
}

impl World {
    fn new() -> Self {
        Self {
            calendar: Calendar::new(chrono_tz::Asia::Shanghai, 0, vec![]),
            event: Some("study"),
            counts: vec![],
            lists: BTreeMap::new(),
        }
    }
}

const VARS: [(&str, Type); 8] = [
    ("chances", Type::Int),
    ("misses", Type::Int),
    ("vip", Type::Bool),
    ("city", Type::Str),
    ("since", Type::Date),
    ("last", Type::Time),
    ("wait", Type::Duration),
    ("my_points", Type::Int),
];
const USER: [(&str, Type); 4] = [
    ("level", Type::Int),
    ("tags", Type::Strs),
    ("tier", Type::Str),
    ("signed_up", Type::Time),
];
const EVENT: [(&str, Type); 2] = [("words", Type::Int), ("day", Type::Date)];
const EVENTS: [&str; 2] = ["order-paid", "study"];

fn find(table: &[(&str, Type)], name: &str) -> Option<(u16, Type)> {
    table
        .iter()
        .position(|(known, _)| *known == name)
        .map(|at| (at as u16, table[at].1))
}

fn all(table: &[(&str, Type)]) -> Vec<String> {
    table.iter().map(|(name, _)| (*name).to_owned()).collect()
}

impl Names for World {
    fn var(&self, name: &str) -> Option<(u16, Type)> {
        find(&VARS, name)
    }
    fn var_names(&self) -> Vec<String> {
        all(&VARS)
    }
    fn user(&self, claim: &str) -> Option<(u16, Type)> {
        find(&USER, claim)
    }
    fn user_names(&self) -> Vec<String> {
        all(&USER)
    }
    fn event(&self) -> Option<&str> {
        self.event
    }
    fn event_field(&self, field: &str) -> Option<(u16, Type)> {
        find(&EVENT, field)
    }
    fn event_fields(&self) -> Vec<String> {
        if self.event.is_some() {
            all(&EVENT)
        } else {
            vec![]
        }
    }
    fn function(&self, name: &str) -> Option<Function> {
        let (function, args, result) = match name {
            "signed_today" => (0, vec![], Type::Bool),
            "signed_on" => (1, vec![Type::Date], Type::Bool),
            "makeups_left" => (2, vec![], Type::Int),
            _ => return None,
        };
        Some(Function {
            block: 3,
            function,
            args,
            result,
        })
    }
    fn function_names(&self) -> Vec<String> {
        ["signed_today", "signed_on", "makeups_left"]
            .map(str::to_owned)
            .to_vec()
    }
    fn reward(&self, id: &str) -> Option<u16> {
        ["my-coupon", "points"]
            .iter()
            .position(|known| *known == id)
            .map(|at| at as u16)
    }
    fn reward_ids(&self) -> Vec<String> {
        vec!["my-coupon".to_owned(), "points".to_owned()]
    }
    fn count(&mut self, event: &str) -> Option<u16> {
        EVENTS.contains(&event).then_some(())?;
        let at = self
            .counts
            .iter()
            .position(|known| known == event)
            .unwrap_or_else(|| {
                self.counts.push(event.to_owned());
                self.counts.len() - 1
            });
        Some(at as u16)
    }
    fn event_names(&self) -> Vec<String> {
        EVENTS.map(str::to_owned).to_vec()
    }
    fn list(&mut self, list: &str) -> Option<u16> {
        (list == "vip-2026").then_some(())?;
        let next = self.lists.len() as u16;
        Some(*self.lists.entry(list.to_owned()).or_insert(next))
    }
    fn list_names(&self) -> Vec<String> {
        vec!["vip-2026".to_owned()]
    }
    fn calendar(&self) -> &Calendar {
        &self.calendar
    }
}

/// What a text becomes, or what is said.
fn shown(text: &str, want: Option<Type>, world: &mut World) -> String {
    let mut out = Diagnostics::new();
    let source = Source::new("a.yaml", text);
    let node = &Node {
        place: Place::new(&source, 0, text.len()),
        kind: Kind::Scalar {
            text: text.to_owned(),
            quoted: false,
        },
    };
    let found = match want {
        Some(want) => lower(node, want, world, &mut out).map(|program| (want, program)),
        None => lower_any(node, world, &mut out),
    };
    assert_eq!(found.is_none(), out.has_errors(), "{text}: {}", out.lines());
    match found {
        Some((ty, program)) => format!("{ty} {program:?}"),
        None => out
            .sorted()
            .iter()
            .map(|each| {
                let help = each
                    .help
                    .as_ref()
                    .map_or(String::new(), |help| format!("\n  = {help}"));
                format!(
                    "{} {} `{}` {}{help}",
                    each.code,
                    each.place.column(),
                    each.place.text(),
                    each.message
                )
            })
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

fn table(texts: &[&str]) -> String {
    texts
        .iter()
        .map(|text| format!("{text}\n  {}", shown(text, None, &mut World::new())))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn what_expressions_become() {
    insta::assert_snapshot!(table(&[
        "true",
        "1",
        "chances == 0",
        "chances > 0 && vip && (misses < 9 && user.level >= 3) || !vip",
        "vip ? 'a' : city",
        "user.tier in ['gold', 'silver']",
        "chances in [1, 2]",
        "'beta' in user.tags",
        "count_today('order-paid') >= 1 && count_total('order-paid') < 10 && count_today('study') == 0",
        "in_list('vip-2026')",
        "rewards.my_coupon.given == 0",
        "rewards['my-coupon'].given",
        "signed_today() && signed_on(event.day) && makeups_left() > 0",
        "today - since",
        "since + 7 > today",
        "now - last > duration('12 hours')",
        "now < time('2026-12-01 10:00')",
        "day_of(last) == date('2026-12-01')",
        "wait * 2 / 3 + duration('1 day')",
        "duration('1 day') / duration('1 hour')",
        "size(city) + size('标题')",
        "-chances + 2 * 3 % 4",
        "city != 'x'",
        "vip == true",
        "1 + 2 == 3 && vip",
        "-9223372036854775808",
    ]), @r#"
    true
      bool Bool(Lit(true))
    1
      int Int(Lit(1))
    chances == 0
      bool Bool(Compare(Eq, Get(Var(0)), Lit(0)))
    chances > 0 && vip && (misses < 9 && user.level >= 3) || !vip
      bool Bool(Any([All([Compare(Gt, Get(Var(0)), Lit(0)), Get(Var(2)), Compare(Lt, Get(Var(1)), Lit(9)), Compare(Ge, Get(User(0)), Lit(3))]), Not(Get(Var(2)))]))
    vip ? 'a' : city
      string Str(If((Get(Var(2)), Lit("a"), Get(Var(3)))))
    user.tier in ['gold', 'silver']
      bool Bool(StrIn(Get(User(2)), [Lit("gold"), Lit("silver")]))
    chances in [1, 2]
      bool Bool(IntIn(Get(Var(0)), [Lit(1), Lit(2)]))
    'beta' in user.tags
      bool Bool(Has(Lit("beta"), User(1)))
    count_today('order-paid') >= 1 && count_total('order-paid') < 10 && count_today('study') == 0
      bool Bool(All([Compare(Ge, CountToday(0), Lit(1)), Compare(Lt, CountTotal(0), Lit(10)), Compare(Eq, CountToday(1), Lit(0))]))
    in_list('vip-2026')
      bool Bool(Fact(0))
    rewards.my_coupon.given == 0
      bool Bool(Compare(Eq, Given(0), Lit(0)))
    rewards['my-coupon'].given
      int Int(Given(0))
    signed_today() && signed_on(event.day) && makeups_left() > 0
      bool Bool(All([Call(BlockCall { block: 3, function: 0, args: [] }), Call(BlockCall { block: 3, function: 1, args: [Int(Get(Event(1)))] }), Compare(Gt, Call(BlockCall { block: 3, function: 2, args: [] }), Lit(0))]))
    today - since
      int Int(Arith(Sub, (Today, Get(Var(4)))))
    since + 7 > today
      bool Bool(Compare(Gt, Arith(Add, (Get(Var(4)), Lit(7))), Today))
    now - last > duration('12 hours')
      bool Bool(Compare(Gt, Arith(Sub, (Now, Get(Var(5)))), Lit(43200000)))
    now < time('2026-12-01 10:00')
      bool Bool(Compare(Lt, Now, Lit(1796090400000)))
    day_of(last) == date('2026-12-01')
      bool Bool(Compare(Eq, DayOf(Get(Var(5))), Lit(20788)))
    wait * 2 / 3 + duration('1 day')
      duration Int(Arith(Add, (Arith(Div, (Arith(Mul, (Get(Var(6)), Lit(2))), Lit(3))), Lit(86400000))))
    duration('1 day') / duration('1 hour')
      int Int(Lit(24))
    size(city) + size('标题')
      int Int(Arith(Add, (Size(Get(Var(3))), Lit(2))))
    -chances + 2 * 3 % 4
      int Int(Arith(Add, (Neg(Get(Var(0))), Lit(2))))
    city != 'x'
      bool Bool(Not(SameStr(Get(Var(3)), Lit("x"))))
    vip == true
      bool Bool(Get(Var(2)))
    1 + 2 == 3 && vip
      bool Bool(Get(Var(2)))
    -9223372036854775808
      int Int(Lit(-9223372036854775808))
    "#);
}

#[test]
fn what_is_said_of_the_others() {
    insta::assert_snapshot!(table(&[
        "user.tier == 3",
        "city > 'a'",
        "chances && vip",
        "vip + 1",
        "chanses > 0",
        "level > 3",
        "words > 3",
        "user",
        "user.lvl",
        "user.levle > 1",
        "event.word",
        "rewards.my-coupon.given > 0",
        "rewards.my_cupon.given",
        "rewards.points",
        "rewards.points.left",
        "chances.x",
        "signed_today",
        "signed_todya()",
        "signed_on('2026-12-01')",
        "signed_on()",
        "count_today(city)",
        "count_today('order')",
        "in_list('vip')",
        "date('2026-13-01')",
        "duration('7 dayz')",
        "time('soon')",
        "today + duration('1 day')",
        "now + 1",
        "now > today",
        "since == '2026-12-01'",
        "level == 2.5 || chances == 1u",
        "city == null",
        "b'a' == city",
        "[1, 2]",
        "user.tags",
        "user.tags[0]",
        "user.tags.exists(t, t == 'a')",
        "has(user.level)",
        "city.startsWith('a')",
        "string(chances)",
        "chances in [1, 'a']",
        "chances in []",
        "chances in misses",
        "3 in user.tags",
        "vip in [true]",
        "vip ? 1 : 'a'",
        "9223372036854775807 + 1 > chances",
        "chances / 0",
        "chances % (2 - 2)",
        "-city",
        "-vip",
        "chanses > 0 && misess > 0",
        "Foo{a: 1}",
        "(chances + city) * 2",
        "vip && (chances + (city))",
        "signed_on ( 'x' ) && vip",
        "now + ((chances))",
    ]), @r#"
    user.tier == 3
      E0307 1 `user.tier == 3` `user.tier` is a string, `3` is an int: they can't be compared
      = a number stands without quotes, a text with them
    city > 'a'
      E0307 1 `city > 'a'` a string has no order: only `==` and `!=` compare it
    chances && vip
      E0307 1 `chances` `chances` is an int, a condition is needed here
      = compare it: `chances > 0`
    vip + 1
      E0307 1 `vip + 1` `vip` is a bool, `1` is an int: `+` can't add them
    chanses > 0
      E0304 1 `chanses` `chanses` is not a name that expressions know here
      = did you mean `chances`?
    level > 3
      E0304 1 `level` `level` is not a name that expressions know here
      = did you mean `user.level`?
    words > 3
      E0304 1 `words` `words` is not a name that expressions know here
      = did you mean `event.words`?
    user
      E0304 1 `user` `user` alone has no value: name a claim of it
      = write `user.level`
    user.lvl
      E0304 6 `lvl` `lvl` is not a claim of this tenant
      = known are `level`, `tags`, `tier`, `signed_up`; claims are declared in tenant.yaml under `claims`
    user.levle > 1
      E0304 6 `levle` `levle` is not a claim of this tenant
      = did you mean `level`?
    event.word
      E0304 7 `word` `word` is not a field of the event `study`
      = did you mean `words`?
    rewards.my-coupon.given > 0
      E0304 1 `rewards.my` `my` is not a reward of this campaign
      = write `_` for `-`: `rewards.my_coupon.given`
    rewards.my_cupon.given
      E0304 1 `rewards.my_cupon` `my_cupon` is not a reward of this campaign
      = did you mean `my-coupon`?
    rewards.points
      E0304 1 `rewards.points` `rewards.points` alone has no value
      = write `rewards.points.given`: how often it was given to this user
    rewards.points.left
      E0304 16 `left` a reward has no `left` in expressions
      = only `given`: how often it was given to this user
    chances.x
      E0303 1 `chances.x` `chances` has no parts: only `user`, `event` and `rewards` have
    signed_today
      E0304 1 `signed_today` `signed_today` is not a name that expressions know here
      = `signed_today` is a function: write `signed_today(...)`
    signed_todya()
      E0305 1 `signed_todya` `signed_todya` is not a function that expressions know here
      = did you mean `signed_today`?
    signed_on('2026-12-01')
      E0306 11 `'2026-12-01'` `signed_on` takes a date, `'2026-12-01'` is a string
      = write a date as `date('2026-12-01')`
    signed_on()
      E0306 1 `signed_on()` `signed_on` takes a date; 0 are given
    count_today(city)
      E0306 13 `city` `count_today` takes a text written out in quotes
      = write `count_today('order-paid')`
    count_today('order')
      E0304 13 `'order'` `order` is not an event of this campaign
      = known are `order-paid`, `study`
    in_list('vip')
      E0304 9 `'vip'` `vip` is not a list of this tenant
      = a list is a file `lists/vip.csv` beside the campaign; known are `vip-2026`
    date('2026-13-01')
      E0306 6 `'2026-13-01'` `2026-13-01` is not a date
      = write `date('2026-12-01')`
    duration('7 dayz')
      E0306 10 `'7 dayz'` `dayz` is not a unit of time
      = write `duration('7 days')`; the units are seconds, minutes, hours, days, weeks
    time('soon')
      E0306 6 `'soon'` `soon` is not a point in time
      = write `time('2026-12-01 10:00')`
    today + duration('1 day')
      E0307 1 `today + duration('1 day')` `today` is a date, `duration('1 day')` is a duration: `+` can't add them
      = a date moves by days: `today + 7`
    now + 1
      E0307 1 `now + 1` `now` is a time, `1` is an int: `+` can't add them
      = a time moves by a length of time: `now + duration('1 hour')`
    now > today
      E0307 1 `now > today` `now` is a time, `today` is a date: they can't be compared
      = `day_of(...)` is the day of a time
    since == '2026-12-01'
      E0307 1 `since == '2026-12-01'` `since` is a date, `'2026-12-01'` is a string: they can't be compared
      = write a date as `date('2026-12-01')`
    level == 2.5 || chances == 1u
      E0304 1 `level` `level` is not a name that expressions know here
      = did you mean `user.level`?
    E0303 10 `2.5` `2.5` is not a whole number: numbers here are all whole, so that they are exact
      = for a share of something, multiply first: `words * 10 >= goal * 25`
    E0303 28 `1u` `1u` has a suffix: numbers here are all whole and signed
      = write `1`
    city == null
      E0303 9 `null` `null` is not part of expressions here: every name has a value
      = compare with the declared default instead
    b'a' == city
      E0303 1 `b'a'` bytes are not part of expressions here
      = drop the `b` before the quotes
    [1, 2]
      E0303 1 `[1, 2]` a list can only stand on the right of `in`
      = write `level in [1, 2]`
    user.tags
      E0307 1 `user.tags` `user.tags` is a list of strings, which can only be looked into
      = write `'x' in user.tags`
    user.tags[0]
      E0303 1 `user.tags[0]` nothing is looked up with `[...]` here
      = write `x in user.tags` to look into a list
    user.tags.exists(t, t == 'a')
      E0303 11 `exists` `exists` is not part of expressions here: they have no loops
      = write `'x' in user.tags` to look into a list; every name here has a value
    has(user.level)
      E0303 1 `has` `has` is not part of expressions here: they have no loops
      = write `'x' in user.tags` to look into a list; every name here has a value
    city.startsWith('a')
      E0303 6 `startsWith` `.startsWith(...)` is not part of expressions here: values have no methods
    string(chances)
      E0305 1 `string` `string` is not a function that expressions know here
      = known are `signed_today`, `signed_on`, `makeups_left`, `count_today`, `count_total`, `in_list`, `date`, `time`, `duration`, `day_of`, `size`
    chances in [1, 'a']
      E0307 16 `'a'` `chances` is an int, `'a'` is a string: they can't be compared
      = a number stands without quotes, a text with them
    chances in []
      E0307 12 `[]` this list is empty: nothing is ever in it
    chances in misses
      E0307 12 `misses` `in` looks into a list, `misses` is an int
      = write `x in [1, 2]`, or `x in user.tags` for a claim that is a list
    3 in user.tags
      E0307 1 `3` `3` is an int, the list has strings
    vip in [true]
      E0307 1 `vip in [true]` a bool is compared with `==`, not with `in`
    vip ? 1 : 'a'
      E0307 1 `vip ? 1 : 'a'` `1` is an int, `'a'` is a string: both branches must be of one type
    9223372036854775807 + 1 > chances
      E0309 1 `9223372036854775807 + 1` this always fails: a number grew beyond 64 bits
    chances / 0
      E0309 1 `chances / 0` this always fails: a division by zero
    chances % (2 - 2)
      E0309 1 `chances % (2 - 2)` this always fails: a division by zero
    -city
      E0307 1 `-city` `city` is a string, it has no negative
    -vip
      E0307 1 `-vip` `vip` is a bool, it has no negative
      = write `!vip` for "not"
    chanses > 0 && misess > 0
      E0304 1 `chanses` `chanses` is not a name that expressions know here
      = did you mean `chances`?
    E0304 16 `misess` `misess` is not a name that expressions know here
      = did you mean `misses`?
    Foo{a: 1}
      E0303 4 `{a: 1}` messages are not part of expressions here
    (chances + city) * 2
      E0307 2 `chances + city` `chances` is an int, `city` is a string: `+` can't add them
      = texts can't be put together here; a message's texts stand in `messages`
    vip && (chances + (city))
      E0307 9 `chances + (city)` `chances` is an int, `city` is a string: `+` can't add them
      = texts can't be put together here; a message's texts stand in `messages`
    signed_on ( 'x' ) && vip
      E0306 13 `'x'` `signed_on` takes a date, `'x'` is a string
      = write a date as `date('2026-12-01')`
    now + ((chances))
      E0307 1 `now + ((chances))` `now` is a time, `chances` is an int: `+` can't add them
      = a time moves by a length of time: `now + duration('1 hour')`
    "#);
}

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

#[test]
fn without_an_event_there_is_no_payload() {
    let mut world = World::new();
    world.event = None;
    insta::assert_snapshot!(shown("event.words > 1", None, &mut world), @r"
    E0310 1 `event.words` no event happens where this expression runs
      = keep what you need in a variable of `context` when the event comes
    ");
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

fn lower_text(text: &str) -> Option<(Type, Expr)> {
    let source = Source::new("a.yaml", text);
    let node = Node {
        place: Place::new(&source, 0, text.len()),
        kind: Kind::Scalar {
            text: text.to_owned(),
            quoted: false,
        },
    };
    let mut out = Diagnostics::new();
    let found = lower_any(&node, &mut World::new(), &mut out);
    assert_eq!(found.is_none(), out.has_errors(), "{text}: {}", out.lines());
    for each in &out {
        assert!(
            source
                .text()
                .get(each.place.span.start..each.place.span.end)
                .is_some(),
            "{text}"
        );
    }
    found
}

proptest! {
    #[test]
    fn lowering_never_panics(text in "\\PC{0,80}") {
        lower_text(&text);
    }

    #[test]
    fn lowering_expression_like_text_never_panics(parts in prop::collection::vec(prop::sample::select(vec![
        "chances", "vip", "user", ".", "level", "event", "rewards", "given", "(", ")", "[", "]", "{", "}", "==", "!=", "<", ">=", "&&", "||", "!", "?", ":", "+", "-", "*", "/", "%", " in ", "'a'", "\"b\"", "1", "2.5", "1u", "null", "true", ",", "size", "date", "in_list", "b'x'", "级", "`", "r'", "\\", "'", " ", "\n", "0x", "exists", "//",
    ]), 0..30)) {
        lower_text(&parts.concat());
    }
}
