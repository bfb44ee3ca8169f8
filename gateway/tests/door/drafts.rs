//! A draft over one Redis and two processes: saved and scheduled by one, published once whoever comes first.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use campaign::tenant::{Alg, KeySource, KeySpec};
use function::clock::{Clock as _, SystemClock};
use function::identity::{Minter, Role, Ticket};
use function::registry::material;
use function::schedule::Timetable;
use gateway::admin::{Desk, router};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use testbed::Server;
use tower::ServiceExt as _;

use crate::one_store::{TENANT, WHEEL, process};
use crate::world::write;

/// A call of the admin address; its body as JSON.
async fn ask(
    admin: &Router,
    token: &str,
    (method, path): (&str, &str),
    seen: (&str, &str),
    body: Value,
) -> Value {
    let request = Request::builder()
        .method(method)
        .uri(format!("/admin/v1/acme/campaigns/wheel{path}"))
        .header("authorization", format!("Bearer {token}"))
        .header("idempotency-key", format!("{method} {path} {}", seen.1))
        .header(seen.0, seen.1)
        .body(Body::from(body.to_string()))
        .unwrap();
    let answer = admin.clone().oneshot(request).await.unwrap();
    let status = answer.status();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(status.is_success(), "{method} {path}: {bytes:?}");
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_saves_and_one_of_two_publishes() {
    let redis = Server::with(&[("appendonly", "yes"), ("appendfsync", "everysec")]);
    let folder = tempfile::tempdir().unwrap();
    let configs = folder.path().join("configs");
    write(&configs.join("acme/tenant.yaml"), TENANT);
    write(&configs.join("acme/wheel.yaml"), WHEEL);
    let one = process(folder.path(), &redis, true).await;
    let two = process(folder.path(), &redis, false).await;
    let review = format!("{TENANT}review: {{ approvals: 1 }}\n");
    write(&configs.join("acme/tenant.yaml"), &review);
    one.registry.load().await.unwrap();
    two.registry.load().await.unwrap();

    let spec = KeySpec {
        kid: "staff".into(),
        alg: Alg::HS256,
        source: KeySource::Dev,
    };
    let minter = Minter::hs256("staff", &material(&configs, "acme", &spec).unwrap()).unwrap();
    let token = |name: &str| {
        let ticket = Ticket::admin("acme", name, Role::Publisher);
        minter.sign(&ticket, SystemClock.now() / 1000).unwrap()
    };
    let (ed, ann) = (token("ed"), token("ann"));
    let desk = |process: &function::serve::Process| {
        router(Desk::new(
            process.registry.clone(),
            process.store.clone(),
            None,
        ))
    };
    let (here, there) = (desk(&one), desk(&two));
    let text = WHEEL.replace("stock: 5", "stock: 7");
    let none = ("if-none-match", "*");
    let saved = ask(&here, &ed, ("PUT", ""), none, json!({ "yaml": text })).await;
    assert_eq!((&saved["draft"], &saved["ok"]), (&json!(1), &json!(true)));
    let body = json!({ "draft": 1 });
    ask(&there, &ann, ("POST", "/approve"), ("x-seen", "1"), body).await;
    let at = chrono::DateTime::from_timestamp_millis(SystemClock.now() + 1500).unwrap();
    let body = json!({ "draft": 1, "at": at.to_rfc3339() });
    ask(&here, &ann, ("POST", "/publish"), ("x-seen", "1"), body).await;

    let (here, there) = (one.shell(None, 0), two.shell(None, 0));
    let (mut first, mut second) = (Timetable::default(), Timetable::default());
    let deadline = Instant::now() + Duration::from_mins(1);
    let mut published = 0;
    while published == 0 {
        assert!(Instant::now() < deadline, "nobody published it");
        let (a, b) = tokio::join!(first.round(&here), second.round(&there));
        published += a + b;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(
        SystemClock.now() >= at.timestamp_millis(),
        "it was not yet time"
    );
    for _ in 0..3 {
        let (a, b) = tokio::join!(first.round(&here), second.round(&there));
        published += a + b;
    }
    assert_eq!(published, 1);
    assert_eq!(one.store.published().await.unwrap()[0].newest, 2);
    assert_eq!(two.store.draft("acme", "wheel").await.unwrap(), None);
    let audit = two.store.audit("acme", 0).await.unwrap();
    assert_eq!(machine::world::first_tampered(&audit), None);
    let last: Vec<&str> = audit.iter().map(|entry| entry.action.as_str()).collect();
    let deeds = ["save-draft", "approve-draft", "schedule-publish", "publish"];
    assert_eq!(last[last.len() - 4..], deeds);
    let by: Arc<str> = audit.last().unwrap().by.clone();
    assert_eq!(&*by, "ann");
}
