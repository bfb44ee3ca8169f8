//! What expressions become.

use super::*;

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
