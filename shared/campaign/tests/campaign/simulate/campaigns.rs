//! Campaigns to forecast: everything that can run out, time that acts alone, and the other kinds.

use campaign::simulate::{Asked, Plan, Profile};
use campaign::{Diagnostics, Files, Input, Source, check, link, tenant};
use machine::model::{Campaign, Definition};

use crate::support;

/// Stock, a budget in all and by the day, pity, an audience, events of the back end.
pub const WHEEL: &str = "
activity: lottery
title: Wheel
opens: 2026-12-01 10:00
closes: 2026-12-08 22:00
audience: { none_of: [{ list: staff }] }
rewards:
  laptop: { title: Laptop, kind: physical, stock: 2, cost: 500.00, odds: 1%, per_user: 1 }
  coupon: { title: Coupon, kind: coupon, stock: 200, cost: 10.00, odds: 20%, release: { each_day: 40, at: '10:00' } }
  nothing: { title: Next time, odds: rest }
when_gone: { laptop: coupon, coupon: nothing }
pity: { losses_in_a_row: 4, then_give: coupon, starts_over_after: any-win }
chances: { first_visit: 3, each_day: 1, unused: keep, hold_at_most: 10 }
earn: { order-paid: { from: backend, chances: 1, per_day: 1 } }
budget: { total: 2000.00, per_day: 600.00, when_spent: nothing }
";

/// Days in a row, and make-ups that name a day.
pub const WORDS: &str = "
activity: sign-in
title: Words
opens: 2026-12-01
closes: 2027-01-01
streak: { cycle: 7 days, makeup: { days_back: 3, at_most: 2 } }
rewards:
  points: { title: Points, kind: points, amount: 10 }
  coupon: { title: Coupon, kind: coupon, stock: 30, cost: 20.00 }
give: { each_day: points, streak: { 3: coupon } }
";

/// Once for each of those who may.
pub const PACK: &str = "
activity: gift-pack
title: Newcomers
opens: 2026-12-01
closes: 2026-12-20
audience: { any_of: [{ tag: new }] }
rewards:
  coupon: { title: Coupon, kind: coupon, stock: 60, cost: 10.00 }
";

/// Time that acts alone, payloads, claims, sharing.
pub const QUEST: &str = "
activity: custom
title: Quest
opens: 2026-12-01
closes: 2026-12-20
rewards:
  points: { title: Points, kind: points, amount: 5 }
  badge: { title: Badge, kind: entitlement, stock: 25, cost: 1.00 }
events:
  answer: { payload: { right: { type: bool }, seconds: { type: int, at_least: 0, at_most: 90 } } }
  share: {}
machine:
  initial: waiting
  states:
    waiting:
      events:
        answer:
          - { when: user.level < 1, reject: too-early }
          - when: event.right && event.seconds <= 60
            do: [{ give: { reward: points, rule: answer, every: day, at_most: 3 } }]
            to: resting
          - {}
        share:
          - {}
    resting:
      after:
        - { in: 5 hours, do: [{ give: { reward: badge, rule: rested } }], to: waiting }
messages: { too-early: Later }
";

const TENANT: &str = "
name: Acme
timezone: Asia/Shanghai
currency: CNY
languages: [en]
keys: [{ kid: k1, alg: HS256, dev: true }]
claims: { tags: { type: list }, level: { type: int, default: 0 } }
organizer: Acme
connectors: { crm: { kind: http, url: https://crm.example.com/gala/facts, secret: { env: CRM_SECRET } } }
";

/// All of them, by name.
pub const ALL: [(&str, &str); 4] = [
    ("wheel", WHEEL),
    ("words", WORDS),
    ("pack", PACK),
    ("quest", QUEST),
];

/// The profile that brings all of them to life.
pub const LIVELY: &str = "
arrivals: [5, 3, 0, 2, 1, 1, 1]
returns: { same_day: 20%, next_day: 60%, later: 10% }
presses_anyway: 30%
share: { rate: 30%, brings: 50% }
";

pub fn definition(name: &str, yaml: &str) -> Definition {
    let mut out = Diagnostics::new();
    let tenant = tenant::read("acme", &Source::new("tenant.yaml", TENANT), &mut out);
    let tenant = tenant.unwrap_or_else(|| panic!("the tenant is sound: {out:?}"));
    let files: Files = [("lists/staff.csv".to_owned(), "".into())].into();
    let input = Input {
        campaign: name,
        source: Source::new(format!("{name}.yaml"), yaml),
        tenant: &tenant,
        files: &files,
    };
    let checked = check(&input, &support::all());
    checked
        .definition
        .unwrap_or_else(|| panic!("{name} is sound: {}", checked.diagnostics.lines()))
}

pub fn campaign(name: &str, yaml: &str) -> Campaign {
    link(definition(name, yaml), 1).unwrap()
}

/// A profile read for a campaign, or what is wrong with it.
pub fn profile(campaign: &Campaign, text: &str) -> Result<Profile, String> {
    let mut out = Diagnostics::new();
    let source = Source::new("profile.yaml", text);
    let read = campaign::simulate::profile::read(&source, &Profile::default(), campaign, &mut out);
    read.filter(|_| out.is_empty()).ok_or_else(|| out.lines())
}

/// A plan with the lively profile and claims that let people in.
pub fn plan(name: &str, yaml: &str, users: u32, seed: u64) -> Plan {
    let campaign = campaign(name, yaml);
    let mut text = LIVELY.to_owned();
    text += "claims: { level: [{ value: 1, share: 70% }], tags: [{ value: [new], share: 50% }] }\n";
    if name == "wheel" {
        text += "lists: { staff: 5% }\nbackend: { order-paid: 40% }\n";
    }
    let profile = profile(&campaign, &text).unwrap();
    let asked = Asked {
        users: Some(users),
        days: Some(7),
        seed,
        runs: Some(3),
        ..Asked::default()
    };
    Plan::new(definition(name, yaml), profile, &asked).unwrap()
}
