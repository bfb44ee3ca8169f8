//! Preview links: the test lane for whoever has one, and nothing else.

use chrono::DateTime;
use function::preview::Preview;
use function::served::Served;
use machine::ids::{CampaignKey, Lane};
use machine::world::Action;
use serde_json::{Map, json};
use store::Store as _;

use crate::files::{ALL, WHEEL, with};
use crate::world::World;

const VIEW: &str = "/v1/acme/wheel";
const DRAW: &str = "/v1/acme/wheel/events/draw";

fn link(world: &World, campaign: &str, change: impl Fn(&mut Preview)) -> String {
    let snapshot = world.registry.snapshot();
    let served: &Served = &snapshot.tenants["acme"].campaigns[campaign];
    let mut preview = Preview {
        member: "guest".to_owned(),
        expires_secs: secs("2026-10-15T14:00:00+08:00"),
        ahead_ms: 0,
        claims: Map::new(),
    };
    change(&mut preview);
    preview.sign(served)
}

fn secs(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp()
}

#[tokio::test]
async fn a_link_plays_the_test_lane_and_no_other() {
    let world = World::of(&with(&[("acme/wheel.yaml", &wheel())])).await;
    world.clock.set("2026-10-15T12:00:00+08:00");
    let token = link(&world, "wheel", |_| ());
    // As an address alone, and as a token.
    let followed = format!("{VIEW}?preview={token}");
    let view = world.ask("GET", &followed).send().await.done();
    assert_eq!(
        (&view["lane"], &view["phase"]),
        (&json!("test"), &json!("preview"))
    );
    let drawn = world
        .ask("POST", DRAW)
        .bearer(&token)
        .key("k")
        .send()
        .await
        .done();
    assert_eq!(
        (&drawn["lane"], &drawn["outcome"]),
        (&json!("test"), &json!("won"))
    );
    let grants = world
        .ask("GET", "/v1/acme/wheel/grants")
        .bearer(&token)
        .send()
        .await
        .done();
    assert_eq!(grants["grants"].as_array().unwrap().len(), 1);
    // Asked for the live lane it is refused, before the window opens and after.
    for time in ["2026-10-15T12:00:00+08:00", "2026-11-22T12:00:00+08:00"] {
        world.clock.set(time);
        let token = link(&world, "wheel", |link| {
            link.expires_secs = secs("2027-01-01T00:00:00Z");
        });
        for path in [
            format!("{DRAW}?lane=live"),
            format!("{DRAW}?lane=live&preview={token}"),
        ] {
            let call = world.ask("POST", &path).bearer(&token).key("live");
            call.send().await.no(403, "forbidden");
        }
        let done = world
            .ask("POST", DRAW)
            .bearer(&token)
            .key(time)
            .send()
            .await;
        assert_eq!(done.done()["lane"], "test", "{time}");
    }
    // A user's own token beside a link counts, and the link does not.
    let mine = world
        .get("ann", &format!("{VIEW}?preview={token}"))
        .await
        .done();
    assert_eq!(mine["lane"], "live");
    assert!(
        world.rows("wheel").await.is_empty(),
        "nothing was booked in the live lane"
    );
}

#[tokio::test]
async fn what_is_no_good_link_opens_nothing() {
    let world = World::of(ALL).await;
    world.clock.set("2026-10-15T12:00:00+08:00");
    let token = link(&world, "wheel", |_| ());
    let other = link(&world, "pack", |_| ());
    let over = link(&world, "wheel", |link| {
        link.expires_secs = secs("2026-10-15T12:00:00+08:00");
    });
    let (head, tail) = token.rsplit_once('.').unwrap();
    let said = head.strip_prefix("gp1.").unwrap();
    let flipped = |text: &str| {
        let last = if text.ends_with('A') { 'B' } else { 'A' };
        let kept: String = text.chars().take(text.len() - 1).collect();
        format!("{kept}{last}")
    };
    let cut = &tail[..tail.len() / 2];
    let bad = [
        other,
        over,
        format!("gp1.{}.{tail}", flipped(said)),
        format!("{head}.{}A", &tail[1..]),
        format!("{head}.{cut}"),
        format!("{head}."),
        format!("gp1..{tail}"),
        "gp1.".to_owned(),
        format!("gp1.{said}"),
        format!("gp2.{said}.{tail}"),
        format!("gp1.{}.{tail}", "A".repeat(3000)),
    ];
    for token in &bad {
        let call = world.ask("POST", DRAW).bearer(token).key("k");
        call.send().await.no(401, "unauthenticated");
        let followed = format!("{VIEW}?preview={token}");
        world
            .ask("GET", &followed)
            .send()
            .await
            .no(401, "unauthenticated");
    }
    // The back ends' door knows no links.
    let path = "/v1/acme/wheel/users/guest/events/order-paid?lane=test";
    let call = world.ask("POST", path).bearer(&token).key("k");
    call.send().await.no(401, "unauthenticated");
    let call = world
        .ask("POST", &format!("{path}&preview={token}"))
        .key("k");
    call.send().await.no(401, "unauthenticated");
    world
        .ask("GET", &format!("/v1/nowhere/wheel?preview={token}"))
        .send()
        .await
        .no(404, "no-such-tenant");
}

#[tokio::test]
async fn a_link_has_a_clock_of_its_own() {
    let world = World::of(ALL).await;
    let day = 24 * 3600 * 1000;
    world.clock.set("2026-11-22T12:00:00+08:00");
    let later = |days: i64| {
        link(&world, "wheel", |link| {
            link.ahead_ms = days * day;
            link.expires_secs = secs("2027-01-01T00:00:00Z");
        })
    };
    let see = async |token: &str| {
        let view = world.ask("GET", VIEW).bearer(token).send().await.done();
        view["now"].as_str().unwrap().to_owned()
    };
    let (now, next) = (later(0), later(1));
    let draw = async |token: &str, key: &str| {
        let call = world.ask("POST", DRAW).bearer(token).key(key);
        call.send().await
    };
    draw(&next, "a").await.done();
    assert_eq!(see(&next).await, "2026-11-23T12:00:00+08:00");
    // The same player by an earlier link: no record goes back in time.
    draw(&now, "b").await.done();
    let user = world.registry.snapshot().tenants["acme"].pseudonym("guest");
    let key = CampaignKey {
        tenant: "acme".into(),
        campaign: "wheel".into(),
        edition: 1,
        lane: Lane::Test,
    };
    let seen = world.store.recall(&key, user, None).await.unwrap();
    let core = &seen.participant.unwrap().core;
    assert_eq!(
        (core.version, core.now),
        (2, secs("2026-11-23T12:00:00+08:00") * 1000)
    );
    let other = link(&world, "wheel", |link| {
        link.member = "someone".to_owned();
        link.expires_secs = secs("2027-01-01T00:00:00Z");
    });
    assert_eq!(see(&other).await, "2026-11-22T12:00:00+08:00");
    // The lane's clock carries all of them along.
    let moved = Action::MoveClock {
        campaign: "wheel".into(),
        edition: 1,
        offset: day,
    };
    world.admin("acme", moved).await;
    assert_eq!(see(&other).await, "2026-11-23T12:00:00+08:00");
    assert_eq!(see(&next).await, "2026-11-24T12:00:00+08:00");
}

fn wheel() -> String {
    WHEEL.replace("odds: 40%", "odds: 99.998%")
}
