//! How a program behaves towards its host: when it says that it is ready, what it does when the host's interface fails, how it ends.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use host::{App, scf};
use serde_json::json;
use testbed::{Proxy, ScfManner, ScfOutcome, ScfRuntime, until};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use crate::call::Call;
use crate::echo;
use crate::fronts::{Form, Front as _, ScfEvents};

type Ended = JoinHandle<Result<(), scf::ApiError>>;

fn run(runtime: &Runtime, port: u16) -> (Ended, oneshot::Sender<()>) {
    let settings = scf::Settings {
        api: format!("127.0.0.1:{port}"),
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let ended = runtime.spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        scf::run(App::new(echo::router()), &settings, stopped).await
    });
    (ended, stop)
}

fn event() -> String {
    json!({ "httpMethod": "GET", "path": "/a", "headers": {}, "body": "", "queryString": {} })
        .to_string()
}

fn served(api: &ScfRuntime) {
    let outcome = api.invoke(event());
    let ScfOutcome::Response(bytes) = outcome else {
        panic!("{outcome:?}");
    };
    let answer: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(answer["statusCode"], 200);
}

#[test]
fn it_says_once_that_it_is_ready_and_says_something() {
    let (api, runtime) = (ScfRuntime::start(), Runtime::new().unwrap());
    let (_ended, _stop) = run(&runtime, api.port());
    assert_eq!(api.ready(), [b" ".to_vec()]);
    served(&api);
    served(&api);
    assert_eq!(api.said_ready(), 1);
    assert_eq!(api.late_answers(), 0);
}

#[test]
fn a_call_is_named_in_either_spelling_and_must_be() {
    let (api, runtime) = (ScfRuntime::start(), Runtime::new().unwrap());
    let (_ended, _stop) = run(&runtime, api.port());
    let named = |request_id| {
        api.set(ScfManner {
            request_id,
            ..ScfManner::default()
        });
        api.invoke(event())
    };
    assert!(matches!(named(Some("Request_Id")), ScfOutcome::Response(_)));
    let ScfOutcome::Error(why) = named(None) else {
        panic!("an event without a name was taken");
    };
    assert!(why.contains("request_id"), "{why}");
    assert!(matches!(named(Some("request_id")), ScfOutcome::Response(_)));
    let ScfOutcome::Error(why) = api.invoke("no JSON") else {
        panic!("what is no JSON was taken");
    };
    assert!(why.contains("no JSON"), "{why}");
    served(&api);
}

#[test]
fn it_ends_when_the_interface_fails() {
    let (api, runtime) = (ScfRuntime::start(), Runtime::new().unwrap());
    api.set(ScfManner {
        next_fails: true,
        ..ScfManner::default()
    });
    let (ended, _stop) = run(&runtime, api.port());
    let error = runtime.block_on(ended).unwrap().unwrap_err();
    assert!(
        matches!(error, scf::ApiError::Refused { status: 500, .. }),
        "{error}"
    );

    // Nobody there: it ends before it says that it is ready.
    let (ended, _stop) = run(&runtime, testbed::free_port());
    let error = runtime.block_on(ended).unwrap().unwrap_err();
    assert!(matches!(error, scf::ApiError::Away { .. }), "{error}");
}

#[test]
fn it_ends_when_the_interface_is_gone() {
    let (api, runtime) = (ScfRuntime::start(), Runtime::new().unwrap());
    let proxy = Proxy::before(api.port());
    let (ended, _stop) = run(&runtime, proxy.port());
    api.ready();
    served(&api);
    let nobody = testbed::free_port();
    proxy.point_to(nobody);
    let error = runtime.block_on(ended).unwrap().unwrap_err();
    assert!(matches!(error, scf::ApiError::Away { .. }), "{error}");
}

#[test]
fn a_connection_that_died_in_a_freeze_costs_nothing() {
    let (api, runtime) = (ScfRuntime::start(), Runtime::new().unwrap());
    let proxy = Proxy::before(api.port());
    let (ended, _stop) = run(&runtime, proxy.port());
    api.ready();
    for _ in 0..5 {
        served(&api);
        api.idle();
        // The long poll that waits now, and the connection that is kept.
        proxy.drop_all();
    }
    served(&api);
    assert!(!ended.is_finished());
    assert_eq!((api.said_ready(), api.late_answers()), (1, 0));
}

#[test]
fn it_stops_between_events() {
    let (api, runtime) = (ScfRuntime::start(), Runtime::new().unwrap());
    let (ended, stop) = run(&runtime, api.port());
    api.ready();
    served(&api);
    stop.send(()).unwrap();
    runtime.block_on(ended).unwrap().unwrap();
}

#[test]
fn exactly_one_answer_to_each_event() {
    let function = ScfEvents::start(Form::Url, "");
    function.set_time_limit(400);
    for path in ["/panic", "/late", "/late-body", "/a"] {
        let answer = function.call(&Call::get(path));
        assert!([200, 500, 503].contains(&answer.status), "{path}");
    }
    assert_eq!(function.late_answers(), 0);
}

#[test]
fn plain_http_drains_when_it_is_told_to_stop() {
    let runtime = Runtime::new().unwrap();
    let begun = std::sync::Arc::new(Notify::new());
    let go_on = std::sync::Arc::new(Notify::new());
    let router = {
        let (begun, go_on) = (begun.clone(), go_on.clone());
        Router::new().route(
            "/slow",
            get(move || async move {
                begun.notify_one();
                go_on.notified().await;
                "done"
            }),
        )
    };
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (stop, stopped) = oneshot::channel::<()>();
    let ended = runtime.spawn(host::plain::serve(
        App::new(router),
        host::Host::Http,
        listener,
        async {
            let _ = stopped.await;
        },
    ));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    runtime.block_on(begun.notified());
    stop.send(()).unwrap();
    // New ones are refused, the one under way is served.
    until("a door that is closed", Duration::from_secs(10), || {
        TcpStream::connect(("127.0.0.1", port))
            .is_err()
            .then_some(())
    });
    assert!(!ended.is_finished());
    go_on.notify_one();
    let mut answer = String::new();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"),
        "{answer}"
    );
    let before = Instant::now();
    runtime.block_on(ended).unwrap().unwrap();
    assert!(before.elapsed() < host::plain::DRAIN);
}
