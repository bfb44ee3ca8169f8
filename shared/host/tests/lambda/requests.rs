//! What reaches the router: the same by every front.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use host::BasePath;
use serde_json::{Value, json};
use testbed::lambda::Outcome;

use crate::fronts::{ALL, CLIENT, Call, Front};
use crate::function::Function;

fn headers<'e>(echo: &'e Value, name: &str) -> Vec<&'e str> {
    let all = echo["headers"].as_array().expect("a list");
    let found = all.iter().filter(|pair| pair[0] == name);
    found.filter_map(|pair| pair[1].as_str()).collect()
}

fn body(echo: &Value) -> Vec<u8> {
    STANDARD
        .decode(echo["body"].as_str().expect("a text"))
        .expect("base64")
}

#[test]
fn paths_and_queries_arrive_as_they_were_sent() {
    let function = Function::start();
    let path = "/v1/%E6%98%A5/a%2Fb/with%20space";
    let call = Call::get(&format!(
        "{path}?a=1&a=2&b=%26&c=x+y&d=%2B&e=%E6%98%A5&f=&g=a%3Db%25"
    ));
    for front in ALL {
        let echo = function.echo(front, &call);
        assert_eq!(echo["method"], "GET", "{front:?}");
        assert_eq!(echo["path"], path, "{front:?}");
        let uri = echo["uri"].as_str().expect("a text");
        assert!(uri.starts_with("/v1/"), "{front:?}: {uri}");
        let mut pairs = vec![
            json!(["a", "1"]),
            json!(["a", "2"]),
            json!(["b", "&"]),
            json!(["c", "x y"]),
            json!(["d", "+"]),
            json!(["e", "春"]),
            json!(["f", ""]),
            json!(["g", "a=b%"]),
        ];
        if !front.repeats() {
            pairs.remove(0);
        }
        assert_eq!(echo["query"], json!(pairs), "{front:?}");
        assert_eq!(echo["client"], CLIENT, "{front:?}");
        assert_eq!(echo["in_time"], true, "{front:?}");
        assert_eq!(
            headers(&echo, "x-request-id"),
            [echo["id"].as_str().expect("an id")]
        );
    }
}

#[test]
fn the_trace_of_the_platform_goes_on_unless_the_caller_brought_one() {
    let function = Function::start();
    let traced = [(
        "Lambda-Runtime-Trace-Id",
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
    )];
    let own = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let named = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";
    let plain = Call::get("/v1/a");
    let brings = Call::get("/v1/a").with("traceparent", own);
    for (call, expected) in [(plain, named), (brings, own)] {
        let event = Front::Url.event(&call).to_string();
        let limit = std::time::Duration::from_secs(30);
        let id = function.lambda.push_with(event, limit, &traced);
        let Outcome::Answered(bytes) = function.lambda.outcome(&id) else {
            panic!("no answer");
        };
        let echo: Value = serde_json::from_slice(&Front::Url.answer(&bytes).body).expect("JSON");
        assert_eq!(headers(&echo, "traceparent"), [expected]);
    }
}

#[test]
fn paths_that_a_gateway_decoded_are_the_same() {
    let function = Function::start();
    let call = Call::get("/v1/春/with space?q=a b&r=春");
    for front in [Front::Rest("prod"), Front::Http("prod"), Front::Url] {
        let echo = function.echo(front, &call);
        assert_eq!(echo["path"], "/v1/%E6%98%A5/with%20space", "{front:?}");
        assert_eq!(
            echo["query"],
            json!([["q", "a b"], ["r", "春"]]),
            "{front:?}"
        );
    }
}

#[test]
fn a_stage_goes_and_what_only_looks_like_one_stays() {
    let function = Function::start();
    let path = |front: Front, path: &str| function.echo(front, &Call::get(path))["path"].clone();
    for front in ALL {
        assert_eq!(path(front, "/"), "/", "{front:?}");
        assert_eq!(path(front, "/v1/prod/x"), "/v1/prod/x", "{front:?}");
        // A route that is named like the stage.
        assert_eq!(path(front, "/prod/x"), "/prod/x", "{front:?}");
    }
    // A stage without a slash after it, and a domain of its own, where the path is without the stage.
    let mut event = Front::Http("prod").event(&Call::get("/"));
    event["rawPath"] = "/prod".into();
    assert_eq!(seen(&function, Front::Http("prod"), &event)["path"], "/");
    event["rawPath"] = "/products/1".into();
    assert_eq!(
        seen(&function, Front::Http("prod"), &event)["path"],
        "/products/1"
    );
}

fn seen(function: &Function, front: Front, event: &Value) -> Value {
    let answer = front.answer(&function.answered(event));
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::from_slice(&answer.body).expect("JSON")
}

#[test]
fn a_base_path_is_cut_by_whole_segments() {
    let base: BasePath = "/api".parse().expect("a base path");
    let function = Function::with(|app| app.below(base), false);
    for front in ALL {
        for (asked, told) in [("/api/v1/x", "/v1/x"), ("/api", "/"), ("/api/", "/")] {
            let echo = function.echo(front, &Call::get(asked));
            assert_eq!(echo["path"], told, "{front:?}");
        }
        for outside in ["/apiary", "/", "/v1/x"] {
            let answer = function.call(front, &Call::get(outside));
            assert_eq!(answer.status, 404, "{front:?} {outside}");
        }
    }
}

#[test]
fn cookies_and_repeated_headers_arrive_all() {
    let function = Function::start();
    let call = Call::get("/")
        .with("Cookie", "a=1; b=2")
        .with("X-Many", "1")
        .with("x-many", "2");
    for front in ALL {
        let echo = function.echo(front, &call);
        assert_eq!(headers(&echo, "cookie"), ["a=1; b=2"], "{front:?}");
        assert_eq!(headers(&echo, "host"), ["example.org"], "{front:?}");
        let many = headers(&echo, "x-many").join(",");
        assert_eq!(many, if front.repeats() { "1,2" } else { "2" }, "{front:?}");
    }
    // Two lines of cookies, told in both maps.
    let call = Call::get("/").with("Cookie", "a=1").with("Cookie", "b=2");
    for front in ALL.into_iter().filter(|front| front.repeats()) {
        let echo = function.echo(front, &call);
        assert_eq!(headers(&echo, "cookie").join("; "), "a=1; b=2", "{front:?}");
    }
    let mut event = Front::Alb { multi: true }.event(&call);
    event["headers"] = json!({ "cookie": "b=2", "x-only-here": 7, "x-null": null });
    let echo = seen(&function, Front::Alb { multi: true }, &event);
    assert_eq!(headers(&echo, "cookie"), ["a=1", "b=2"]);
    assert_eq!(headers(&echo, "x-only-here"), ["7"]);
    assert!(headers(&echo, "x-null").is_empty());
}

#[test]
fn bodies_arrive_byte_by_byte() {
    let function = Function::start();
    let bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let multipart = [
        b"--b\r\ncontent-disposition: form-data; name=f; filename=a\r\n\r\n",
        &bytes[..300],
        b"\r\n--b--\r\n",
    ]
    .concat();
    for front in ALL {
        for (kind, sent) in [
            ("application/octet-stream", &bytes[..]),
            ("multipart/form-data; boundary=b", &multipart),
            ("application/json", "{\"名\":\"春\"}".as_bytes()),
            ("application/json", b""),
        ] {
            let call = Call::new("POST", "/upload")
                .with("Content-Type", kind)
                .sending(sent);
            let echo = function.echo(front, &call);
            assert_eq!(body(&echo), sent, "{front:?} {kind}");
            assert_eq!(
                headers(&echo, "content-length"),
                [sent.len().to_string()],
                "{front:?}"
            );
            assert_eq!(headers(&echo, "content-type"), [kind], "{front:?}");
        }
    }
}

#[test]
fn no_body_has_many_forms() {
    let function = Function::start();
    for front in ALL {
        let mut event = front.event(&Call::new("POST", "/"));
        for nothing in [Some(Value::Null), Some("".into()), None] {
            match nothing {
                Some(nothing) => event["body"] = nothing,
                None => drop(event.as_object_mut().expect("an object").remove("body")),
            }
            let echo = seen(&function, front, &event);
            assert_eq!(body(&echo), b"", "{front:?}");
            assert_eq!(headers(&echo, "content-length"), ["0"], "{front:?}");
        }
    }
}

#[test]
fn what_is_no_request_is_400_and_the_instance_lives() {
    let function = Function::start();
    for front in ALL {
        let good = Call::new("POST", "/v1/x");
        let broken = |change: &dyn Fn(&mut Value)| {
            let mut event = front.event(&good);
            change(&mut event);
            front.answer(&function.answered(&event)).status
        };
        let base64 = broken(&|event| {
            event["body"] = "%%%".into();
            event["isBase64Encoded"] = true.into();
        });
        assert_eq!(base64, 400, "{front:?}");
        let method = broken(&|event| {
            let pointer = if event.get("httpMethod").is_some() {
                "/httpMethod"
            } else {
                "/requestContext/http/method"
            };
            *event.pointer_mut(pointer).expect("a method") = "NO SUCH".into();
        });
        assert_eq!(method, 400, "{front:?}");
        let header = |name: &str, value: Value| {
            broken(&|event| match event.get_mut("headers") {
                Some(headers) => headers[name] = value.clone(),
                None => event["multiValueHeaders"][name] = json!([value]),
            })
        };
        assert_eq!(header("a b", "x".into()), 400, "{front:?}");
        assert_eq!(header("x-line", "a\nb".into()), 400, "{front:?}");
        assert_eq!(header("x-number", 7.into()), 200, "{front:?}");
        for host in ["a b", "a/b", "u@h", "<"] {
            let mut call = good.clone();
            call.headers = vec![("Host".to_owned(), host.to_owned())];
            assert_eq!(function.call(front, &call).status, 400, "{front:?} {host}");
        }
        assert_eq!(function.call(front, &good).status, 200, "{front:?}");
    }
    assert_eq!(function.lambda.refused(), 0);
}

#[test]
fn only_hosts_say_who_called_and_secrets_stay_out() {
    let function = Function::start();
    let call = Call::get("/")
        .with("X-Forwarded-For", "1.2.3.4")
        .with("x-scf-remote-addr", "1.2.3.4")
        .with("X-Scf-Secret-Key", "secret")
        .with("x-scf-session-token", "secret")
        .with("X-Amz-Security-Token", "secret")
        .with("x-amzn-request-context", "{}")
        .with("Lambda-Runtime-Aws-Request-Id", "made-up")
        .with("ce-id", "made-up")
        .with("Authorization", "Bearer mine");
    for front in ALL {
        let echo = function.echo(front, &call);
        assert_eq!(echo["client"], CLIENT, "{front:?}");
        let all = echo["headers"].to_string();
        for word in [
            "secret",
            "made-up",
            "x-scf",
            "x-amzn-request-context",
            "ce-id",
        ] {
            assert!(!all.contains(word), "{front:?} {word}: {all}");
        }
        assert_eq!(headers(&echo, "authorization"), ["Bearer mine"]);
        let events = function.call(front, &Call::new("POST", "/events").sending(b"{}"));
        assert_eq!(events.status, 404, "{front:?}");
    }
    assert!(function.seen.lock().expect("no poison").is_empty());
}

#[test]
fn a_load_balancer_asks_for_health_without_saying_who() {
    let function = Function::start();
    let event = json!({
        "requestContext": { "elb": { "targetGroupArn": "arn:aws:elasticloadbalancing:played" } },
        "httpMethod": "GET",
        "path": "/health",
        "queryStringParameters": {},
        "headers": { "user-agent": "ELB-HealthChecker/2.0" },
        "body": "",
        "isBase64Encoded": false,
    });
    let echo = seen(&function, Front::Alb { multi: false }, &event);
    assert_eq!(
        (&echo["path"], &echo["client"]),
        (&json!("/health"), &json!("0.0.0.0"))
    );
}

#[test]
fn bodies_are_taken_up_to_the_limit() {
    let function = Function::with(|app| app.with_body_bytes(1000), false);
    for front in ALL {
        for (bytes, status) in [(1000, 200), (1001, 413)] {
            let call = Call::new("POST", "/").sending(&vec![b'a'; bytes]);
            assert_eq!(
                function.call(front, &call).status,
                status,
                "{front:?} {bytes}"
            );
        }
    }
}

#[test]
fn calls_do_not_mix() {
    let function = Function::start();
    let ids: Vec<String> = (0..40)
        .map(|number| {
            let front = ALL[number % ALL.len()];
            let call =
                Call::new("POST", &format!("/{number}")).sending(number.to_string().as_bytes());
            function.lambda.push(front.event(&call).to_string())
        })
        .collect();
    for (number, id) in ids.iter().enumerate() {
        let Outcome::Answered(bytes) = function.lambda.outcome(id) else {
            panic!("{number} has no answer");
        };
        let answer = ALL[number % ALL.len()].answer(&bytes);
        let echo: Value = serde_json::from_slice(&answer.body).expect("JSON");
        assert_eq!(echo["path"], format!("/{number}"));
        assert_eq!(body(&echo), number.to_string().as_bytes());
        assert_eq!(echo["id"], id.as_str());
    }
    assert_eq!(function.lambda.refused(), 0);
}
