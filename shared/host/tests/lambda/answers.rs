//! What the client gets: the same by every front, but for what a front can't carry.

use std::time::Duration;

use serde_json::Value;
use testbed::lambda::Outcome;

use crate::fronts::{ALL, Call, Front};
use crate::function::Function;

fn encoded(bytes: &[u8]) -> bool {
    let told: Value = serde_json::from_slice(bytes).expect("JSON");
    told["isBase64Encoded"].as_bool().expect("a boolean")
}

#[test]
fn both_cookies_reach_the_client() {
    let function = Function::start();
    for front in ALL {
        let answer = function.call(front, &Call::get("/cookies"));
        assert_eq!(
            answer.all("set-cookie"),
            ["a=1; Path=/", "b=2; Path=/"].map(str::to_owned),
            "{front:?}"
        );
        assert_eq!(answer.all("x-plain"), ["1"], "{front:?}");
    }
}

#[test]
fn bytes_travel_in_base64_and_text_as_text() {
    let function = Function::start();
    let svg = "<svg>春</svg>".as_bytes();
    for front in ALL {
        for (path, body, is_encoded) in [
            ("/png", &[0x89, b'P', 0xff, 0][..], true),
            ("/svg", svg, false),
            ("/gzip", b"bytes", true),
            ("/br", b"bytes", true),
            ("/zstd", b"bytes", true),
            ("/gbk", &[0xb4, 0xba], true),
            ("/bytes", &[0xff, 0xfe], true),
        ] {
            let bytes = function.answered(&front.event(&Call::get(path)));
            assert_eq!(encoded(&bytes), is_encoded, "{front:?} {path}");
            assert_eq!(front.answer(&bytes).body, body, "{front:?} {path}");
        }
        // The request's flag is not the answer's.
        let call = Call::new("POST", "/")
            .with("Content-Type", "image/png")
            .sending(&[0xff]);
        let event = front.event(&call);
        assert_eq!(event["isBase64Encoded"], true);
        assert!(!encoded(&function.answered(&event)), "{front:?}");
    }
}

#[test]
fn answers_without_a_body_have_none() {
    let function = Function::start();
    for front in ALL {
        let answer = function.call(front, &Call::get("/empty"));
        assert_eq!(
            (answer.status, &answer.body[..]),
            (204, &b""[..]),
            "{front:?}"
        );
        let answer = function.call(front, &Call::get("/same"));
        assert_eq!(
            (answer.status, &answer.body[..]),
            (304, &b""[..]),
            "{front:?}"
        );
        assert_eq!(answer.all("etag"), ["\"1\""], "{front:?}");
        let answer = function.call(front, &Call::new("HEAD", "/svg"));
        assert_eq!(
            (answer.status, &answer.body[..]),
            (200, &b""[..]),
            "{front:?}"
        );
        assert_eq!(answer.all("content-type"), ["image/svg+xml"], "{front:?}");
        let answer = function.call(front, &Call::get("/away"));
        assert_eq!(
            (answer.status, answer.all("location")),
            (302, vec!["/here?a=%26"]),
            "{front:?}"
        );
    }
}

#[test]
fn a_handler_that_breaks_is_500_and_the_instance_lives() {
    let function = Function::start();
    for front in ALL {
        assert_eq!(
            function.call(front, &Call::get("/panic")).status,
            500,
            "{front:?}"
        );
        assert_eq!(
            function.call(front, &Call::get("/bits/broken")).status,
            500,
            "{front:?}"
        );
        assert_eq!(
            function.call(front, &Call::get("/")).status,
            200,
            "{front:?}"
        );
        let answer = function.call(front, &Call::get("/bits"));
        assert_eq!(answer.body, b"one two", "{front:?}");
    }
}

#[test]
fn a_late_handler_is_answered_before_the_platform_ends_it() {
    let function = Function::start();
    let limit = Duration::from_millis(300);
    for front in ALL {
        for path in ["/late", "/bits/late"] {
            let event = front.event(&Call::get(path)).to_string();
            let id = function.lambda.push_with(event, limit, &[]);
            let Outcome::Answered(bytes) = function.lambda.outcome(&id) else {
                panic!("{front:?} {path}: no answer");
            };
            let answer = front.answer(&bytes);
            assert_eq!(answer.status, 503, "{front:?} {path}");
            assert_eq!(answer.all("retry-after"), ["1"], "{front:?} {path}");
        }
    }
}

#[test]
fn answers_are_as_large_as_the_front_carries() {
    const MIB: usize = 1024 * 1024;
    let function = Function::start();
    for front in [
        Front::Rest("prod"),
        Front::Http("$default"),
        Front::Url,
        Front::Alb { multi: true },
    ] {
        let most = if matches!(front, Front::Alb { .. }) {
            MIB
        } else {
            6 * MIB
        };
        let call = |bytes: usize| function.call(front, &Call::get(&format!("/large/{bytes}")));
        assert_eq!(call(most - 4096).body.len(), most - 4096, "{front:?}");
        let answer = call(most);
        assert_eq!(answer.status, 500, "{front:?}");
        assert!(
            String::from_utf8_lossy(&answer.body).contains("larger"),
            "{front:?}"
        );
        assert_eq!(call(1).status, 200, "{front:?}");
    }
}
