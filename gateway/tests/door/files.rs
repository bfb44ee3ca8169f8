//! The tenants and campaigns that the tests play.

pub const TENANT: &str = "
name: { zh-CN: 艾可, en: Acme }
organizer: { zh-CN: 艾可公司, en: Acme Ltd }
timezone: Asia/Shanghai
currency: CNY
languages: [zh-CN, en]
keys: [{ kid: users, alg: HS256, dev: true }]
admin_keys: [{ kid: admins, alg: HS256, dev: true }]
service_keys: [{ kid: backend, alg: HS256, dev: true }]
claims: { level: { type: int, default: 0 }, tags: { type: list } }
origins: [https://app.acme.example]
trusted_proxies: [10.0.0.0/8]
quotas: { per_second: 100000, burst: 200000, user_per_second: 1000, user_burst: 1000 }
";

/// Another business line, with keys of its own.
pub const OTHER: &str = "
name: { en: Other }
organizer: { en: Other Ltd }
timezone: Europe/Berlin
currency: EUR
languages: [en]
keys: [{ kid: users, alg: HS256, dev: true }]
admin_keys: [{ kid: admins, alg: HS256, dev: true }]
service_keys: [{ kid: backend, alg: HS256, dev: true }]
quotas: { per_second: 100000, burst: 200000, user_per_second: 1000, user_burst: 1000 }
";

/// Sign in day by day.
pub const DAILY: &str = "
activity: sign-in
title: { zh-CN: 每日打卡, en: Daily }
opens: 2026-11-01
closes: 2026-12-01
streak: { cycle: 7 days, makeup: { days_back: 3, at_most: 2 } }
rewards:
  points: { title: { zh-CN: 积分, en: Points }, kind: points, amount: 10 }
  coupon: { title: { zh-CN: 优惠券, en: Coupon }, kind: coupon, stock: 100, cost: 2.00, expires: 30 days }
give:
  each_day: points
  streak: { 3: coupon }
";

/// A wheel whose every draw wins one of two prizes or nothing.
pub const WHEEL: &str = "
activity: lottery
title: { zh-CN: 大转盘, en: Wheel }
rules: rules/wheel.{lang}.md
opens: 2026-11-01 10:00
closes: 2026-12-01 00:00
claim_until: 2026-12-15 00:00
audience: { none_of: [{ list: staff }] }
testers: [{ list: inner }]
rewards:
  laptop:  { title: { zh-CN: 电脑, en: Laptop }, kind: physical, stock: 2, cost: 5999.00, odds: 0.001%, per_user: 1 }
  coupon:  { title: { zh-CN: 券, en: Coupon }, kind: coupon, stock: 20000, cost: 10.00, odds: 40%, expires: 30 days }
  nothing: { title: { zh-CN: 谢谢, en: Next time }, odds: rest }
when_gone: { laptop: nothing, coupon: nothing }
chances: { first_visit: 300, each_day: 1, unused: keep, hold_at_most: 500 }
earn: { order-paid: { from: backend, chances: 1, per_day: 1 } }
";

/// Two rewards at once, all or none; two packs.
pub const PACK: &str = "
activity: gift-pack
title: { zh-CN: 礼包, en: Pack }
opens: 2026-11-01
closes: 2026-12-01
audience: { none_of: [{ list: staff }] }
rewards:
  book:   { title: { zh-CN: 书, en: Book }, kind: physical, stock: 5, cost: 39.00 }
  coupon: { title: { zh-CN: 券, en: Coupon }, kind: coupon, stock: 2, cost: 30.00 }
pack: [book, coupon]
";

/// A machine of its own: payload, hidden variables, delays, a rule that can fail.
pub const QUEST: &str = "
activity: custom
title: { zh-CN: 任务, en: Quest }
opens: 2026-11-01
closes: 2026-12-01
rewards:
  badge: { title: { zh-CN: 徽章, en: Badge }, kind: entitlement }
context:
  words: { type: int, default: 0, show: true }
  secret: 7
events:
  learn:
    payload: { words: { type: int, at_least: 1, at_most: 500 }, note: { type: string, default: '', max_length: 20 } }
  divide:
    payload: { by: { type: int, default: 1 } }
  paid: { from: backend }
machine:
  initial: going
  states:
    going:
      events:
        learn:
          - { when: event.words == 13, reject: unlucky }
          - { do: [{ set: { words: words + event.words } }] }
        divide:
          # Fails later than a check looks.
          - when: \"(today < date('2026-11-15') ? 1 : 100 / event.by) > 0\"
            do: [{ set: { words: \"today < date('2026-11-15') ? 1 : 100 / event.by\" } }]
        paid:
          - { do: [{ give: badge }], to: waiting }
    waiting:
      after:
        - { in: 2 hours, do: [{ set: { words: 1000 } }], to: done }
    done:
      final: true
messages:
  unlucky: { zh-CN: 不吉利, en: Thirteen is unlucky }
";

pub const RULES_ZH: &str = "# 规则\n奖品见页面。\n";
pub const RULES_EN: &str = "# Rules\nPrizes are on the page.\n";
pub const STAFF: &str = "member\nboss\n";
pub const INNER: &str = "member\ntess\n";

/// A tenant with one campaign of each activity, and another tenant beside it.
pub const ALL: &[(&str, &str)] = &[
    ("acme/tenant.yaml", TENANT),
    ("acme/daily.yaml", DAILY),
    ("acme/wheel.yaml", WHEEL),
    ("acme/pack.yaml", PACK),
    ("acme/quest.yaml", QUEST),
    ("acme/rules/wheel.zh-CN.md", RULES_ZH),
    ("acme/rules/wheel.en.md", RULES_EN),
    ("acme/lists/staff.csv", STAFF),
    ("acme/lists/inner.csv", INNER),
    ("other/tenant.yaml", OTHER),
    (
        "other/pack.yaml",
        "
activity: gift-pack
title: { en: Pack }
opens: 2026-11-01
closes: 2026-12-01
rewards: { points: { title: { en: Points }, kind: points, amount: 10 } }
",
    ),
];

/// The files of `ALL` with some replaced or added.
pub fn with<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = ALL
        .iter()
        .copied()
        .filter(|(path, _)| !changes.iter().any(|(changed, _)| changed == path));
    kept.chain(changes.iter().copied()).collect()
}
