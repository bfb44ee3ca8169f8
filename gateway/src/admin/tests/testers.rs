//! The test lane as staff hand it out and clear it away: links into it, and its purge.

use axum::http::StatusCode;
use function::identity::Role;
use serde_json::json;

use super::house::{Call, House};

const WHEEL: &str = "/admin/v1/acme/campaigns/wheel";

#[tokio::test]
async fn a_link_says_for_whom_it_is_and_until_when() {
    let house = House::open().await;
    house.set("2026-10-15T12:00:00+08:00");
    let token = house.staff("acme", Role::Editor);
    let path = format!("{WHEEL}/preview");
    let asked = json!({ "as": "guest", "for_secs": 60, "at": "2026-11-22T12:00:00+08:00" });
    let made = house.post(&token, &path, "", &asked.to_string()).await;
    assert_eq!(made.status, StatusCode::OK, "{made:?}");
    let made = made.json();
    assert_eq!(
        (&made["user"], &made["lane"], &made["expires"], &made["now"]),
        (
            &json!("guest"),
            &json!("test"),
            &json!("2026-10-15T04:01:00.000Z"),
            &json!("2026-11-22T04:00:00.000Z")
        )
    );
    let link = made["token"].as_str().unwrap();
    assert_eq!(made["address"], format!("/v1/acme/wheel?preview={link}"));
    // It is no token of the staff's.
    let call = Call {
        path: "/admin/v1/acme/campaigns",
        token: Some(link),
        ..Call::default()
    };
    assert_eq!(house.call(call).await.status, StatusCode::UNAUTHORIZED);
    let one = house.post(&token, &path, "", "").await.json();
    let other = house.post(&token, &path, "", "").await.json();
    assert_ne!(one["user"], other["user"]);
    for wrong in [
        json!({ "for_secs": 0 }),
        json!({ "for_secs": 30 * 86_400 + 1 }),
        json!({ "as": "" }),
        json!({ "as": "a\nb" }),
        json!({ "at": "tomorrow" }),
        json!({ "at": "2026-10-15T11:59:59+08:00" }),
        json!({ "claims": { "level": 3 } }),
        json!({ "lane": "live" }),
    ] {
        let no = house.post(&token, &path, "", &wrong.to_string()).await;
        assert_eq!(
            no.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{wrong}: {no:?}"
        );
    }
    let nowhere = house
        .post(&token, "/admin/v1/acme/campaigns/nowhere/preview", "", "")
        .await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_test_lane_is_purged_alone_and_at_any_time() {
    let house = House::open().await;
    house.draws("acme", 4).await;
    let publisher = house.staff("acme", Role::Publisher);
    let viewer = house.staff("acme", Role::Viewer);
    let lanes = async || {
        let stats = house.get(&viewer, &format!("{WHEEL}/stats")).await.json();
        stats["lanes"].clone()
    };
    let before = lanes().await;
    let clock = house
        .post(
            &publisher,
            &format!("{WHEEL}/clock"),
            "c",
            r#"{"offset_secs":60}"#,
        )
        .await;
    assert_eq!(clock.status, StatusCode::OK, "{clock:?}");
    let body = r#"{"reason":"tried out"}"#;
    let path = format!("{WHEEL}/purge?lane=test");
    let done = house.post(&publisher, &path, "p", body).await;
    assert_eq!(done.status, StatusCode::OK, "{done:?}");
    let again = house.post(&publisher, &path, "p", body).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let after = lanes().await;
    assert_eq!(after[0], before[0], "the live lane is as it was");
    assert_eq!(after[1]["participants"], 0, "{after}");
    let finance = house.staff("acme", Role::Finance);
    let audit = house.get(&finance, "/admin/v1/acme/audit").await.json();
    let last = audit["entries"].as_array().unwrap().last().unwrap();
    let details = last["details"].as_str().unwrap();
    assert_eq!(last["action"], "purge-test");
    assert!(
        details.contains(r#""lane":"test""#) && details.contains("tried out"),
        "{details}"
    );
}

/// The same member plays both lanes: every figure, row and record that staff see is of one of them and says of which, and the test
/// lane's end takes nothing of the other's.
#[tokio::test]
async fn what_staff_see_never_mixes_the_lanes() {
    let house = House::open().await;
    let editor = house.staff("acme", Role::Editor);
    let made = house
        .post(
            &editor,
            &format!("{WHEEL}/preview"),
            "",
            r#"{"as":"member-0"}"#,
        )
        .await
        .json();
    let link = made["token"].as_str().unwrap();
    house.draws("acme", 4).await;
    for number in 0..9 {
        let drawn = house.play_by(link, "acme", &format!("t-{number}")).await;
        assert_eq!(
            (drawn.status, drawn.json()["lane"].as_str()),
            (StatusCode::OK, Some("test"))
        );
    }
    let [viewer, finance, support, publisher] =
        [Role::Viewer, Role::Finance, Role::Support, Role::Publisher]
            .map(|role| house.staff("acme", role));
    let seen = async || {
        let stats = house.get(&viewer, &format!("{WHEEL}/stats")).await.json();
        let mut seen = Vec::new();
        for (at, lane) in ["live", "test"].into_iter().enumerate() {
            let path = format!("/admin/v1/acme/ledger?campaign=wheel&lane={lane}");
            let rows = house.get(&finance, &path).await.lines();
            assert!(rows.iter().all(|row| row["lane"] == lane), "{rows:?}");
            let draws = rows.iter().filter(|row| row["type"] == "draw").count();
            let grants = rows.iter().filter(|row| row["type"] == "grant").count();
            let books = house
                .get(&finance, &format!("{WHEEL}/reconcile?lane={lane}"))
                .await
                .json();
            assert_eq!(books["found"], 0, "{books}");
            assert_eq!(
                (&books["draws"], &books["grants"]),
                (&json!(draws), &json!(grants))
            );
            let figures = &stats["lanes"][at];
            assert_eq!(
                (
                    &figures["lane"],
                    &figures["rows"],
                    &figures["stock"][0]["issued"]
                ),
                (&json!(lane), &json!(rows.len()), &json!(grants))
            );
            let told = house
                .get(&publisher, &format!("{WHEEL}/seed?lane={lane}"))
                .await;
            // The live lane's is a secret still.
            assert_eq!(told.status == StatusCode::OK, lane == "test", "{told:?}");
            seen.push((draws, rows));
        }
        seen
    };
    let history = async || {
        let told = house
            .get(&support, "/admin/v1/acme/users/member-0")
            .await
            .json();
        let lanes = |list: &str| -> Vec<String> {
            let items = told[list].as_array().unwrap().iter();
            items
                .map(|item| item["lane"].as_str().unwrap().to_owned())
                .collect()
        };
        (lanes("campaigns"), lanes("rows"))
    };
    let before = seen().await;
    assert_eq!((before[0].0, before[1].0), (4, 9));
    let (campaigns, rows) = history().await;
    assert_eq!(campaigns, ["live", "test"]);
    let of_test = rows.iter().filter(|lane| *lane == "test").count();
    assert_eq!(
        (rows.len() - of_test, of_test),
        (before[0].1.len(), before[1].1.len())
    );

    let purge = format!("{WHEEL}/purge?lane=test");
    let done = house.post(&publisher, &purge, "p", "{}").await;
    assert_eq!(done.status, StatusCode::OK, "{done:?}");
    let after = seen().await;
    assert_eq!((&after[0], after[1].0), (&before[0], 0));
    let (campaigns, rows) = history().await;
    assert_eq!(campaigns, ["live"]);
    assert!(rows.len() == before[0].1.len() && rows.iter().all(|lane| lane == "live"));
    // The same link plays on, from the beginning: with the same seed the first draws come out the same.
    let again = house.play_by(link, "acme", "t-0").await;
    assert_eq!(again.status, StatusCode::OK, "{again:?}");
    let one = seen().await;
    assert_eq!(one[1].0, 1);
    let draw = |rows: &[serde_json::Value]| {
        let mut draws = rows.iter().filter(|row| row["type"] == "draw");
        draws.next().map(|row| row["draw"]["pick"].clone())
    };
    assert_eq!(draw(&one[1].1), draw(&before[1].1));
}
