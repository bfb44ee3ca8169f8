//! Bodies of requests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::echo::BYTES;
use crate::fronts::BODY_BYTES;
use crate::{Case, Hosted, Verdict, same};

type Row = Result<Verdict, String>;

pub const CASES: &[Case] = &[
    Case {
        name: "a JSON body arrives",
        run: json_body,
    },
    Case {
        name: "a body of several bytes a character, and its length in bytes",
        run: length,
    },
    Case {
        name: "a body that is no text arrives byte for byte",
        run: bytes,
    },
    Case {
        name: "a form with a file",
        run: multipart,
    },
    Case {
        name: "a body in another character set",
        run: charset,
    },
    Case {
        name: "a body that is not there, null, or empty is empty",
        run: nothing,
    },
    Case {
        name: "broken base64 is answered 400, and the next call is served",
        run: broken,
    },
    Case {
        name: "a body as large as it may be, and one byte more: 413",
        run: too_large,
    },
    Case {
        name: "the request's base64 does not make the answer so",
        run: no_leak,
    },
    Case {
        name: "PUT, PATCH and DELETE with a body",
        run: other_methods,
    },
];

fn body(answer: &Answer) -> Vec<u8> {
    STANDARD
        .decode(answer.seen()["body"].as_str().unwrap())
        .unwrap()
}

fn json_body(host: &Hosted) -> Row {
    let text = r#"{"a":1,"b":"春"}"#;
    let answer = host
        .front
        .call(&Call::post("/a", text).with("content-type", "application/json"));
    let arrived: Value =
        serde_json::from_slice(&body(&answer)).map_err(|error| error.to_string())?;
    same!(arrived, json!({ "a": 1, "b": "春" }));
    same!(
        answer.seen()["headers"]["content-type"],
        json!(["application/json"])
    );
    Ok(Verdict::Holds)
}

fn length(host: &Hosted) -> Row {
    let answer = host
        .front
        .call(&Call::post("/a", "春天").with("content-type", "text/plain; charset=utf-8"));
    same!(body(&answer), "春天".as_bytes());
    same!(answer.seen()["headers"]["content-length"], json!(["6"]));
    Ok(Verdict::Holds)
}

fn bytes(host: &Hosted) -> Row {
    if !host.front.carries_bytes() {
        return Ok(Verdict::NotHere);
    }
    let answer = host
        .front
        .call(&Call::post("/a", BYTES).with("content-type", "image/png"));
    same!(body(&answer), BYTES);
    Ok(Verdict::Holds)
}

fn multipart(host: &Hosted) -> Row {
    if !host.front.carries_bytes() {
        return Ok(Verdict::NotHere);
    }
    let mut form =
        b"--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.png\"\r\n\r\n".to_vec();
    form.extend_from_slice(&BYTES);
    form.extend_from_slice(b"\r\n--x--\r\n");
    let kind = "multipart/form-data; boundary=x";
    let answer = host
        .front
        .call(&Call::post("/a", form.clone()).with("content-type", kind));
    same!(body(&answer), form);
    same!(answer.seen()["headers"]["content-type"], json!([kind]));
    Ok(Verdict::Holds)
}

fn charset(host: &Hosted) -> Row {
    if !host.front.carries_bytes() {
        return Ok(Verdict::NotHere);
    }
    // What it is in GBK.
    let spring = [0xb4, 0xba];
    let answer = host
        .front
        .call(&Call::post("/a", spring).with("content-type", "application/x-own; charset=gbk"));
    same!(body(&answer), spring);
    Ok(Verdict::Holds)
}

fn nothing(host: &Hosted) -> Row {
    same!(body(&host.front.call(&Call::get("/a"))), b"");
    same!(body(&host.front.call(&Call::post("/a", ""))), b"");
    let Some(event) = host.front.event(&Call::post("/a", "")) else {
        return Ok(Verdict::Holds);
    };
    let place = if event.get("payload").is_some() {
        "payload"
    } else {
        "body"
    };
    for told in [Some(Value::Null), Some(json!("")), None] {
        let mut event = event.clone();
        match told {
            Some(told) => event[place] = told,
            None => drop(event.as_object_mut().unwrap().remove(place)),
        }
        same!(body(&host.front.raw(&event)), b"");
    }
    Ok(Verdict::Holds)
}

fn broken(host: &Hosted) -> Row {
    let Some(mut event) = host.front.event(&Call::post("/a", BYTES)) else {
        return Ok(Verdict::NotHere);
    };
    let place = if event.get("payload").is_some() {
        "payload"
    } else {
        "body"
    };
    event[place] = json!("no base64 !");
    event["isBase64Encoded"] = json!(true);
    same!(host.front.raw(&event).status, 400);
    same!(host.front.call(&Call::get("/a")).status, 200);
    Ok(Verdict::Holds)
}

fn too_large(host: &Hosted) -> Row {
    let whole = vec![b'x'; BODY_BYTES];
    let answer = host
        .front
        .call(&Call::post("/a", whole.clone()).with("content-type", "text/plain"));
    same!((answer.status, body(&answer).len()), (200, BODY_BYTES));
    let more = [whole, vec![b'x']].concat();
    same!(
        host.front
            .call(&Call::post("/a", more).with("content-type", "text/plain"))
            .status,
        413
    );
    Ok(Verdict::Holds)
}

fn no_leak(host: &Hosted) -> Row {
    let Some(mut event) = host.front.event(&Call::post("/a", "")) else {
        return Ok(Verdict::NotHere);
    };
    let place = if event.get("payload").is_some() {
        "payload"
    } else {
        "body"
    };
    event[place] = json!(STANDARD.encode(BYTES));
    event["isBase64Encoded"] = json!(true);
    same!(body(&host.front.raw(&event)), BYTES);
    Ok(Verdict::Holds)
}

fn other_methods(host: &Hosted) -> Row {
    for method in ["PUT", "PATCH", "DELETE"] {
        let call = Call::post("/a", "x=1").method(method);
        let answer = host.front.call(&call.with("content-type", "text/plain"));
        same!(
            (answer.seen()["method"].clone(), body(&answer)),
            (json!(method), b"x=1".to_vec())
        );
    }
    Ok(Verdict::Holds)
}
