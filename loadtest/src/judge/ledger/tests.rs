//! A target in small: a public page, figures, a ledger that can be made to break off.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use super::*;
use crate::call::Again;
use crate::judge::books::tests::{gave, hear, scenario};
use crate::judge::truth::{Basis, Id, Truth};
use crate::judge::{Ask, Book, Judged, judge};

/// What the target does.
#[derive(Default)]
struct Does {
    rows: Vec<String>,
    /// So many answers of the ledger end in the middle of a row.
    broken: AtomicU32,
    /// So many are 503 before that.
    busy: AtomicU32,
    asked: AtomicU32,
}

/// Whether one of these is left, and takes it.
fn take(left: &AtomicU32) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
        left.checked_sub(1)
    })
    .is_ok()
}

async fn ledger(
    State(does): State<Arc<Does>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    does.asked.fetch_add(1, Ordering::SeqCst);
    if headers["authorization"] != "Bearer staff-of-acme" {
        return (
            StatusCode::FORBIDDEN,
            r#"{"code":"forbidden","message":"You are not allowed to do this."}"#,
        )
            .into_response();
    }
    if take(&does.busy) {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            [("retry-after", "0")],
            "{}",
        )
            .into_response();
    }
    assert_eq!(query["edition"], "3");
    let next = query
        .get("after")
        .map_or(0, |after| after.parse::<usize>().unwrap() + 1);
    let mut text = does.rows[next..].join("\n") + "\n";
    if take(&does.broken) {
        text.truncate(text.len() / 2);
    }
    (
        [("gala-rows", does.rows.len().to_string())],
        Body::from(text),
    )
        .into_response()
}

fn lane(issued: u64, ceiling: u64) -> serde_json::Value {
    let stock =
        json!([{ "reward": "coupon", "issued": issued, "ceiling": ceiling, "held": 0, "left": 0 }]);
    json!({ "edition": 3, "revision": 2, "lanes": [
        { "lane": "test", "stock": [], "budget": null },
        { "lane": "live", "stock": stock, "budget": null, "budget_today": null },
    ] })
}

/// Starts it on a thread of its own, for as long as the test runs.
fn serve(does: Arc<Does>, ceiling: u64) -> SocketAddr {
    let issued = does
        .rows
        .iter()
        .filter(|row| row.contains("serial"))
        .count() as u64;
    let page = json!({ "revision": 2, "config_hash": "cafe", "title": "x", "wheel": { "prizes": [
        { "reward": "coupon", "odds": { "parts": 1, "of": 2 } }, { "reward": "nothing", "odds": { "parts": 1, "of": 2 } },
    ] } });
    let grants = |Query(query): Query<HashMap<String, String>>| async move {
        let of = |from: u64, next: Option<&str>| {
            let grants: Vec<_> = (from..from + 10)
                .map(|n| json!({ "id": format!("{n:032x}") }))
                .collect();
            json!({ "grants": grants, "next": next }).to_string()
        };
        if query.contains_key("after") {
            of(10, None)
        } else {
            of(0, Some("10"))
        }
    };
    let router = Router::new()
        .route(
            "/v1/acme/wheel/public",
            get(move || async move { page.to_string() }),
        )
        .route("/v1/acme/wheel/grants", get(grants))
        .route(
            "/admin/v1/acme/campaigns/wheel/stats",
            get(move || async move { lane(issued, ceiling).to_string() }),
        )
        .route(
            "/admin/v1/acme/campaigns/wheel/revisions/2",
            get(|| async { r#"{"calendar":{"day_starts_secs":14400}}"# }),
        )
        .route("/admin/v1/acme/ledger", get(ledger))
        .with_state(does);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    address
}

/// Twenty users drew and won: a grant's row, then its draw's.
fn played() -> (Book, Vec<String>) {
    let mut book = Book::new(&scenario());
    let mut rows = Vec::new();
    for user in 0..20_u64 {
        let (id, key) = (format!("{user:032x}"), format!("k{user}"));
        hear(
            &mut book,
            user,
            &key,
            Again::First,
            Some((200, false, &gave(&[&id]))),
        );
        let row = |number: u64, more: (&str, serde_json::Value)| {
            let mut row = json!({ "number": number, "revision": 2, "user": user.to_string(), "event": "draw", "from": "user",
                "at": "2026-11-28T12:00:00+08:00", "request_id": key });
            row[more.0] = more.1;
            row.to_string()
        };
        let grant = json!({ "id": id, "rule": "r", "reward": "coupon", "period": "draw-0", "n": 1, "cost": "1.00", "serial": user });
        rows.push(row(2 * user, ("grant", grant)));
        rows.push(row(
            2 * user + 1,
            (
                "draw",
                json!({ "purpose": "wheel", "rolled": "coupon", "pity": false }),
            ),
        ));
    }
    (book, rows)
}

fn ask(address: SocketAddr, admin: bool, book: &Book) -> Result<Judged, Error> {
    let url = format!("http://{address}/");
    let staff = |tenant: &str| Ok(format!("staff-of-{tenant}"));
    let user = |_: &str, user: u64| Ok(format!("user-{user}"));
    let ask = Ask {
        target: &url,
        admin: admin.then_some((&*url, &staff)),
        user: &user,
        sample: 100,
        began_at: "2026-11-28T04:00:00Z",
    };
    judge(&scenario(), book, &ask)
}

fn faults(truth: &Truth) -> Vec<(Id, u64)> {
    truth
        .checks
        .iter()
        .filter(|check| check.faults > 0)
        .map(|check| (check.id, check.faults))
        .collect()
}

#[test]
fn a_ledger_is_read_to_its_end_however_often_it_breaks_off() {
    let (book, rows) = played();
    let does = Arc::new(Does {
        rows,
        broken: 3.into(),
        busy: 1.into(),
        ..Does::default()
    });
    let judged = ask(serve(does.clone(), 20), true, &book).unwrap();
    assert!(judged.truth.holds(), "{:#?}", judged.truth);
    assert_eq!(judged.truth.basis, Basis::Ledger);
    assert!(does.asked.load(Ordering::SeqCst) >= 5);
    let looked_at = |id: Id| {
        judged
            .truth
            .checks
            .iter()
            .find(|check| check.id == id)
            .unwrap()
            .looked_at
    };
    assert_eq!(
        (
            looked_at(Id::DoubleGrants),
            looked_at(Id::GivenUnsaid),
            looked_at(Id::Oversold)
        ),
        (20, 40, 20)
    );
    let played = &judged.campaigns[0];
    assert_eq!(
        (&*played.campaign, played.revision, &*played.digest),
        ("acme/wheel", 2, "cafe")
    );
    // Twenty wins of twenty at even odds: once in half a million.
    assert_eq!(judged.odds[0].n, 20);
    assert!(judged.odds[0].suspect());
}

#[test]
fn what_is_wrong_with_the_target_is_found_over_http() {
    let (mut book, rows) = played();
    hear(
        &mut book,
        5,
        "more",
        Again::First,
        Some((200, false, &gave(&[&"e".repeat(32)]))),
    );
    let does = Arc::new(Does {
        rows,
        ..Does::default()
    });
    let judged = ask(serve(does, 17), true, &book).unwrap();
    assert_eq!(
        faults(&judged.truth),
        [(Id::Oversold, 3), (Id::PromisedMissing, 1)]
    );
}

#[test]
fn without_the_admin_address_grants_are_asked_for_page_by_page() {
    let (mut book, _) = played();
    let address = serve(Arc::default(), 0);
    let judged = ask(address, false, &book).unwrap();
    assert_eq!(
        (judged.truth.basis, faults(&judged.truth)),
        (Basis::Answers, vec![])
    );
    hear(
        &mut book,
        5,
        "more",
        Again::First,
        Some((200, false, &gave(&[&"e".repeat(32)]))),
    );
    assert_eq!(
        faults(&ask(address, false, &book).unwrap().truth),
        [(Id::PromisedMissing, 1)]
    );
}

#[test]
fn what_cannot_be_read_is_an_error_with_a_way_out() {
    let (book, mut rows) = played();
    let never_whole = Arc::new(Does {
        rows: rows.split_off(39),
        broken: u32::MAX.into(),
        ..Does::default()
    });
    let address = serve(never_whole, 20);
    let error = ask(address, true, &book).unwrap_err().to_string();
    assert!(
        error.contains("broken off") && error.contains("row 0 of 1"),
        "{error}"
    );
    rows.remove(4);
    let gap = ask(
        serve(
            Arc::new(Does {
                rows,
                ..Does::default()
            }),
            20,
        ),
        true,
        &book,
    )
    .unwrap_err()
    .to_string();
    assert!(gap.contains("row 5 comes where row 4 must"), "{gap}");
    let url = format!("http://{address}");
    let target = Target::new(&url).unwrap();
    let viewer = target
        .ledger(
            ("acme", "wheel", 3),
            &|_| Ok("viewer".to_owned()),
            &mut |_| {},
        )
        .unwrap_err()
        .to_string();
    assert!(
        viewer.contains("`finance`") && viewer.contains("forbidden"),
        "{viewer}"
    );
    let nobody = Target::new("http://127.0.0.1:1")
        .unwrap()
        .public("acme", "wheel")
        .unwrap_err()
        .to_string();
    assert!(nobody.contains("does not answer"), "{nobody}");
}
