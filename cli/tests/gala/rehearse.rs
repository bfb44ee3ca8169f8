//! `gala rehearse`: a whole campaign in seconds, whose outcome is what its books say.

use serde_json::Value as Json;

use super::ran::Home;

/// Whoever comes wins until the coupons are gone, which they are on the first day whatever chance says.
const SPRING: &str = "
activity: lottery
title: { en: Spring wheel, zh-CN: 春日转盘 }
opens: 2026-12-01 10:00
closes: 2026-12-04 22:00
claim_until: 2026-12-06 22:00
rewards:
  coupon: { title: { en: Coupon, zh-CN: 券 }, kind: coupon, stock: 20, cost: 5.00, odds: 60% }
  nothing: { title: { en: Next time, zh-CN: 谢谢参与 }, odds: rest }
when_gone: { coupon: nothing }
chances: { first_visit: 3, each_day: 1, unused: keep, hold_at_most: 10 }
earn: { order-paid: { from: backend, chances: 1, per_day: 1 } }
budget: { total: 3000.00, per_day: 600.00, when_spent: nothing }
";

fn home() -> Home {
    let home = Home::new();
    home.write("configs/acme/spring.yaml", SPRING);
    home
}

fn came<'a>(report: &'a Json, kind: &str, name: &str) -> &'a Json {
    let figures = report["figures"].as_array().unwrap();
    let mut named = figures
        .iter()
        .filter(|figure| figure["kind"] == kind && figure["name"] == name);
    &named
        .next()
        .unwrap_or_else(|| panic!("no {kind} {name}: {report}"))["came"]
}

#[test]
fn the_outcome_is_what_the_books_say() {
    let home = home();
    let before = std::fs::read_dir(home.path()).unwrap().count();
    let ran = home.run(&[
        "rehearse",
        "acme/spring",
        "--users",
        "60",
        "--seed",
        "7",
        "--json",
    ]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let report = ran.json();
    assert_eq!(report["truth"]["holds"], true, "{report}");
    assert_eq!(report["as_forecast"], true, "{report}");
    assert_eq!(
        (&report["before_opening"], &report["after_end"]),
        (&"not-open".into(), &"closed".into())
    );
    assert_eq!(came(&report, "people", "people"), 60);
    assert_eq!(came(&report, "reward", "coupon"), 20);
    assert_eq!(came(&report, "cost", "in all"), "100.00");
    // The people are the seed's, so how often they draw is the same each time: three chances each, and one for each day and order.
    let draws = report["draws"].as_u64().unwrap();
    assert!(draws > 180, "{report}");
    assert_eq!(report["rows"], draws + 20, "{report}");
    assert!(report["replayed"].as_u64() > Some(0), "{report}");
    // Nothing is left behind, no keys either.
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), before);
    assert!(!home.at("configs/.keys").exists());
}

#[test]
fn for_people_the_verdict_comes_first() {
    let home = home();
    let ran = home.run(&["rehearse", "acme/spring", "--users", "60", "--seed", "7"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let mut lines = ran.stdout.lines();
    assert_eq!(
        lines.next(),
        Some("acme/spring, edition 1: rehearsed with 60 people over 4 days")
    );
    assert_eq!(
        lines.next(),
        Some("The books are true. It came as forecast.")
    );
    assert!(ran.stderr.contains("2026-12-01: "), "{}", ran.stderr);
}

/// The forecast knows nothing of who is on a real list; the set that serves does.
#[test]
fn what_the_forecast_did_not_see_is_named_and_exit_code_4() {
    let home = home();
    let invented = (0..=60).map(|number| format!("rehearsal-{number}\n"));
    let list = format!("member\n{}", invented.collect::<String>());
    home.write("configs/acme/lists/past.csv", &list);
    let spring = format!("{SPRING}audience: {{ none_of: [{{ list: past }}] }}\n");
    home.write("configs/acme/spring.yaml", &spring);
    let ran = home.run(&["rehearse", "acme/spring", "--users", "60", "--seed", "7"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    let outcome = ran.stdout.lines().nth(1).unwrap_or_default();
    assert!(
        outcome.starts_with("The books are true. It did not come as forecast: coupon,"),
        "{outcome}"
    );
    let told = "error[not-as-forecast]: not as forecast: coupon,";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
}

/// Of the real codes a rehearsal has none: it makes up as many as may be given.
#[test]
fn a_pool_of_codes_is_full_of_invented_ones() {
    let home = home();
    home.write(
        "configs/acme/codes.yaml",
        "activity: gift-pack
title: { en: Codes, zh-CN: 兑换码 }
opens: 2026-12-01
closes: 2026-12-03
rewards:
  course: { title: { en: Course, zh-CN: 课 }, kind: code, stock: 8, pool: courses, cost: 9.00 }
  coupon: { title: { en: Coupon, zh-CN: 券 }, kind: coupon, cost: 4.00 }
pack: [course]
when_gone: { course: coupon }
",
    );
    let ran = home.run(&["rehearse", "acme/codes", "--users", "20", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let report = ran.json();
    assert_eq!(report["truth"]["holds"], true, "{report}");
    assert_eq!(came(&report, "reward", "course"), 8);
    assert_eq!(came(&report, "reward", "coupon"), 12);
}

#[test]
fn what_can_not_be_rehearsed_is_said() {
    let home = home();
    home.write("profile.yaml", "share: { rate: 5%, brings: 10% }\n");
    for (args, why) in [
        (&["acme"][..], "is no TENANT/CAMPAIGN"),
        (&["acme/nowhere"], "no sound campaign `nowhere`"),
        (&["nobody/spring"], "there is no tenant `nobody`"),
        (
            &["acme/spring", "--profile", "profile.yaml"],
            "take `brings` out",
        ),
        (&["acme/spring", "--profile", "gone.yaml"], "can't be read"),
    ] {
        let ran = home.run(&[&["rehearse"], args].concat());
        assert_eq!(ran.code, 2, "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(why), "{args:?}: {}", ran.stderr);
    }
}
