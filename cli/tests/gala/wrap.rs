//! `gala wrap`: a real Koa app as a function, on every host the same; and split by path behind the gateway.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, Response};
use reqwest::redirect::Policy;
use serde_json::{Value as Json, json};
use testbed::{ScfOutcome, ScfRuntime, free_port, until};

use super::ran::gala;

/// The app's folder, with its packages.
fn koa() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/koa");
    assert!(
        folder.join("node_modules/koa").is_dir(),
        "the app's packages are missing: `cargo xtask test` installs them, or `npm ci` in cli/tests/koa"
    );
    folder
}

/// A wrapped app; ended, with its server, when dropped.
struct Wrapped(Child);

impl Wrapped {
    fn start(options: &[&str], environment: &[(&str, String)]) -> Self {
        let folder = koa();
        let mut command = gala(&folder);
        command
            .arg("wrap")
            .args(options)
            .args(["--", "node", "server.mjs"])
            .envs(environment.iter().cloned())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    /// Over HTTP on a port of its own.
    fn over_http(options: &[&str], app: &str) -> (Self, String) {
        let at = format!("127.0.0.1:{}", free_port());
        let options = [options, &["--listen", &at]].concat();
        let environment = [("GALA_HOST", "http".to_owned()), ("APP", app.to_owned())];
        let wrapped = Self::start(&options, &environment);
        let base = format!("http://{at}");
        until("a wrapped app", Duration::from_mins(1), || {
            client().get(&base).send().ok().map(drop)
        });
        (wrapped, base)
    }

    /// SIGTERM, as hosts send it; how it ended.
    fn stop(mut self) -> Option<i32> {
        let pid = self.0.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        let ended = until("an end", Duration::from_secs(30), || {
            self.0.try_wait().unwrap()
        });
        ended.code()
    }
}

impl Drop for Wrapped {
    fn drop(&mut self) {
        // Told, not killed: what it started must end, too.
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let deadline = Instant::now() + Duration::from_secs(15);
        while self.0.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < deadline {
            std::thread::yield_now();
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn client() -> Client {
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .build()
        .unwrap()
}

fn get(base: &str, path: &str) -> Response {
    client().get(format!("{base}{path}")).send().unwrap()
}

fn cookies(response: &Response) -> Vec<String> {
    let all = response.headers().get_all("set-cookie").iter();
    all.map(|cookie| cookie.to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_koa_app_over_http() {
    let (wrapped, base) = Wrapped::over_http(&["--base-path", "/shop"], "whole");
    let seen: Json = get(&base, "/shop/a/b?c=%26&c=2").json().unwrap();
    assert_eq!(
        (&seen["path"], &seen["query"]),
        (&json!("/a/b"), &json!({ "c": ["&", "2"] }))
    );
    assert_eq!(get(&base, "/shopping").status(), 404);
    assert_eq!(
        cookies(&get(&base, "/shop/cookies")),
        ["a=1; path=/; httponly", "b=2; path=/; httponly"]
    );
    assert_eq!(
        get(&base, "/shop/picture").bytes().unwrap().to_vec(),
        [0x89, 0x50, 0x4e, 0x47, 0, 0xff]
    );
    let away = get(&base, "/shop/redirect");
    assert_eq!(
        (
            away.status().as_u16(),
            away.headers()["location"].to_str().unwrap()
        ),
        (302, "/elsewhere")
    );
    assert_eq!(get(&base, "/shop/fails").status(), 500);
    // More than a function's own body: it passes as it comes.
    let large = vec![7_u8; 3_000_000];
    let echoed: Json = client()
        .post(format!("{base}/shop/x"))
        .body(large)
        .send()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(echoed["body"].as_str().unwrap().len(), 4_000_000);
    // Who called is what was seen, and not what was said.
    let said = client()
        .get(format!("{base}/shop/a"))
        .header("x-forwarded-for", "198.51.100.1");
    assert_eq!(
        said.send().unwrap().json::<Json>().unwrap()["ip"],
        "127.0.0.1"
    );
    assert_eq!(wrapped.stop(), Some(0));
}

#[test]
fn the_same_app_on_scf() {
    let api = ScfRuntime::start();
    let environment = [
        ("SCF_RUNTIME_API", "127.0.0.1".to_owned()),
        ("SCF_RUNTIME_API_PORT", api.port().to_string()),
    ];
    let wrapped = Wrapped::start(&["--events", "/told"], &environment);
    assert_eq!(api.ready(), [b" ".to_vec()], "ready once the app listens");
    let answer = |event: Json| match api.invoke(event.to_string()) {
        ScfOutcome::Response(bytes) => serde_json::from_slice::<Json>(&bytes).unwrap(),
        ScfOutcome::Error(why) => panic!("{why}"),
    };
    let get = |path: &str| {
        let headers = json!({ "x-scf-remote-addr": "203.0.113.7", "x-scf-secret-key": "s", "Host": "example.com" });
        answer(
            json!({ "httpMethod": "GET", "path": path, "headers": headers, "queryString": { "c": ["1", "2"] }, "body": "" }),
        )
    };
    let seen: Json = serde_json::from_str(get("/a")["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&seen["ip"], &seen["query"], &seen["secret"]),
        (
            &json!("203.0.113.7"),
            &json!({ "c": ["1", "2"] }),
            &json!([])
        )
    );
    assert_eq!(
        get("/cookies")["headers"]["set-cookie"],
        json!(["a=1; path=/; httponly", "b=2; path=/; httponly"])
    );
    let picture = get("/picture");
    assert_eq!(
        (&picture["isBase64Encoded"], &picture["body"]),
        (&json!(true), &json!("iVBORwD/"))
    );
    assert_eq!(get("/redirect")["headers"]["location"], "/elsewhere");
    assert_eq!(get("/fails")["statusCode"], 500);
    assert_eq!(
        get("/events")["body"].as_str().unwrap(),
        "there is nothing here\n"
    );

    let timer = json!({ "Type": "Timer", "TriggerName": "nightly", "Time": "2026-12-01T00:00:00Z", "Message": "go" });
    assert_eq!(answer(timer), json!({ "taken": 1, "parked": 0 }));
    let told: Json = serde_json::from_str(get("/seen")["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&told[0]["type"], &told[0]["body"]),
        (&json!("com.tencent.scf.timer"), &json!("go"))
    );
    assert_eq!(wrapped.stop(), Some(0));
}

#[test]
fn an_app_that_ends_ends_the_function() {
    let (mut wrapped, base) = Wrapped::over_http(&[], "whole");
    assert_eq!(get(&base, "/dies").status(), 502);
    let ended = until("an end", Duration::from_secs(30), || {
        wrapped.0.try_wait().unwrap()
    });
    assert_eq!(
        ended.code(),
        Some(3),
        "cannot reach: the host starts another"
    );
}

#[test]
fn who_is_told_to_stop_while_the_server_starts_stops() {
    let folder = tempfile::tempdir().unwrap();
    let begun = folder.path().join("begun");
    let never = format!("touch {}; exec sleep 600", begun.display());
    let mut wrapped = gala(folder.path());
    wrapped
        .args(["wrap", "--start-within", "600", "--", "sh", "-c", &never])
        .env("GALA_HOST", "http")
        .stderr(Stdio::null());
    let wrapped = Wrapped(wrapped.spawn().unwrap());
    until("a server that starts", Duration::from_mins(1), || {
        begun.exists().then_some(())
    });
    assert_eq!(wrapped.stop(), Some(0));
}

#[test]
fn what_cannot_be_wrapped_is_told() {
    let folder = koa();
    let ran = |options: &[&str]| {
        let output = gala(&folder)
            .arg("wrap")
            .args(options)
            .env("GALA_HOST", "http")
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let cases: &[(&[&str], i32, &str)] = &[
        (
            &["--", "no-such-program"],
            2,
            "can't start `no-such-program`",
        ),
        (
            &["--", "node", "-e", "process.exit(7)"],
            3,
            "exit status: 7",
        ),
        (
            &["--start-within", "1", "--", "sleep", "30"],
            3,
            "does it read PORT?",
        ),
        (&[], 2, "CMD"),
        (&["--base-path", "shop", "--", "node"], 2, "is no base path"),
        (&["--events", "told", "--", "node"], 2, "is no path"),
    ];
    for (options, code, words) in cases {
        let (ended, said) = ran(options);
        assert!(
            ended == Some(*code) && said.contains(words),
            "{options:?}: {ended:?} {said}"
        );
    }
}

#[test]
fn a_monolith_is_split_by_path_with_the_activities_beside_it() {
    let home = super::ran::Home::new();
    let (_whole, whole) = Wrapped::over_http(&[], "whole");
    let (cart, at_cart) = Wrapped::over_http(&[], "cart");
    let server = super::served::Server::start_with(
        &home,
        &[
            "--route",
            &format!("/={whole}"),
            "--route",
            &format!("/cart={at_cart}"),
        ],
    );
    let app = |path: &str| {
        let answer = get(server.public(), path);
        let status = answer.status().as_u16();
        (
            status,
            answer
                .json::<Json>()
                .map_or(Json::Null, |seen| seen["app"].clone()),
        )
    };
    assert_eq!(app("/"), (200, json!("whole")));
    assert_eq!(app("/carts"), (200, json!("whole")));
    assert_eq!(app("/cart/7?x=1"), (200, json!("cart")));
    // Ours are ours.
    assert_eq!(get(server.public(), "/v1/acme/wheel/public").status(), 200);
    assert_eq!(get(server.public(), "/readyz").status(), 200);
    assert_eq!(cookies(&get(server.public(), "/cookies")).len(), 2);
    // One piece gone: its paths alone are.
    drop(cart);
    assert_eq!(get(server.public(), "/cart/7").status(), 503);
    assert_eq!(app("/"), (200, json!("whole")));
}
