//! The runtime API's own ways: its ends, its failures, its freezes.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use host::lambda::{Error, Settings, fail_to_begin};
use serde_json::Value;
use testbed::lambda::{Lambda, Next, Outcome};

use crate::fronts::{Call, Front};
use crate::function::{Function, Seen, app, run};

#[test]
fn it_stops_while_it_waits() {
    let function = Function::start();
    assert_eq!(function.call(Front::Url, &Call::get("/")).status, 200);
    function.lambda.wait_until_asked();
    function.stop().expect("a clean end");
}

#[test]
fn an_api_that_fails_is_the_end() {
    for next in [Next::Status(500), Next::Status(403)] {
        let mut function = Function::start();
        assert_eq!(function.call(Front::Url, &Call::get("/")).status, 200);
        function.lambda.answer_next(next);
        let error = function.end().expect_err("an error");
        assert!(matches!(error, Error::Refused { .. }), "{error}");
    }
    let mut function = Function::start();
    function.lambda.wait_until_asked();
    function.lambda.answer_next(Next::Close);
    let error = function.end().expect_err("an error");
    assert!(matches!(error, Error::Away { .. }), "{error}");
    // One that can't be named can't be answered either.
    let mut function = Function::start();
    function.lambda.answer_next(Next::Nameless);
    function.lambda.push("{}");
    let error = function.end().expect_err("an error");
    assert!(matches!(error, Error::Nameless), "{error}");
}

#[test]
fn connections_that_died_in_a_freeze_do_not_matter() {
    let function = Function::start();
    for round in 0..5 {
        function.lambda.wait_until_asked();
        function.lambda.freeze();
        let id = function
            .lambda
            .push(Front::Url.event(&Call::get("/")).to_string());
        if round % 2 == 0 {
            function.lambda.drop_all();
        }
        function.lambda.thaw();
        let Outcome::Answered(bytes) = function.lambda.outcome(&id) else {
            panic!("no answer in round {round}");
        };
        assert_eq!(Front::Url.answer(&bytes).status, 200);
    }
    assert_eq!(function.lambda.refused(), 0);
}

#[test]
fn an_answer_that_is_refused_is_lost_and_the_next_is_not() {
    let mut function = Function::start();
    let event = || Front::Url.event(&Call::get("/")).to_string();
    // What the platform says to one that is too large, and to one that is too late.
    for status in [413, 410, 400] {
        function.lambda.refuse_answer(status);
        function.lambda.push(event());
        assert_eq!(function.call(Front::Url, &Call::get("/")).status, 200);
    }
    assert_eq!(function.lambda.refused(), 3);
    function.lambda.refuse_answer(500);
    function.lambda.push(event());
    let error = function.end().expect_err("the platform wants it to end");
    assert!(matches!(error, Error::Refused { .. }), "{error}");
}

#[test]
fn strange_contexts_do_not_end_it() {
    let function = Function::start();
    for (name, value) in [
        ("Lambda-Runtime-Client-Context", "no JSON"),
        ("Lambda-Runtime-Cognito-Identity", "{}"),
        ("Lambda-Runtime-Deadline-Ms", "soon"),
    ] {
        let event = Front::Url.event(&Call::get("/")).to_string();
        let id = function
            .lambda
            .push_with(event, Duration::from_secs(30), &[(name, value)]);
        let outcome = function.lambda.outcome(&id);
        assert!(
            matches!(outcome, Outcome::Answered(_)),
            "{name}: {outcome:?}"
        );
    }
}

#[test]
fn a_program_that_cant_begin_says_so() {
    let lambda = Lambda::start();
    let settings = Settings {
        api: lambda.api(),
        stream: false,
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime
        .block_on(fail_to_begin(&settings, "no config"))
        .expect("it was told");
    let told = lambda.init_error();
    assert_eq!(told.kind, "Runtime.InitError");
    let body: Value = serde_json::from_slice(&told.body).expect("JSON");
    assert_eq!(body["errorMessage"], "no config");
}

const CHILD: &str = "GALA_TEST_CHILD";

/// A process of its own, for environments that only a process can have: this very file's tests, of which one is the function.
#[test]
fn a_child_where_asked_for() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let settings = Settings::of(|name| std::env::var(name).ok()).expect("settings");
    let ended = run(app(&Seen::default()), &settings, std::future::pending());
    ended.expect_err("it ends with the API");
}

/// Ends with the test that started it.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn no_proxy_stands_between() {
    let lambda = Lambda::start();
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .args(["--exact", "runtime::a_child_where_asked_for"])
        .env(CHILD, "1")
        .env("AWS_LAMBDA_RUNTIME_API", lambda.api())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    for name in [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "all_proxy",
        "ALL_PROXY",
    ] {
        command.env(name, "http://127.0.0.1:1");
    }
    let child = Ending(command.spawn().expect("a child"));
    let id = lambda.push(Front::Url.event(&Call::get("/")).to_string());
    let Outcome::Answered(bytes) = lambda.outcome(&id) else {
        panic!("no answer");
    };
    assert_eq!(Front::Url.answer(&bytes).status, 200);
    drop(child);
}
