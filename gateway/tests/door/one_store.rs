//! Gateway and function as two processes would be: each with its own registry and its own connections, on one Redis.

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use campaign::tenant::{Alg, KeySource, KeySpec};
use function::clock::{Clock as _, SystemClock};
use function::http::{Function, router};
use function::identity::{Minter, Ticket};
use function::registry::material;
use function::serve::{Process, StoreChoice, open};
use function::signed::{GatewayKey, behind_gateway};
use gateway::door::{Bounds, Elsewhere, Remote, router_to, router_within};
use testbed::Server;

use crate::upstreams::{Served, Speaks, patient, until};
use crate::world::{ACTIVITIES, Answer, write};

pub const TENANT: &str = "
name: { en: Acme }
timezone: Asia/Shanghai
currency: CNY
languages: [en]
keys: [{ kid: users, alg: HS256, dev: true }]
admin_keys: [{ kid: staff, alg: HS256, dev: true }]
service_keys: [{ kid: backend, alg: HS256, dev: true }]
";

pub const WHEEL: &str = "
activity: lottery
title: { en: Wheel }
opens: 2026-01-01
closes: 2036-01-01
rewards:
  coupon: { title: { en: Coupon }, kind: coupon, stock: 5, cost: 10.00, odds: 50% }
  nothing: { title: { en: Next time }, odds: rest }
when_gone: { coupon: nothing }
durability: standard
chances: { first_visit: 8 }
messages:
  no-chances: { en: No chances left }
";

pub async fn process(dir: &Path, redis: &Server, seeds: bool) -> Process {
    let data = dir.join(if seeds { "gateway" } else { "function" });
    std::fs::create_dir_all(&data).unwrap();
    let choice = StoreChoice::of(Some(&redis.address()), &data).unwrap();
    let opened = open(&dir.join("configs"), &choice, &ACTIVITIES, seeds).await;
    let process = opened.unwrap();
    let report = &process.report;
    let wrong = report
        .diagnostics
        .iter()
        .find(|found| found.severity == campaign::Severity::Error);
    assert!(wrong.is_none(), "{wrong:?}");
    assert_eq!(report.problems, [""; 0]);
    process
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_in_another_process_on_the_same_store() {
    let redis = Server::with(&[("appendonly", "yes"), ("appendfsync", "everysec")]);
    let folder = tempfile::tempdir().unwrap();
    let configs = folder.path().join("configs");
    write(&configs.join("acme/tenant.yaml"), TENANT);
    write(&configs.join("acme/wheel.yaml"), WHEEL);
    let gateway = process(folder.path(), &redis, true).await;
    let function = process(folder.path(), &redis, false).await;
    let key = GatewayKey::new(&[7; 32]).unwrap();

    let clock = Arc::new(SystemClock);
    let routes = || {
        let shell = function.shell(Some("lottery"), 0);
        behind_gateway(router(shell), Some(key.clone()), clock.clone())
    };
    let served = Served::routes(routes(), Speaks::Http1).await;
    let (address, url) = (served.address, served.url("http"));
    let remote = Remote::start(
        "lottery",
        vec![url.parse().unwrap()],
        Some(key.clone()),
        patient(),
    );
    let functions = || {
        let shell = gateway.shell(Some("lottery"), 0);
        [("lottery", Function::new(shell))].into()
    };
    let far = router_to(
        gateway.registry.clone(),
        functions(),
        Elsewhere {
            functions: [("lottery", remote.unwrap())].into(),
            ..Elsewhere::default()
        },
        Bounds::default(),
    );
    let near = router_within(gateway.registry.clone(), functions(), Bounds::default());

    let spec = KeySpec {
        kid: "users".into(),
        alg: Alg::HS256,
        source: KeySource::Dev,
    };
    let minter = Minter::hs256("users", &material(&configs, "acme", &spec).unwrap()).unwrap();
    let token = minter
        .sign(&Ticket::user("acme", "ann"), clock.now() / 1000)
        .unwrap();
    let call = |method: &str, path: &str, key: &str| {
        Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .header("idempotency-key", key)
            .header("x-request-id", "r-1")
            .body(Body::empty())
            .unwrap()
    };
    let draw = |key: &str| call("POST", "/v1/acme/wheel/events/draw", key);

    let mut answers = Vec::new();
    for number in 0..8 {
        let key = format!("k{number}");
        let drawn = Answer::to(far.clone(), draw(&key)).await;
        drawn.done();
        let again = Answer::to(near.clone(), draw(&key)).await;
        assert!(again.replayed(), "{}", again.text());
        assert_eq!(drawn.bytes, again.bytes);
        answers.push((key, drawn.bytes));
    }
    for (method, path, key) in [
        ("GET", "/v1/acme/wheel/grants", "-"),
        ("GET", "/v1/acme/wheel/public", "-"),
        ("POST", "/v1/acme/wheel/events/draw", "one more"),
    ] {
        let one = Answer::to(far.clone(), call(method, path, key)).await;
        let two = Answer::to(near.clone(), call(method, path, key)).await;
        assert_eq!((one.status, one.text()), (two.status, two.text()), "{path}");
    }

    // The function ends: nothing that was answered is lost, and it is answered again once it is back.
    drop(served);
    let away = async || {
        let answer = Answer::to(far.clone(), draw("k0")).await;
        (answer.status == 503).then_some(answer)
    };
    until("the function is away", away).await;
    let _served = Served::routes_at(address, routes(), Speaks::Http1).await;
    let back = async || {
        let answer = Answer::to(far.clone(), draw("k0")).await;
        (answer.status == 200).then_some(answer)
    };
    until("the function is back", back).await;
    for (key, bytes) in answers {
        let again = Answer::to(far.clone(), draw(&key)).await;
        assert!(again.replayed() && again.bytes == bytes, "{}", again.text());
    }
}
