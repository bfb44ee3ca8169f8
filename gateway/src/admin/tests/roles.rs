//! Who may do what: every role at every route, and everyone who is no staff of the tenant at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use function::identity::{Audience, Role, Ticket};
use machine::world::{Action, Admin, AdminOutcome, Base, DraftDeed, Lines, Parked, ParkedFrom};

use super::house::{Call, House};
use crate::admin::{Deed, ROUTES, Route};

/// What each role may, written a second time and by hand: a route that is not here fails the tests.
const EXPECTED: &[(&str, &str)] = &[
    (
        "GET /admin/v1/{tenant}/campaigns",
        "viewer support finance risk editor publisher",
    ),
    (
        "GET /admin/v1/{tenant}/campaigns/{campaign}/stats",
        "viewer support finance risk editor publisher",
    ),
    (
        "GET /admin/v1/{tenant}/campaigns/{campaign}/raffle",
        "support finance",
    ),
    (
        "GET /admin/v1/{tenant}/campaigns/{campaign}/revisions",
        "viewer support finance risk editor publisher",
    ),
    (
        "GET /admin/v1/{tenant}/campaigns/{campaign}/revisions/{revision}",
        "viewer support finance risk editor publisher",
    ),
    (
        "GET /admin/v1/{tenant}/campaigns/{campaign}/seed",
        "finance publisher",
    ),
    ("GET /admin/v1/{tenant}/ledger", "support finance"),
    ("GET /admin/v1/{tenant}/audit", "finance"),
    ("GET /admin/v1/{tenant}/users/{user}", "support risk"),
    (
        "POST /admin/v1/{tenant}/campaigns/{campaign}/stock",
        "publisher",
    ),
    (
        "POST /admin/v1/{tenant}/campaigns/{campaign}/rewards/{reward}/stop",
        "risk publisher",
    ),
    (
        "POST /admin/v1/{tenant}/campaigns/{campaign}/rewards/{reward}/start",
        "publisher",
    ),
    ("POST /admin/v1/{tenant}/pause", "publisher"),
    ("POST /admin/v1/{tenant}/resume", "publisher"),
    ("POST /admin/v1/{tenant}/users/{user}/block", "support risk"),
    (
        "POST /admin/v1/{tenant}/users/{user}/unblock",
        "support risk",
    ),
    ("POST /admin/v1/{tenant}/users/{user}/grants", "support"),
    (
        "POST /admin/v1/{tenant}/users/{user}/grants/{id}/hold",
        "finance risk",
    ),
    (
        "POST /admin/v1/{tenant}/users/{user}/grants/{id}/release",
        "finance risk",
    ),
    (
        "POST /admin/v1/{tenant}/users/{user}/grants/{id}/void",
        "finance risk",
    ),
    (
        "GET /admin/v1/{tenant}/campaigns/{campaign}/settlement",
        "finance",
    ),
    (
        "POST /admin/v1/{tenant}/campaigns/{campaign}/notice",
        "publisher",
    ),
    (
        "POST /admin/v1/{tenant}/campaigns/{campaign}/pause",
        "publisher",
    ),
    (
        "POST /admin/v1/{tenant}/campaigns/{campaign}/resume",
        "publisher",
    ),
    (
        "POST /admin/v1/{tenant}/campaigns/{campaign}/clock",
        "publisher",
    ),
    (
        "GET /admin/v1/{tenant}/campaigns/{campaign}/reconcile",
        "finance",
    ),
    (
        "POST /admin/v1/{tenant}/campaigns/{campaign}/preview",
        "editor publisher",
    ),
    (
        "POST /admin/v1/{tenant}/campaigns/{campaign}/check",
        "viewer support finance risk editor publisher",
    ),
    (
        "POST /admin/v1/{tenant}/campaigns/{campaign}/publish",
        "publisher",
    ),
    (
        "POST /admin/v1/{tenant}/campaigns/{campaign}/rollback",
        "publisher",
    ),
    (
        "POST /admin/v1/{tenant}/campaigns/{campaign}/share",
        "publisher",
    ),
    (
        "POST /admin/v1/{tenant}/campaigns/{campaign}/purge",
        "publisher",
    ),
    ("GET /admin/v1/{tenant}/parked", "support publisher"),
    ("GET /admin/v1/{tenant}/parked/{id}", "support publisher"),
    ("POST /admin/v1/{tenant}/parked/{id}/retry", "publisher"),
    ("POST /admin/v1/{tenant}/parked/{id}/drop", "publisher"),
    (
        "GET /admin/v1/{tenant}/lists",
        "viewer support finance risk editor publisher",
    ),
    (
        "PUT /admin/v1/{tenant}/lists/{list}",
        "editor publisher risk",
    ),
    (
        "POST /admin/v1/{tenant}/lists/{list}/drop",
        "editor publisher risk",
    ),
    (
        "GET /admin/v1/{tenant}/codes",
        "viewer support finance risk editor publisher",
    ),
    ("POST /admin/v1/{tenant}/codes/{pool}", "editor publisher"),
    ("POST /admin/v1/backup", "publisher"),
    (
        "GET /admin/v1/{tenant}/campaigns/{campaign}",
        "viewer support finance risk editor publisher",
    ),
    (
        "PUT /admin/v1/{tenant}/campaigns/{campaign}",
        "editor publisher",
    ),
    (
        "DELETE /admin/v1/{tenant}/campaigns/{campaign}",
        "editor publisher",
    ),
    (
        "POST /admin/v1/{tenant}/campaigns/{campaign}/approve",
        "finance risk editor publisher",
    ),
    (
        "POST /admin/v1/{tenant}/campaigns/{campaign}/object",
        "finance risk editor publisher",
    ),
    (
        "DELETE /admin/v1/{tenant}/campaigns/{campaign}/schedule",
        "publisher",
    ),
    (
        "POST /admin/v1/{tenant}/campaigns/{campaign}/simulate",
        "viewer support finance risk editor publisher",
    ),
];

fn name(route: &Route) -> String {
    format!("{} {}", route.verb.as_str(), route.path)
}

/// A call of the route that would do something if it got through.
fn path_and_body(house: &House, route: &Route, tenant: &str, draft: u64) -> (String, String) {
    let path = route
        .path
        .replace("{tenant}", tenant)
        .replace("{campaign}", "wheel")
        .replace("{revision}", "1")
        .replace("{reward}", "coupon");
    let path = path.replace("{user}", "member-0").replace("{list}", "vip");
    let path = path.replace("{pool}", "course");
    let id = if route.path.contains("/grants/") {
        granted(house, tenant)
    } else {
        Parked::id_of("/queue", "1")
    };
    let path = path.replace("{id}", &id);
    let dest = house.dir.path().join("copy");
    let (query, body) = match route.path.rsplit('/').next().unwrap() {
        "ledger" => ("?campaign=wheel", String::new()),
        "seed" => ("?lane=test", String::new()),
        "stock" => ("", r#"{"reward":"coupon","add":1}"#.to_owned()),
        "pause" | "drop" | "stop" | "block" | "unblock" | "hold" | "release" | "void" => {
            ("", r#"{"reason":"a test"}"#.to_owned())
        }
        "grants" => {
            let asks = r#"{"campaign":"wheel","reward":"coupon","ticket":"T-1","reason":"a test","lane":"test"}"#;
            ("", asks.to_owned())
        }
        "notice" => ("", r#"{"text":{"en":"a test"}}"#.to_owned()),
        "share" => ("", r#"{"back":true}"#.to_owned()),
        "rollback" => ("", r#"{"revision":1}"#.to_owned()),
        "purge" => (
            "?edition=1",
            r#"{"force":true,"reason":"a test"}"#.to_owned(),
        ),
        "clock" => ("", r#"{"offset_secs":60}"#.to_owned()),
        "{list}" => ("", "member-0\n".to_owned()),
        "{pool}" => ("", "A-1\n".to_owned()),
        "backup" => ("", serde_json::json!({ "dest": dest }).to_string()),
        "{campaign}" if route.deed == Deed::SaveDraft => {
            ("", r#"{"yaml":"activity: demo"}"#.to_owned())
        }
        "approve" => ("", format!(r#"{{"draft":{draft}}}"#)),
        "object" => ("", format!(r#"{{"draft":{draft},"comment":"not so"}}"#)),
        "simulate" => ("", r#"{"users":2,"days":1,"runs":1}"#.to_owned()),
        _ => ("", String::new()),
    };
    (format!("{path}{query}"), body)
}

/// A draft that somebody else wrote; its version.
async fn drafted(house: &House) -> u64 {
    let campaign: Arc<str> = "wheel".into();
    let known = house.store.draft("acme", "wheel").await.unwrap();
    let deed = DraftDeed::Save {
        over: known.map_or(0, |draft| draft.version),
        base: Base::default(),
        text: Arc::default(),
    };
    let change = Admin {
        tenant: "acme".into(),
        by: "somebody".into(),
        at: 1,
        key: None,
        action: Action::Draft { campaign, deed },
        why: None,
    };
    match house.store.admin(Box::new(change)).await.unwrap() {
        AdminOutcome::Done(done) => done.draft.unwrap(),
        other => panic!("{other:?}"),
    }
}

/// The grant that the ticket of these calls gives.
fn granted(house: &House, tenant: &str) -> String {
    let snapshot = house.registry.snapshot();
    let Some(shell) = snapshot.tenants.get(tenant) else {
        return "0f".to_owned();
    };
    let key = machine::ids::CampaignKey {
        tenant: tenant.into(),
        campaign: "wheel".into(),
        edition: 1,
        lane: machine::ids::Lane::Test,
    };
    let user = shell.pseudonym("member-0");
    let period = machine::hand::period_of("T-1");
    machine::ids::grant_id(&key, &user, machine::ledger::BY_HAND, period, 1)
}

/// An event that could be taken now.
async fn park(house: &House) {
    let says = r#"{"tenant":"acme","campaign":"wheel","user":"member-0","event":"paid"}"#;
    let parked = Parked::new(ParkedFrom::Trigger, "/queue", "1", 1).saying(says.as_bytes());
    house.store.park("acme", parked).await.unwrap();
}

/// A revision that a share of the users has; nothing more where there is one.
async fn release(house: &House) {
    let document = super::arms::with_look();
    let body = serde_json::json!({ "share": "5%", "document": document }).to_string();
    let path = "/admin/v1/acme/campaigns/wheel/publish";
    let token = house.staff("acme", Role::Publisher);
    let answer = house.post(&token, path, "release", &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn every_route_is_expected() {
    let expected: BTreeMap<_, _> = EXPECTED.iter().copied().collect();
    let found: Vec<String> = ROUTES.iter().map(name).collect();
    for route in &found {
        assert!(
            expected.contains_key(route.as_str()),
            "{route} stands in no test: say here who may use it"
        );
    }
    assert_eq!(found.len(), expected.len());
    for route in ROUTES {
        let roles = route
            .roles
            .iter()
            .map(|role| role.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        assert_eq!(expected[name(route).as_str()], roles, "{}", name(route));
    }
}

#[tokio::test]
async fn every_role_at_every_route() {
    let house = House::open().await;
    house.draws("acme", 4).await;
    for route in ROUTES {
        let allowed = EXPECTED
            .iter()
            .find(|(known, _)| *known == name(route))
            .unwrap()
            .1;
        for role in Role::ALL {
            let token = house.staff("acme", role);
            park(&house).await;
            let draft = drafted(&house).await;
            let tag = format!("\"{draft}\"");
            let seen = [("if-match", tag.as_str())];
            let is_of_draft = matches!(
                route.deed,
                Deed::SaveDraft | Deed::DropDraft | Deed::CancelPublish
            );
            let (path, body) = path_and_body(&house, route, "acme", draft);
            if path.ends_with("/vip/drop") {
                let put = Action::PutList {
                    list: "vip".into(),
                    version: "".into(),
                    members: 0,
                    lines: Lines::default(),
                    sha256: [0; 32],
                };
                let change = Admin {
                    tenant: "acme".into(),
                    by: "a test".into(),
                    at: 1,
                    key: None,
                    action: put,
                    why: None,
                };
                let done = house.store.put_list(Box::new(change), Vec::new());
                done.await.unwrap();
            }
            if path.ends_with("/share") {
                release(&house).await;
            }
            let key = format!("{role}-{}", name(route));
            let call = Call {
                method: route.verb.as_str(),
                path: &path,
                token: Some(&token),
                key: Some(&key),
                body: &body,
                headers: if is_of_draft { &seen } else { &[] },
                ..Call::default()
            };
            let answer = house.call(call).await;
            let may = allowed.split(' ').any(|allowed| allowed == role.as_str());
            let told = format!(
                "{role} at {}: {} {:?}",
                name(route),
                answer.status,
                answer.body
            );
            if may && path.ends_with("/raffle") {
                // Past the gate: the house's campaign has none.
                assert_eq!(answer.status, 404, "{told}");
            } else if may {
                assert_eq!(answer.status, 200, "{told}");
            } else {
                assert_eq!(
                    (answer.status.as_u16(), answer.code().as_str()),
                    (403, "forbidden"),
                    "{told}"
                );
            }
            assert_eq!(answer.headers["cache-control"], "no-store", "{told}");
            assert!(answer.headers.contains_key("x-request-id"), "{told}");
        }
    }
}

/// Nobody but the tenant's own staff: all others look the same to the door.
#[tokio::test]
async fn strangers_at_every_route() {
    let house = House::open().await;
    let publisher = Role::Publisher;
    let year_2000 = 946_684_800
        - chrono::DateTime::parse_from_rfc3339("2026-11-22T12:00:00+08:00")
            .unwrap()
            .timestamp();
    let admin = |tenant: &str| Ticket::admin(tenant, "eve", publisher);
    let tokens = [
        ("no token", None),
        ("nonsense", Some("a.b.c".to_owned())),
        ("a user", Some(house.user("acme", "member-0"))),
        ("a back end", Some(house.service("acme"))),
        (
            "a user who names themselves staff",
            Some(house.ticket("acme", "users", &admin("acme"))),
        ),
        (
            "a back end that does",
            Some(house.ticket("acme", "backend", &admin("acme"))),
        ),
        (
            "a staff key for users",
            Some(house.ticket(
                "acme",
                "staff",
                &Ticket {
                    audience: Audience::User.of("acme"),
                    ..admin("acme")
                },
            )),
        ),
        (
            "another tenant's key for this one",
            Some(house.ticket("orchid", "staff", &admin("acme"))),
        ),
        (
            "long over",
            Some(house.ticket(
                "acme",
                "staff",
                &Ticket {
                    ttl_secs: year_2000,
                    ..admin("acme")
                },
            )),
        ),
    ];
    for route in ROUTES {
        let (path, body) = path_and_body(&house, route, "acme", 1);
        for (who, token) in &tokens {
            let call = Call {
                method: route.verb.as_str(),
                path: &path,
                token: token.as_deref(),
                key: Some("k"),
                body: &body,
                ..Call::default()
            };
            let answer = house.call(call).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code().as_str()),
                (401, "unauthenticated"),
                "{who} at {}",
                name(route)
            );
        }
    }
}

#[tokio::test]
async fn no_role_is_no_way_in() {
    let house = House::open().await;
    let mut claims = serde_json::Map::new();
    let roles = [
        None,
        Some("Publisher"),
        Some("admin"),
        Some("publisher,viewer"),
        Some(""),
    ];
    for role in roles {
        match role {
            Some(role) => claims.insert("role".to_owned(), role.into()),
            None => claims.remove("role"),
        };
        let ticket = Ticket {
            role: None,
            extra: claims.clone(),
            ..Ticket::admin("acme", "eve", Role::Viewer)
        };
        let token = house.ticket("acme", "staff", &ticket);
        let answer = house.get(&token, "/admin/v1/acme/campaigns").await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (403, "forbidden"),
            "{role:?}"
        );
    }
}

/// Staff of one tenant at the other's door: not even whether something is there.
#[tokio::test]
async fn across_tenants() {
    let house = House::open().await;
    house.draws("orchid", 4).await;
    for route in ROUTES
        .iter()
        .filter(|route| route.path.contains("{tenant}"))
    {
        for tenant in ["orchid", "nobody", "..", "acme%2Forchid", "Acme"] {
            for role in Role::ALL {
                let (path, body) = path_and_body(&house, route, tenant, 1);
                let token = house.staff("acme", role);
                let call = Call {
                    method: route.verb.as_str(),
                    path: &path,
                    token: Some(&token),
                    key: Some("k"),
                    body: &body,
                    ..Call::default()
                };
                let answer = house.call(call).await;
                assert!(
                    matches!(answer.status.as_u16(), 401 | 404),
                    "{role} of acme at {tenant}, {}: {:?}",
                    name(route),
                    answer
                );
            }
        }
    }
    // A member id means another person in each tenant, and names show nothing of the other's.
    house.draws("acme", 1).await;
    let token = house.staff("acme", Role::Support);
    let acme = house
        .get(&token, "/admin/v1/acme/users/member-0")
        .await
        .json();
    let orchid = house
        .get(
            &house.staff("orchid", Role::Support),
            "/admin/v1/orchid/users/member-0",
        )
        .await
        .json();
    assert_ne!(acme["user"], orchid["user"]);
    assert!(
        acme["rows"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["tenant"] == "acme"),
        "{acme}"
    );
    assert_eq!(acme["campaigns"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn other_ways_in() {
    let house = House::open().await;
    let token = house.staff("acme", Role::Publisher);
    let rows = [
        ("GET", "/", 404),
        ("GET", "/admin", 404),
        ("GET", "/admin/v1/acme", 404),
        ("GET", "/v1/acme/wheel/public", 404),
        ("GET", "/metrics", 404),
        ("GET", "/healthz", 200),
        ("POST", "/admin/v1/acme/campaigns", 405),
        ("GET", "/admin/v1/acme/campaigns/wheel/pause", 405),
        ("OPTIONS", "/admin/v1/acme/campaigns", 405),
        ("DELETE", "/admin/v1/acme/users/member-0", 405),
        ("GET", "/admin/v1/acme/campaigns/none/stats", 404),
        ("GET", "/admin/v1/acme/campaigns/wheel/revisions/0", 404),
        ("GET", "/admin/v1/acme/campaigns/wheel/revisions/x", 404),
        ("GET", "/admin/v1/acme/campaigns/wheel/stats?edition=2", 404),
        ("GET", "/admin/v1/acme/campaigns/wheel/stats?edition=x", 400),
        ("GET", "/admin/v1/acme/campaigns/wheel/stats?edtion=1", 400),
        ("GET", "/admin/v1/acme/campaigns?x=1", 400),
    ];
    for (method, path, status) in rows {
        let answer = house
            .call(Call {
                method,
                path,
                token: Some(&token),
                ..Call::default()
            })
            .await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{method} {path}: {:?}",
            answer.body
        );
        if status >= 400 {
            assert_eq!(
                answer.headers["content-type"], "application/problem+json",
                "{method} {path}"
            );
            assert!(!answer.json()["request_id"].as_str().unwrap().is_empty());
        }
        if status == 405 {
            assert!(answer.headers.contains_key("allow"), "{method} {path}");
        }
    }
}
