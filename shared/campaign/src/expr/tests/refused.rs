//! What is said of expressions that are well written and mean nothing here.

use super::*;

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
      E0303 1 `chances.x` `chances` has no parts: only `user`, `event`, `facts` and `rewards` have
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
fn without_an_event_there_is_no_payload() {
    let mut world = World::new();
    world.event = None;
    insta::assert_snapshot!(shown("event.words > 1", None, &mut world), @r"
    E0310 1 `event.words` no event happens where this expression runs
      = keep what you need in a variable of `context` when the event comes
    ");
}
