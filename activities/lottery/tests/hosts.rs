//! One binary, no rebuild, on every host by its environment alone: it says the same everywhere, over one store.

// A failing helper fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// It starts programs and reads the clock, as programs do.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use campaign::tenant::{Alg, KeySource, KeySpec};
use function::identity::{Minter, Ticket};
use function::registry::material;
use function::serve::{StoreChoice, open};
use lottery::Lottery;
use reqwest::blocking::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use testbed::lambda::{Lambda, Outcome};
use testbed::{Process, ScfOutcome, ScfRuntime, Server, free_port, until};

/// The example's configs, and a Redis that has them.
struct World {
    folder: TempDir,
    redis: Server,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let redis = Server::with(&[("appendonly", "yes"), ("appendfsync", "always")]);
        let world = Self { folder, redis };
        let tenant = world.configs().join("acme");
        std::fs::create_dir_all(tenant.join("lists")).unwrap();
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/acme");
        for name in ["tenant.yaml", "spring-wheel.yaml", "sign-then-draw.yaml"] {
            std::fs::copy(example.join(name), tenant.join(name)).unwrap();
        }
        for folder in ["lists", "rules", "posters"] {
            copy(&example.join(folder), &tenant.join(folder));
        }
        let choice = StoreChoice::of(Some(&world.redis.address()), &world.data()).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let opened = runtime
            .block_on(open(&world.configs(), &choice, &[&Lottery], true))
            .unwrap();
        assert_eq!(opened.report.problems, Vec::<String>::new());
        world
    }

    fn configs(&self) -> PathBuf {
        self.folder.path().join("configs")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The binary, told nothing but its environment.
    fn function(&self, environment: &[(&str, String)]) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lottery"));
        command
            .env_clear()
            .env("GALA_CONFIGS", self.configs())
            .env("GALA_STORE", self.redis.address())
            // A proxy of the machine must not come between a function and its host.
            .env("http_proxy", "http://127.0.0.1:9")
            .env("HTTP_PROXY", "http://127.0.0.1:9")
            .envs(environment.iter().cloned())
            .current_dir(self.folder.path());
        Process::start(command).unwrap()
    }

    fn token(&self, member: &str) -> String {
        let spec = KeySpec {
            kid: "acme-users-dev".into(),
            alg: Alg::HS256,
            source: KeySource::Dev,
        };
        let key = material(&self.configs(), "acme", &spec).unwrap();
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let minter = Minter::hs256(&spec.kid, &key).unwrap();
        minter
            .sign(&Ticket::user("acme", member), now as i64)
            .unwrap()
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

const PUBLIC: &str = "/v1/acme/spring-wheel/public";
const POSTER: &str = "/v1/acme/spring-wheel/poster/prize";
const DRAW: &str = "/v1/acme/spring-wheel/events/draw";

/// Over HTTP on a port of its own.
struct OverHttp(Process, u16);

impl OverHttp {
    fn start(world: &World) -> Self {
        let port = free_port();
        let process = world.function(&[("PORT", port.to_string())]);
        let client = Client::builder().no_proxy().build().unwrap();
        until("a function that is ready", Duration::from_mins(1), || {
            let answer = client
                .get(format!("http://127.0.0.1:{port}/readyz"))
                .send()
                .ok()?;
            answer.status().is_success().then_some(())
        });
        Self(process, port)
    }

    fn get(&self, path: &str) -> String {
        let client = Client::builder().no_proxy().build().unwrap();
        client
            .get(format!("http://127.0.0.1:{}{path}", self.1))
            .send()
            .unwrap()
            .text()
            .unwrap()
    }

    fn draw(&self, token: &str, key: &str) -> (u16, String) {
        let client = Client::builder().no_proxy().build().unwrap();
        let asked = client
            .post(format!("http://127.0.0.1:{}{DRAW}", self.1))
            .bearer_auth(token)
            .header("Idempotency-Key", key);
        let answer = asked.send().unwrap();
        (answer.status().as_u16(), answer.text().unwrap())
    }
}

/// On SCF's runtime interface.
struct OnScf(Process, ScfRuntime);

impl OnScf {
    fn start(world: &World) -> Self {
        let api = ScfRuntime::start();
        let process = world.function(&[
            ("SCF_RUNTIME_API", "127.0.0.1".to_owned()),
            ("SCF_RUNTIME_API_PORT", api.port().to_string()),
            ("TENCENTCLOUD_RUNENV", "SCF".to_owned()),
        ]);
        assert_eq!(api.ready(), [b" ".to_vec()]);
        Self(process, api)
    }

    fn call(&self, event: &Value) -> Value {
        match self.1.invoke(event.to_string()) {
            ScfOutcome::Response(bytes) => serde_json::from_slice(&bytes).unwrap(),
            ScfOutcome::Error(why) => panic!("{why}"),
        }
    }

    fn get(&self, path: &str) -> String {
        let event = json!({ "httpMethod": "GET", "path": path, "headers": {}, "queryString": {}, "body": "" });
        self.call(&event)["body"].as_str().unwrap().to_owned()
    }

    fn draw(&self, token: &str, key: &str) -> (u16, String) {
        let event = json!({
            "httpMethod": "POST", "path": DRAW, "queryString": {}, "body": "",
            "headers": { "authorization": format!("Bearer {token}"), "idempotency-key": key },
        });
        let answer = self.call(&event);
        let status = answer["statusCode"].as_u64().unwrap() as u16;
        (status, answer["body"].as_str().unwrap().to_owned())
    }
}

/// On Lambda, behind a function URL.
struct OnLambda(Process, Lambda);

impl OnLambda {
    fn start(world: &World) -> Self {
        let api = Lambda::start();
        let process = world.function(&[("AWS_LAMBDA_RUNTIME_API", api.api())]);
        api.wait_until_asked();
        Self(process, api)
    }

    fn answer(&self, method: &str, path: &str, headers: &Value) -> Value {
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
            "headers": headers, "isBase64Encoded": false,
            "requestContext": {
                "stage": "$default", "domainName": "x.lambda-url.eu-central-1.on.aws",
                "http": { "method": method, "path": path, "sourceIp": "203.0.113.7" },
            },
        });
        let id = self.1.push(event.to_string());
        let Outcome::Answered(bytes) = self.1.outcome(&id) else {
            panic!("no answer to {method} {path}");
        };
        serde_json::from_slice(&bytes).unwrap()
    }

    fn call(&self, method: &str, path: &str, headers: &Value) -> (u16, String) {
        let answer = self.answer(method, path, headers);
        let status = answer["statusCode"].as_u64().unwrap() as u16;
        (status, answer["body"].as_str().unwrap().to_owned())
    }

    fn draw(&self, token: &str, key: &str) -> (u16, String) {
        let headers = json!({ "authorization": format!("Bearer {token}"), "idempotency-key": key });
        self.call("POST", DRAW, &headers)
    }
}

#[test]
fn one_binary_says_the_same_on_every_host() {
    let world = World::new();
    let (http, scf) = (OverHttp::start(&world), OnScf::start(&world));
    let lambda = OnLambda::start(&world);
    let page = http.get(PUBLIC);
    assert!(page.contains("\"seed_hash\""), "{page}");
    assert_eq!(scf.get(PUBLIC), page);
    assert_eq!(lambda.call("GET", PUBLIC, &json!({})), (200, page));

    // One truth: what one answered, the other answers again, byte for byte.
    let token = world.token("ann");
    let first = scf.draw(&token, "k-1");
    assert_eq!(first.0, 200, "{}", first.1);
    assert_eq!(http.draw(&token, "k-1"), first);
    assert_eq!(lambda.draw(&token, "k-1"), first);
    let second = http.draw(&token, "k-2");
    assert_eq!(second.0, 200, "{}", second.1);
    assert_eq!(scf.draw(&token, "k-2"), second);
    assert_ne!(first.1, second.1);

    // A queue's message at one function is a chance at the other.
    let chances = |answer: &str| {
        serde_json::from_str::<Value>(answer).unwrap()["context"]["chances"]
            .as_i64()
            .unwrap()
    };
    let paid = json!({ "tenant": "acme", "campaign": "spring-wheel", "user": "ann", "event": "order-paid" });
    let message =
        json!({ "topic": "orders", "partition": 0, "offset": 1, "msgBody": paid.to_string() });
    let event = json!({ "Records": [{ "Ckafka": message }] });
    for _ in 0..2 {
        assert_eq!(scf.call(&event), json!({ "taken": 1, "parked": 0 }));
    }
    let third = http.draw(&token, "k-3");
    assert_eq!(
        chances(&third.1),
        chances(&second.1),
        "one was earned, one was spent"
    );
    assert_eq!(lambda.draw(&token, "k-3"), third);
    drop((http.0, scf.0, lambda.0));
}

#[test]
fn a_poster_is_the_same_picture_on_every_host() {
    let world = World::new();
    let (http, scf) = (OverHttp::start(&world), OnScf::start(&world));
    let lambda = OnLambda::start(&world);
    // The prize's poster is for who has won. One in ten draws wins: of 300 users one does.
    let winner = (0..300)
        .map(|n| world.token(&format!("member-{n}")))
        .find(|token| {
            let answer: Value = serde_json::from_str(&http.draw(token, "k").1).unwrap();
            answer["outcome"] == "won" && answer["grants"][0]["reward"] == "coupon"
        })
        .unwrap();

    let client = Client::builder().no_proxy().build().unwrap();
    let address = format!("http://127.0.0.1:{}{POSTER}", http.1);
    // The first one has its template read: a slow machine says 503 meanwhile, and when to ask again.
    let answer = until("a poster", Duration::from_mins(1), || {
        let asked = client.get(&address).bearer_auth(&winner);
        let answer = asked.header("Accept", "image/jpeg").send().unwrap();
        (answer.status().as_u16() != 503).then_some(answer)
    });
    assert_eq!(answer.status().as_u16(), 200, "{:?}", answer.text());
    assert_eq!(answer.headers()["content-type"], "image/jpeg");
    let picture = answer.bytes().unwrap();
    assert_eq!(picture[..2], [0xFF, 0xD8], "a JPEG begins with SOI");

    // Bytes that are no text go through SCF and Lambda as base64, and are said to be.
    let headers = json!({ "authorization": format!("Bearer {winner}"), "accept": "image/jpeg" });
    let event = json!({
        "httpMethod": "GET", "path": POSTER, "headers": headers, "queryString": {}, "body": "",
    });
    let drawn = |answer: Value| (answer["statusCode"] != 503).then_some(answer);
    let on_scf = until("a poster on SCF", Duration::from_mins(1), || {
        drawn(scf.call(&event))
    });
    let on_lambda = until("a poster on Lambda", Duration::from_mins(1), || {
        drawn(lambda.answer("GET", POSTER, &headers))
    });
    for (host, answer) in [("scf", on_scf), ("lambda", on_lambda)] {
        assert_eq!(answer["statusCode"], 200, "{host}");
        assert_eq!(answer["isBase64Encoded"], true, "{host}");
        let body = STANDARD.decode(answer["body"].as_str().unwrap()).unwrap();
        assert!(body == picture, "{host} drew another picture");
    }
    drop((http.0, scf.0, lambda.0));
}

#[test]
fn what_cannot_serve_never_says_that_it_is_ready() {
    let world = World::new();
    let api = ScfRuntime::start();
    std::fs::remove_dir_all(world.configs()).unwrap();
    let mut process = world.function(&[
        ("SCF_RUNTIME_API", "127.0.0.1".to_owned()),
        ("SCF_RUNTIME_API_PORT", api.port().to_string()),
    ]);
    let ended = until("a function that gives up", Duration::from_mins(1), || {
        process.ended()
    });
    assert!(!ended.success());
    assert_eq!(api.said_ready(), 0);
}
