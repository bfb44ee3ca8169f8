//! The campaigns, as ops staff write them.

use campaign::{Diagnostics, Files, Input, Source, check, link, tenant};
use machine::model::Campaign;

use crate::activities;

pub const SIGN_IN: &str = "
activity: sign-in
title: Words
opens: 2026-09-01
closes: 2027-09-01
streak: { cycle: 7 days, makeup: { days_back: 3, at_most: 2 } }
rewards:
  points: { title: Points, kind: points, amount: 10 }
  coupon: { title: Coupon, kind: coupon, stock: 5000, cost: 20.00 }
give: { each_day: points, streak: { 5: coupon } }
";

pub const GIFT_PACK: &str = "
activity: gift-pack
title: Newcomers
opens: 2026-09-01
closes: 2027-09-01
audience: { any_of: [{ tag: new }], none_of: [{ tag: staff }] }
rewards:
  coupon: { title: Coupon, kind: coupon, stock: 1000, cost: 10.00, expires: 30 days }
  course: { title: Course, kind: entitlement, cost: 1.00 }
budget: { total: 9000.00 }
";

pub const LOTTERY: &str = "
activity: lottery
title: Wheel
opens: 2026-09-01
closes: 2027-09-01
rewards:
  laptop: { title: Laptop, kind: physical, stock: 2, cost: 5999.00, odds: 0.001%, per_user: 1 }
  coupon: { title: Coupon, kind: coupon, stock: 20000, cost: 10.00, odds: 10%, expires: 30 days }
  nothing: { title: Next time, odds: rest }
when_gone: { laptop: nothing, coupon: nothing }
pity: { losses_in_a_row: 9, then_give: coupon, starts_over_after: any-win }
chances: { first_visit: 3, each_day: 1, unused: keep, hold_at_most: 10 }
";

pub const CUSTOM: &str = "
activity: custom
title: Quiz
opens: 2026-09-01
closes: 2027-09-01
rewards:
  points: { title: Points, kind: points, amount: 5 }
context: { answers: 0, best: 0 }
events:
  answer: { payload: { right: { type: bool }, seconds: { type: int, at_least: 0, at_most: 600 } } }
machine:
  initial: playing
  states:
    playing:
      events:
        answer:
          - { when: user.level < 1, reject: too-early }
          - { when: count_today('answer') >= 3, reject: enough-for-today }
          - when: event.right && event.seconds <= 60
            do: [{ set: { answers: answers + 1, best: 'event.seconds > best ? event.seconds : best' } }, { give: { reward: points, rule: answer, every: day, at_most: 3 } }]
          - {}
messages: { too-early: Later, enough-for-today: Enough }
";

const TENANT: &str = "
name: Acme
timezone: Asia/Shanghai
currency: CNY
languages: [en]
keys: [{ kid: k1, alg: HS256, dev: true }]
claims: { tags: { type: list }, level: { type: int, default: 0 } }
organizer: Acme
";

/// Checks a campaign and makes it ready to run.
pub fn campaign(yaml: &str) -> Campaign {
    let mut out = Diagnostics::new();
    let source = |name: &str, text: &str| Source::new(name, text);
    let tenant = tenant::read("acme", &source("tenant.yaml", TENANT), &mut out);
    let tenant = tenant.unwrap_or_else(|| panic!("the tenant is sound: {out:?}"));
    let files = Files::new();
    let input = Input {
        campaign: "bench",
        source: source("bench.yaml", yaml),
        tenant: &tenant,
        files: &files,
    };
    let checked = check(&input, &activities::all());
    let definition = checked
        .definition
        .unwrap_or_else(|| panic!("the campaign is sound: {:?}", checked.diagnostics));
    link(definition, 1).expect("the campaign links")
}
