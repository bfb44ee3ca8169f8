//! Posters over the public door: whose, in which form, by which address; and that they hold nobody up.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use function::poster::Posters;
use function::poster::pool::Pool;
use function::poster::share::Shares;
use function::registry::Registry;
use machine::ids::{CampaignKey, Lane};
use machine::world::{Action, Pause};
use serde_json::{Value, json};
use store::Store as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::files::{DAILY, TENANT, with};
use crate::world::{ACTIVITIES, Answer, World};

const VIEW: &str = "/v1/acme/daily";
pub const STREAK: &str = "/v1/acme/daily/poster/streak";
const SIGN: &str = "/v1/acme/daily/events/sign-in";

/// A name, a number of days, a picture and a code.
const SVG: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 320" width="240" height="320">
<rect width="240" height="320" fill="#fff4e0"/>
<circle id="picture user.avatar" cx="60" cy="60" r="40" fill="#cccccc"/>
<text x="20" y="140" font-family="Noto Sans SC" font-size="20" fill="#222222">{{ user.name }}</text>
<text x="20" y="180" font-family="Noto Sans SC" font-size="28" fill="#b00020">{{ grant.title }} {{ figures.days }}</text>
<rect id="qr share.url" x="60" y="190" width="120" height="120" fill="#ffffff"/>
</svg>"##;

pub fn tenant() -> String {
    TENANT.replace(
        "claims: {",
        "posters: { picture_hosts: [localhost] }\nclaims: { name: { type: string, default: '' }, avatar: { type: string, default: '' },",
    )
}

fn daily() -> String {
    format!(
        "{DAILY}testers: [{{ list: inner }}]
posters:
  streak: {{ template: posters/streak.svg, figures: {{ days: streak }} }}
  third: {{ template: posters/streak.svg, figures: {{ days: streak }}, when: streak >= 3 }}
share: {{ url: \"https://m.acme.example/{{campaign}}?from={{share.id}}\" }}
"
    )
}

async fn house() -> World {
    house_of(&tenant(), &[]).await
}

/// A house with this tenant's settings, and more files.
pub async fn house_of(tenant: &str, more: &[(&str, &str)]) -> World {
    let daily = daily();
    let mut changed = vec![
        ("acme/tenant.yaml", tenant),
        ("acme/daily.yaml", &*daily),
        ("acme/posters/streak.svg", SVG),
    ];
    changed.extend(more);
    let world = World::of(&with(&changed)).await;
    assert!(
        world.report.problems.is_empty(),
        "{:?}",
        world.report.problems
    );
    world
}

pub fn daily_in(lane: Lane) -> CampaignKey {
    CampaignKey {
        tenant: "acme".into(),
        campaign: "daily".into(),
        edition: 1,
        lane,
    }
}

async fn by(world: &World, user: &str, claims: &Value, path: &str) -> Answer {
    let token = world.token("acme", user, claims);
    world.ask("GET", path).bearer(&token).send().await
}

/// The address of a poster that a view offers.
async fn address(world: &World, user: &str, claims: &Value, view: &str) -> String {
    let view = by(world, user, claims, view).await.done();
    let posters = view["posters"].as_array().unwrap().clone();
    let streak = posters.iter().find(|poster| poster["template"] == "streak");
    streak.unwrap()["url"].as_str().unwrap().to_owned()
}

async fn open(world: &World, url: &str) -> Answer {
    world.ask("GET", url).send().await
}

#[track_caller]
fn picture<'a>(answer: &'a Answer, media: &str) -> &'a str {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some(media));
    let magic: &[u8] = match media {
        "image/jpeg" => b"\xff\xd8\xff",
        "image/png" => b"\x89PNG",
        _ => b"RIFF",
    };
    assert!(answer.bytes.starts_with(magic), "{media}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    answer.header("etag").unwrap()
}

#[tokio::test]
async fn a_picture_in_the_form_that_is_asked_for() {
    let world = house().await;
    let rows = [
        ("", "*/*", "image/jpeg"),
        ("", "image/webp,image/png;q=0.5", "image/webp"),
        ("?format=png", "image/webp", "image/png"),
        ("?format=jpg", "*/*", "image/jpeg"),
        ("?format=png&scale=2", "*/*", "image/png"),
    ];
    let mut tags = HashSet::new();
    for (query, accept, media) in rows {
        let path = format!("{STREAK}{query}");
        let call = world.ask("GET", &path).by("ann").header("accept", accept);
        let answer = call.send().await;
        let tag = picture(&answer, media).to_owned();
        assert!(
            answer
                .header("cache-control")
                .unwrap()
                .starts_with("private")
        );
        assert_eq!(
            answer.header("cross-origin-resource-policy"),
            Some("cross-origin")
        );
        // Whoever has it is told so, before anything is drawn, and by any other way to the same picture.
        let call = world.ask("GET", &path).by("ann").header("accept", accept);
        let again = call
            .header("if-none-match", format!("\"x\", W/{tag}"))
            .send()
            .await;
        assert_eq!((again.status, again.bytes.len()), (304, 0));
        assert_eq!(again.header("etag"), Some(&*tag));
        let head = world
            .ask("HEAD", &path)
            .by("ann")
            .header("accept", accept)
            .send()
            .await;
        assert_eq!((head.status, head.header("etag")), (200, Some(&*tag)));
        assert!(head.bytes.is_empty());
        tags.insert(tag);
    }
    assert_eq!(tags.len(), 4, "one name for one picture: {tags:?}");
    for (query, accept) in [
        ("?format=gif", "*/*"),
        ("?format=", "*/*"),
        ("", "text/html"),
    ] {
        let path = format!("{STREAK}{query}");
        let call = world.ask("GET", &path).by("ann").header("accept", accept);
        let no = call.send().await.no(406, "not-acceptable");
        assert_eq!(no["formats"][0], "image/jpeg");
    }
    world
        .get("ann", &format!("{STREAK}?scale=3"))
        .await
        .no(400, "bad-request");
}

#[tokio::test]
async fn only_for_whom_it_is() {
    let world = house().await;
    world
        .get("ann", "/v1/acme/daily/poster/other")
        .await
        .no(404, "no-such-poster");
    world
        .get("ann", "/v1/acme/wheel/poster/streak")
        .await
        .no(404, "no-such-poster");
    world
        .get("ann", "/v1/acme/none/poster/streak")
        .await
        .no(404, "no-such-campaign");
    open(&world, STREAK).await.no(401, "unauthenticated");
    let other = world.token("other", "ann", &json!({}));
    let call = world.ask("GET", STREAK).bearer(&other);
    call.send().await.no(401, "unauthenticated");
    // A poster for those who have come three days is offered to nobody else.
    world
        .get("ann", "/v1/acme/daily/poster/third")
        .await
        .no(404, "no-such-poster");
    let offered = world.get("ann", VIEW).await.json()["posters"].clone();
    assert_eq!(offered.as_array().unwrap().len(), 1, "{offered}");
    // A page of the tenant's may read it, and is told what it may not.
    let call = world.ask("GET", STREAK).by("ann");
    let answer = call
        .header("origin", "https://app.acme.example")
        .send()
        .await;
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://app.acme.example")
    );
}

#[tokio::test]
async fn whatever_the_phase() {
    let world = house().await;
    for at in [
        "2026-10-15T12:00:00+08:00",
        "2026-11-22T12:00:00+08:00",
        "2027-01-22T12:00:00+08:00",
    ] {
        world.clock.set(at);
        picture(&world.get("ann", STREAK).await, "image/jpeg");
    }
    world.clock.set("2026-11-22T12:00:00+08:00");
    let pause = Pause {
        reason: "stock".into(),
        notice: None,
        until: None,
        event: None,
    };
    let pause = Action::Pause {
        campaign: "daily".into(),
        edition: 1,
        pause,
    };
    world.admin("acme", pause).await;
    picture(&world.get("ann", STREAK).await, "image/jpeg");
}

#[tokio::test]
async fn the_views_address_shows_the_same_poster_without_a_token() {
    let world = house().await;
    let claims = json!({ "name": "安娜 Anna" });
    let url = address(&world, "ann", &claims, VIEW).await;
    assert!(
        url.starts_with("/v1/acme/daily/poster/streak?seal="),
        "{url}"
    );
    assert!(url.len() < 400, "{} characters", url.len());
    for told in ["ann", "Anna", "%E5%AE%89"] {
        assert!(!url.contains(told), "{url}");
    }
    let theirs = by(&world, "ann", &claims, STREAK).await;
    let shown = open(&world, &url).await;
    // The name that only the token said is on it: the same tag is the same content.
    assert_eq!(
        picture(&shown, "image/jpeg"),
        picture(&theirs, "image/jpeg")
    );
    assert_eq!(shown.bytes, theirs.bytes);
    let nameless = by(&world, "ann", &json!({}), STREAK).await;
    assert_ne!(nameless.header("etag"), shown.header("etag"));
    // Twice within its window it is the same address; after an event it is another one, and so is the poster.
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(address(&world, "ann", &claims, VIEW).await, url);
    world.post("ann", SIGN, "k", json!({})).await.done();
    let after = address(&world, "ann", &claims, VIEW).await;
    assert_ne!(after, url);
    let after = open(&world, &after).await;
    assert_ne!(after.header("etag"), shown.header("etag"));
    // The old address shows what is there now.
    assert_eq!(
        open(&world, &url).await.header("etag"),
        after.header("etag")
    );
    picture(
        &open(&world, &format!("{url}&format=png&scale=2")).await,
        "image/png",
    );
}

#[tokio::test]
async fn an_address_that_is_over_or_was_changed_shows_nothing() {
    let world = house().await;
    let url = address(&world, "ann", &json!({}), VIEW).await;
    let (path, seal) = url.split_once("?seal=").unwrap();
    let mut flipped = seal.to_owned();
    let last = flipped.pop().unwrap();
    flipped.push(if last == 'A' { 'Q' } else { 'A' });
    let bad = [
        format!("{path}?seal="),
        format!("{path}?seal={flipped}"),
        format!("{path}?seal={}", &seal[..seal.len() / 2]),
        format!("{path}?seal={seal}&lane=test"),
        format!("/v1/acme/daily/poster/third?seal={seal}"),
        format!("/v1/acme/wheel/poster/streak?seal={seal}"),
        format!("{path}?seal={}", "A".repeat(5000)),
    ];
    for url in bad {
        let no = open(&world, &url).await.no(401, "unauthenticated");
        assert_eq!(no["reason"], "not-genuine", "{url}");
    }
    open(&world, &format!("/v1/other/pack/poster/streak?seal={seal}"))
        .await
        .no(401, "unauthenticated");
    world.clock.advance(Duration::from_mins(29));
    picture(&open(&world, &url).await, "image/jpeg");
    world.clock.advance(Duration::from_mins(31));
    let no = open(&world, &url).await.no(401, "unauthenticated");
    assert_eq!(no["reason"], "expired");
}

#[tokio::test]
async fn a_testers_poster_is_of_the_test_lane() {
    let world = house().await;
    let lane = format!("{VIEW}?lane=test");
    world
        .post("tess", &format!("{SIGN}?lane=test"), "k", json!({}))
        .await
        .done();
    let url = address(&world, "tess", &json!({}), &lane).await;
    assert!(url.contains("lane=test&seal="), "{url}");
    let test = open(&world, &url).await;
    let by_token = by(&world, "tess", &json!({}), &format!("{STREAK}?lane=test")).await;
    assert_eq!(
        picture(&test, "image/jpeg"),
        picture(&by_token, "image/jpeg")
    );
    let live = world.get("tess", STREAK).await;
    assert_ne!(picture(&live, "image/jpeg"), picture(&test, "image/jpeg"));
    open(&world, &url.replace("lane=test&", ""))
        .await
        .no(401, "unauthenticated");
    world
        .get("ann", &format!("{STREAK}?lane=test"))
        .await
        .no(403, "forbidden");
}

#[tokio::test]
async fn it_tells_of_ones_own_grants_only() {
    let world = house().await;
    let before = world.get("ann", STREAK).await;
    let done = world.post("ann", SIGN, "k", json!({})).await.done();
    let grant = done["grants"][0]["id"].as_str().unwrap();
    let newest = world.get("ann", STREAK).await;
    assert_ne!(newest.header("etag"), before.header("etag"));
    let named = world.get("ann", &format!("{STREAK}?grant={grant}")).await;
    assert_eq!(
        picture(&named, "image/jpeg"),
        picture(&newest, "image/jpeg")
    );
    let others = world.get("bob", &format!("{STREAK}?grant={grant}")).await;
    others.no(404, "no-such-poster");
    let none = world.get("ann", &format!("{STREAK}?grant=x")).await;
    none.no(404, "no-such-poster");
}

#[tokio::test]
async fn past_its_bound_it_says_so_and_draws_go_on() {
    let world = house().await;
    let registry = Registry::new(
        &world.configs(),
        &ACTIVITIES,
        world.store.clone(),
        world.clock.clone(),
    );
    // No room for one to wait.
    let full = registry.drawing_with(Posters::with_pool(Pool::start(1, 0)));
    let world = world.with(full).await;
    let no = world.get("ann", STREAK).await;
    no.no(503, "overloaded");
    world.get("ann", VIEW).await.done();
    world.post("ann", SIGN, "k", json!({})).await.done();
}

#[tokio::test]
async fn many_who_ask_for_the_same_have_the_same() {
    let world = house().await;
    let all = (0..40).map(|_| by(&world, "ann", &VALUE, STREAK));
    let all = futures_util::future::join_all(all).await;
    for answer in &all {
        assert_eq!(answer.bytes, all[0].bytes);
        picture(answer, "image/jpeg");
    }
}

static VALUE: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| json!({ "name": "Ann" }));

/// A server of pictures on this machine, and how often it was called.
async fn pictures(answer: Vec<u8>) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            let mut head = vec![0; 4096];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(&answer).await;
        }
    });
    (port, calls)
}

/// A picture of one colour.
fn png() -> Vec<u8> {
    let canvas = poster::Canvas {
        width: 64,
        height: 64,
        rgb: [200, 30, 30].repeat(64 * 64),
    };
    poster::encode::png(&canvas).unwrap()
}

fn http(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn an_avatar_is_fetched_where_the_tenant_allows_it_and_else_the_templates_own_stands_in() {
    let world = house().await;
    let (port, calls) = pictures(http(&png())).await;
    let (broken, _) = pictures(http(b"<svg onload='x'/>")).await;
    let of = |avatar: &str| json!({ "name": "Ann", "avatar": avatar });
    let without = by(&world, "ann", &of(""), STREAK).await;
    let plain = picture(&without, "image/jpeg").to_owned();
    let url = format!("http://localhost:{port}/ann.png");
    let with_it = by(&world, "ann", &of(&url), STREAK).await;
    assert_ne!(picture(&with_it, "image/jpeg"), plain);
    assert_ne!(with_it.bytes, without.bytes);
    // By an address, too: what the token said travels in it, sealed. And it is not fetched twice.
    let shown = open(&world, &address(&world, "ann", &of(&url), VIEW).await).await;
    assert_eq!(shown.bytes, with_it.bytes);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    for avatar in [
        "https://evil.example/a.png".to_owned(),
        format!("http://127.0.0.1:{port}/a.png"),
        format!("http://[::1]:{port}/a.png"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "file:///etc/passwd".to_owned(),
        "javascript:alert(1)".to_owned(),
        "http://localhost:1/nobody.png".to_owned(),
        format!("http://localhost:{broken}/a.svg"),
        "x".repeat(4000),
    ] {
        let answer = by(&world, "ann", &of(&avatar), STREAK).await;
        picture(&answer, "image/jpeg");
        assert_eq!(answer.bytes, without.bytes, "{avatar}");
        let url = address(&world, "ann", &of(&avatar), VIEW).await;
        assert_eq!(open(&world, &url).await.bytes, without.bytes, "{avatar}");
    }
    assert_eq!(
        calls.load(Ordering::SeqCst),
        1,
        "only the allowed one was called"
    );
}

#[tokio::test]
async fn who_brought_a_friend_is_kept_and_nothing_else_comes_of_it() {
    let world = house().await;
    let snapshot = world.registry.snapshot();
    let tenant = &snapshot.tenants["acme"];
    let shares = |lane| Shares::of(&tenant.secret, &daily_in(lane));
    let (ann, bob) = (tenant.pseudonym("ann"), tenant.pseudonym("bob"));
    let id = shares(Lane::Live).id(&ann);
    assert!(id.len() <= 16 && !id.contains("ann"));
    let test_id = shares(Lane::Test).id(&ann);
    let rows = [
        ("bob", format!("?from={id}"), Some(&ann)),
        ("ann", format!("?from={id}"), None),
        ("carl", "?from=AAAAAAAAAAAAAAAA".to_owned(), None),
        ("dora", "?from=not-an-id%00%F0%9F%98%80".to_owned(), None),
        ("emil", format!("?from={test_id}"), None),
        // A mini-program's code brings its scene, and nothing else.
        ("fay", format!("?scene={id}"), Some(&ann)),
        (
            "gus",
            format!("?channel=app&scene=moments&from={id}"),
            Some(&ann),
        ),
        ("hal", "?scene=moments".to_owned(), None),
    ];
    for (user, query, sharer) in rows {
        let done = world
            .post(user, &format!("{SIGN}{query}"), "k", json!({}))
            .await;
        assert_eq!(done.rewards(), ["points"], "{user}: {}", done.text());
        let ledger = world
            .store
            .history("acme", tenant.pseudonym(user), 10)
            .await
            .unwrap();
        let kept = &ledger[0].attribution;
        let named = kept.subjects.iter().find(|(kind, _)| &**kind == "sharer");
        let named = named.map(|(_, who)| who.to_string());
        assert_eq!(named.is_some(), sharer.is_some(), "{user}: {named:?}");
        if let (Some(named), Some(sharer)) = (named, sharer) {
            assert!(sharer.to_string().starts_with(&named), "{user}: {named}");
            assert!(!bob.to_string().starts_with(&named));
        }
        if user == "gus" {
            let channel = (kept.channel.as_deref(), kept.scene.as_deref());
            assert_eq!(channel, (Some("app"), Some("moments")));
        }
    }
    assert_eq!(world.rows("daily").await.len(), 8, "nobody had more for it");
}
