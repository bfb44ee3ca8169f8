//! Who says what is believed.

use serde_json::{Value, json};

use crate::call::Call;
use crate::{Case, Hosted, Verdict, same};

type Row = Result<Verdict, String>;

pub const CASES: &[Case] = &[
    Case {
        name: "the client's address is what the host saw",
        run: client,
    },
    Case {
        name: "a client cannot say where it comes from",
        run: spoofed,
    },
    Case {
        name: "the platform's secrets reach no handler",
        run: secrets,
    },
    Case {
        name: "headers of events and of other hosts reach no handler",
        run: borrowed,
    },
    Case {
        name: "nobody reaches the events from outside",
        run: events,
    },
    Case {
        name: "the host's name of a call is its request id",
        run: named,
    },
    Case {
        name: "a client's own request id stays",
        run: own_name,
    },
];

fn client(host: &Hosted) -> Row {
    same!(
        host.front.call(&Call::get("/a")).seen()["client"],
        host.front.client()
    );
    Ok(Verdict::Holds)
}

fn spoofed(host: &Hosted) -> Row {
    let call = Call::get("/a")
        .with("X-Forwarded-For", "198.51.100.1")
        .with("X-Real-Ip", "198.51.100.1")
        .with("X-Scf-Remote-Addr", "198.51.100.1")
        .with("Forwarded", "for=198.51.100.1");
    same!(host.front.call(&call).seen()["client"], host.front.client());
    Ok(Verdict::Holds)
}

fn secrets(host: &Hosted) -> Row {
    let call = Call::get("/a")
        .with("X-Scf-Secret-Id", "mine")
        .with("x-scf-session-token", "mine");
    let seen = host.front.call(&call).seen();
    let headers = seen["headers"].as_object().unwrap();
    let shown: Vec<&String> = headers
        .keys()
        .filter(|name| name.starts_with("x-scf-"))
        .collect();
    same!(shown, Vec::<&String>::new());
    Ok(Verdict::Holds)
}

fn borrowed(host: &Hosted) -> Row {
    let call = Call::get("/a")
        .with("ce-id", "1")
        .with("x-amzn-request-context", "{}")
        .with("x-amzn-lambda-context", "{}")
        .with("Lambda-Runtime-Aws-Request-Id", "1");
    let seen = host.front.call(&call).seen();
    for name in [
        "ce-id",
        "x-amzn-request-context",
        "x-amzn-lambda-context",
        "lambda-runtime-aws-request-id",
    ] {
        same!(seen["headers"].get(name), None);
    }
    Ok(Verdict::Holds)
}

fn events(host: &Hosted) -> Row {
    let before = host.front.delivered().len();
    for path in ["/events/parked", "/events/x", "/events"] {
        let call = Call::post(path, "{}")
            .with("content-type", "application/json")
            .with("ce-specversion", "1.0")
            .with("ce-id", "1")
            .with("ce-source", "/x")
            .with("ce-type", "t");
        let status = host.front.call(&call).status;
        same!(status == 404 || status == 401, true);
    }
    same!(host.front.delivered().len(), before);
    Ok(Verdict::Holds)
}

fn named(host: &Hosted) -> Row {
    if !host.front.names_calls() {
        return Ok(Verdict::NotHere);
    }
    let seen = host.front.call(&Call::get("/a")).seen();
    let id = seen["invocation"].as_str().unwrap_or_default();
    same!(id.is_empty(), false);
    same!(seen["headers"]["x-request-id"], json!([id]));
    Ok(Verdict::Holds)
}

fn own_name(host: &Hosted) -> Row {
    let seen = host
        .front
        .call(&Call::get("/a").with("x-request-id", "mine-1"))
        .seen();
    same!(seen["headers"]["x-request-id"], json!(["mine-1"]));
    if host.front.names_calls() {
        same!(seen["invocation"] == Value::Null, false);
    }
    Ok(Verdict::Holds)
}
