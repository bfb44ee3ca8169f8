//! Functions elsewhere that do not answer: what is tried again, what never, and that the others know nothing of it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use gateway::door::{Ask, Patience};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::elsewhere::{DRAW, SIGN, VIEW, keyed, send};
use crate::files::ALL;
use crate::upstreams::{Mirror, Misbehaves, Served, Speaks, front, patient, until};
use crate::world::World;

#[tokio::test]
async fn what_is_tried_again_and_what_never() {
    let world = World::of(ALL).await;
    let gone = |kind| match kind {
        0 => keyed(&world),
        1 => world.ask("POST", DRAW).by("ann"),
        _ => world.ask("GET", VIEW).by("ann"),
    };
    let rows = [
        (
            Misbehaves::Closes,
            [
                (2, "outcome-unknown"),
                (1, "outcome-unknown"),
                (2, "overloaded"),
            ],
        ),
        (
            Misbehaves::Garbage,
            [
                (2, "outcome-unknown"),
                (1, "outcome-unknown"),
                (2, "overloaded"),
            ],
        ),
        (
            Misbehaves::Switches,
            [
                (2, "outcome-unknown"),
                (1, "outcome-unknown"),
                (2, "overloaded"),
            ],
        ),
        // The whole call has one time.
        (
            Misbehaves::Hangs,
            [
                (1, "outcome-unknown"),
                (1, "outcome-unknown"),
                (1, "overloaded"),
            ],
        ),
    ];
    for (how, expected) in rows {
        for (kind, (calls, code)) in expected.into_iter().enumerate() {
            let (served, counted) = Served::misbehaving(how).await;
            let patience = if how == Misbehaves::Hangs {
                Patience {
                    call: Duration::from_millis(300),
                    ..patient()
                }
            } else {
                patient()
            };
            let door = front(
                &world,
                &[("lottery", &[&served.url("http")])],
                None,
                patience,
            );
            let ask = gone(kind).header("x-request-id", "r-1");
            let problem = send(&door, ask).await.no(503, code);
            assert_eq!(problem["request_id"], "r-1");
            assert_eq!(counted.load(Ordering::SeqCst), calls, "{how:?} {kind}");
            // The other activities know nothing of it.
            let other = format!("{how:?}{kind}");
            let other = world.ask("POST", SIGN).by(&other).key("k");
            assert_eq!(send(&door, other).await.status, 200);
        }
    }
}

#[tokio::test]
async fn another_address_is_tried_where_that_is_safe() {
    let world = World::of(ALL).await;
    for speaks in [Speaks::Http1, Speaks::Http2] {
        let (bad, tried) = Served::misbehaving(Misbehaves::Closes).await;
        let mirror = Mirror::default();
        let good = Served::routes(mirror.router(), speaks).await;
        let scheme = if speaks == Speaks::Http1 {
            "http"
        } else {
            "h2c"
        };
        let (bad, good) = (bad.url("http"), good.url(scheme));
        let door = front(&world, &[("lottery", &[&bad, &good])], None, patient());
        for _ in 0..6 {
            assert_eq!(send(&door, keyed(&world)).await.status, 418);
        }
        assert_eq!(mirror.calls(), 6);
        assert!((1..=6).contains(&tried.load(Ordering::SeqCst)));
    }
}

#[tokio::test]
async fn one_that_hangs_leaves_the_other_its_time() {
    let world = World::of(ALL).await;
    let (bad, tried) = Served::misbehaving(Misbehaves::Hangs).await;
    let mirror = Mirror::default();
    let good = Served::routes(mirror.router(), Speaks::Http1).await;
    let patience = Patience {
        call: Duration::from_secs(4),
        ..patient()
    };
    let (bad, good) = (bad.url("http"), good.url("http"));
    let door = front(&world, &[("lottery", &[&bad, &good])], None, patience);
    // They take turns: at least one of the two begins at the one that hangs.
    for _ in 0..2 {
        assert_eq!(send(&door, keyed(&world)).await.status, 418);
    }
    assert!((1..=2).contains(&tried.load(Ordering::SeqCst)));
    assert_eq!(mirror.calls(), 2);
}

#[tokio::test]
async fn who_is_asked_only_when_away_is_not_asked_before() {
    let world = World::of(ALL).await;
    let mirror = Mirror::default();
    let good = Served::routes(mirror.router(), Speaks::Http1).await;
    let (address, url) = (good.address, good.url("http"));
    let patience = Patience {
        ask: Ask::WhenAway,
        ask_every: Duration::from_millis(5),
        ..patient()
    };
    let door = front(&world, &[("lottery", &[&url])], None, patience);
    for _ in 0..50 {
        assert_eq!(send(&door, keyed(&world)).await.status, 418);
    }
    assert_eq!(mirror.asked.load(Ordering::SeqCst), 0);
    drop(good);
    until("its absence is noticed", async || {
        (send(&door, keyed(&world)).await.status == 503).then_some(())
    })
    .await;
    let _again = Served::routes_at(address, mirror.router(), Speaks::Http1).await;
    until("it is called again", async || {
        (send(&door, keyed(&world)).await.status == 418).then_some(())
    })
    .await;
    assert!(mirror.asked.load(Ordering::SeqCst) > 0);
}

#[tokio::test]
async fn an_answer_that_has_begun_is_not_asked_for_again() {
    let world = World::of(ALL).await;
    for how in [Misbehaves::Half, Misbehaves::Stalls] {
        let (served, counted) = Served::misbehaving(how).await;
        let patience = Patience {
            call: Duration::from_secs(1),
            ..patient()
        };
        let door = front(
            &world,
            &[("lottery", &[&served.url("http")])],
            None,
            patience,
        );
        let answer = door.oneshot(keyed(&world).request()).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.into_body().collect().await.is_err(), "{how:?}");
        assert_eq!(counted.load(Ordering::SeqCst), 1, "{how:?}");
    }
}

#[tokio::test]
async fn one_that_is_gone_comes_back() {
    let world = World::of(ALL).await;
    for (speaks, scheme) in [(Speaks::Http1, "http"), (Speaks::Http2, "h2c")] {
        let mirror = Mirror::default();
        let mut served = Served::routes(mirror.router(), speaks).await;
        let (address, url) = (served.address, served.url(scheme));
        let door = front(&world, &[("lottery", &[&url])], None, patient());
        for _ in 0..3 {
            let back = async || (send(&door, keyed(&world)).await.status == 418).then_some(());
            until("it is called again", back).await;
            drop(served);
            let away = async || {
                let answer = send(&door, keyed(&world)).await;
                (answer.status == 503 && answer.text().contains("overloaded")).then_some(answer)
            };
            let away = until("the breaker opens", away).await;
            away.no(503, "overloaded");
            assert_eq!(away.header("retry-after"), Some("2"));
            // Its other calls too; nobody else's.
            send(&door, world.ask("GET", VIEW).by("ann"))
                .await
                .no(503, "overloaded");
            let other = world.ask("GET", "/v1/acme/daily").by("ann");
            assert_eq!(send(&door, other).await.status, 200);
            assert_eq!(send(&door, world.ask("GET", "/readyz")).await.status, 200);
            served = Served::routes_at(address, mirror.router(), speaks).await;
        }
    }
}

#[tokio::test]
async fn nothing_is_sent_where_nobody_listens() {
    let world = World::of(ALL).await;
    let nobody = format!("http://127.0.0.1:{}", testbed::free_port());
    let mirror = Mirror::default();
    let served = Served::routes(mirror.router(), Speaks::Http1).await;
    let url = served.url("http");
    // Not sent, so that another address may have it without a key.
    let door = front(&world, &[("lottery", &[&nobody, &url])], None, patient());
    for _ in 0..4 {
        assert_eq!(
            send(&door, world.ask("POST", DRAW).by("ann")).await.status,
            418
        );
    }
    assert_eq!(mirror.calls(), 4);
    let door = front(&world, &[("lottery", &[&nobody])], None, patient());
    send(&door, keyed(&world)).await.no(503, "overloaded");
}

#[tokio::test]
async fn the_ready_are_called_before_the_others() {
    let world = World::of(ALL).await;
    let (one, two) = (Mirror::default(), Mirror::default());
    let first = Served::routes(one.router(), Speaks::Http1).await;
    let second = Served::routes(two.router(), Speaks::Http1).await;
    one.not_ready.store(1, Ordering::SeqCst);
    let (first, second) = (first.url("http"), second.url("http"));
    let patience = Patience {
        ask_every: Duration::from_millis(500),
        ..patient()
    };
    let door = front(&world, &[("lottery", &[&first, &second])], None, patience);
    let rounds = async |mirror: &Mirror, more: usize| {
        let from = mirror.asked.load(Ordering::SeqCst);
        let asked = async || (mirror.asked.load(Ordering::SeqCst) >= from + more).then_some(());
        until("it is asked again", asked).await;
    };
    rounds(&one, 2).await;
    for _ in 0..8 {
        send(&door, keyed(&world)).await;
    }
    assert_eq!((one.calls(), two.calls()), (0, 8));
    // None is ready: they know best what they can answer.
    two.not_ready.store(1, Ordering::SeqCst);
    rounds(&two, 2).await;
    for _ in 0..8 {
        assert_eq!(send(&door, keyed(&world)).await.status, 418);
    }
    assert!(one.calls() >= 2 && two.calls() >= 10, "they take turns");
    // Something in between that has no function behind it.
    for mirror in [&one, &two] {
        mirror.not_ready.store(2, Ordering::SeqCst);
    }
    let away = async || (send(&door, keyed(&world)).await.status == 503).then_some(());
    until("both are away", away).await;
    for mirror in [&one, &two] {
        mirror.not_ready.store(0, Ordering::SeqCst);
    }
    let back = async || (send(&door, keyed(&world)).await.status == 418).then_some(());
    until("one is back", back).await;
}

#[tokio::test]
async fn one_that_hangs_leaves_room_for_the_others() {
    let world = World::of(ALL).await;
    let (served, counted) = Served::misbehaving(Misbehaves::Hangs).await;
    let patience = Patience {
        under_way: 2,
        ..patient()
    };
    let door = front(
        &world,
        &[("lottery", &[&served.url("http")])],
        None,
        patience,
    );
    let hanging: Vec<_> = (0..2)
        .map(|_| tokio::spawn(door.clone().oneshot(keyed(&world).request())))
        .collect();
    let both = async || (counted.load(Ordering::SeqCst) == 2).then_some(());
    until("both hang", both).await;
    send(&door, keyed(&world)).await.no(503, "overloaded");
    assert_eq!(
        send(&door, world.ask("GET", "/v1/acme/daily").by("ann"))
            .await
            .status,
        200
    );
    // A client that goes away gives its place back.
    for call in hanging {
        call.abort();
    }
    let free = async || {
        let call = door.clone().oneshot(keyed(&world).request());
        drop(tokio::time::timeout(Duration::from_millis(100), call).await);
        (counted.load(Ordering::SeqCst) == 3).then_some(())
    };
    until("there is room again", free).await;
}
