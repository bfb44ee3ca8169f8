//! A function URL that streams.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use testbed::lambda::{Outcome, Streamed};

use crate::fronts::{Call, Front};
use crate::function::Function;

fn streaming() -> Function {
    Function::with(|app| app, true)
}

fn stream(outcome: Outcome) -> Streamed {
    match outcome {
        Outcome::Streamed(streamed) => streamed,
        other => panic!("not streamed: {other:?}"),
    }
}

/// The prelude, and the body after it.
fn split(streamed: &Streamed) -> (Value, Vec<u8>) {
    let all = streamed.chunks.concat();
    let nuls = all
        .windows(8)
        .position(|eight| eight == [0; 8])
        .expect("eight NULs");
    let prelude = serde_json::from_slice(&all[..nuls]).expect("JSON");
    (prelude, all[nuls + 8..].to_vec())
}

#[test]
fn a_function_url_gets_bit_by_bit() {
    let function = streaming();
    let streamed = stream(function.invoke(&Front::Url.event(&Call::get("/bits"))));
    let header = |name: &str| {
        let found = streamed.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).expect("the header")
    };
    assert_eq!(
        header("content-type"),
        "application/vnd.awslambda.http-integration-response"
    );
    assert_eq!(header("transfer-encoding"), "chunked");
    assert_eq!(header("lambda-runtime-function-response-mode"), "streaming");
    let (prelude, body) = split(&streamed);
    assert_eq!(
        prelude,
        json!({ "statusCode": 200, "headers": { "content-type": "text/plain" }, "cookies": ["a=1", "b=2"] })
    );
    assert_eq!(body, b"one two");
    assert!(streamed.trailers.is_empty());
}

#[test]
fn what_breaks_off_is_told_in_trailers_and_not_in_the_body() {
    let function = streaming();
    let limit = Duration::from_millis(300);
    for (path, why) in [
        ("/bits/broken", "the well is dry"),
        ("/bits/late", "in time"),
    ] {
        let event = Front::Url.event(&Call::get(path)).to_string();
        let id = function.lambda.push_with(event, limit, &[]);
        let streamed = stream(function.lambda.outcome(&id));
        let (prelude, body) = split(&streamed);
        assert_eq!(prelude["statusCode"], 200);
        assert!(body == b"one " || body.is_empty(), "{body:?}");
        let trailer = |name: &str| {
            let found = streamed.trailers.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).expect("the trailer")
        };
        assert_eq!(
            trailer("lambda-runtime-function-error-type"),
            "Function.StreamError"
        );
        let told = STANDARD
            .decode(trailer("lambda-runtime-function-error-body"))
            .expect("base64");
        let told: Value = serde_json::from_slice(&told).expect("JSON");
        assert!(
            told["errorMessage"].as_str().expect("a text").contains(why),
            "{told}"
        );
    }
    let after = stream(function.invoke(&Front::Url.event(&Call::get("/"))));
    assert_eq!(split(&after).0["statusCode"], 200);
}

#[test]
fn trouble_and_no_body_stream_as_well() {
    let function = streaming();
    let of = |call: &Call| split(&stream(function.invoke(&Front::Url.event(call))));
    for (call, status) in [
        (Call::get("/empty"), 204),
        (Call::get("/same"), 304),
        (Call::new("HEAD", "/svg"), 200),
    ] {
        let (prelude, body) = of(&call);
        assert_eq!(
            (&prelude["statusCode"], &body[..]),
            (&json!(status), &b""[..])
        );
    }
    assert_eq!(of(&Call::get("/panic")).0["statusCode"], 500);
    let mut call = Call::get("/");
    call.headers = vec![("Host".to_owned(), "a b".to_owned())];
    assert_eq!(of(&call).0["statusCode"], 400);
    // Bytes need no base64 here, and may be more than a whole answer's limit.
    assert_eq!(of(&Call::get("/png")).1, [0x89, b'P', 0xff, 0]);
    assert_eq!(of(&Call::get("/large/7000000")).1.len(), 7_000_000);
}

#[test]
fn only_function_urls_stream() {
    let function = streaming();
    for front in [
        Front::Rest("prod"),
        Front::Http("$default"),
        Front::Alb { multi: false },
    ] {
        assert_eq!(
            function.call(front, &Call::get("/bits")).body,
            b"one two",
            "{front:?}"
        );
    }
}
