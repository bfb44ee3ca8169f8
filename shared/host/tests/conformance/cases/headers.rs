//! Headers and cookies, both ways.

use serde_json::{Value, json};

use crate::call::Call;
use crate::{Case, Hosted, Verdict, same};

type Row = Result<Verdict, String>;

pub const CASES: &[Case] = &[
    Case {
        name: "names of headers in any case",
        run: any_case,
    },
    Case {
        name: "a header that comes twice arrives whole",
        run: twice,
    },
    Case {
        name: "two cookies arrive as one header",
        run: cookies_in,
    },
    Case {
        name: "a header in UTF-8",
        run: utf8,
    },
    Case {
        name: "values that the host writes as numbers and truths",
        run: numbers,
    },
    Case {
        name: "a header that cannot be one is answered 400",
        run: unreadable,
    },
    Case {
        name: "two `Set-Cookie` go out as two",
        run: cookies_out,
    },
    Case {
        name: "a redirect's `Location`",
        run: location,
    },
    Case {
        name: "headers of the connection do not pass",
        run: of_the_connection,
    },
    Case {
        name: "a `Host` that is none is answered 400",
        run: host_header,
    },
    Case {
        name: "headers that are null or not there",
        run: no_headers,
    },
    Case {
        name: "sixty headers",
        run: sixty,
    },
    Case {
        name: "an answer's header in UTF-8",
        run: utf8_out,
    },
];

fn any_case(host: &Hosted) -> Row {
    let seen = host
        .front
        .call(
            &Call::get("/a")
                .with("X-Own-Name", "1")
                .with("IDEMPOTENCY-KEY", "k"),
        )
        .seen();
    same!(seen["headers"]["x-own-name"], json!(["1"]));
    same!(seen["headers"]["idempotency-key"], json!(["k"]));
    Ok(Verdict::Holds)
}

fn twice(host: &Hosted) -> Row {
    let seen = host
        .front
        .call(&Call::get("/a").with("x-own", "1").with("x-own", "2"))
        .seen();
    let all = values(&seen["headers"]["x-own"]);
    same!(all, ["1", "2"]);
    Ok(Verdict::Holds)
}

/// A list, or one text with commas: both say the same (RFC 9110, 5.3).
fn values(told: &Value) -> Vec<String> {
    let texts = told.as_array().cloned().unwrap_or_default();
    let texts: Vec<String> = texts
        .iter()
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect();
    texts
        .iter()
        .flat_map(|text| text.split(',').map(|part| part.trim().to_owned()))
        .collect()
}

fn cookies_in(host: &Hosted) -> Row {
    let seen = host
        .front
        .call(&Call::get("/a").with("cookie", "a=1; b=2"))
        .seen();
    same!(seen["headers"]["cookie"], json!(["a=1; b=2"]));
    Ok(Verdict::Holds)
}

fn utf8(host: &Hosted) -> Row {
    let seen = host.front.call(&Call::get("/a").with("x-own", "春")).seen();
    same!(seen["headers"]["x-own"], json!(["春"]));
    Ok(Verdict::Holds)
}

fn numbers(host: &Hosted) -> Row {
    let Some(mut event) = host.front.event(&Call::get("/a")) else {
        return Ok(Verdict::NotHere);
    };
    event["headers"]["x-number"] = json!(7);
    event["headers"]["x-flag"] = json!(true);
    event["headers"]["x-none"] = Value::Null;
    let seen = host.front.raw(&event).seen();
    same!(seen["headers"]["x-number"], json!(["7"]));
    same!(seen["headers"]["x-flag"], json!(["true"]));
    Ok(Verdict::Holds)
}

fn unreadable(host: &Hosted) -> Row {
    let Some(event) = host.front.event(&Call::get("/a")) else {
        return Ok(Verdict::NotHere);
    };
    for (name, value) in [("x own", "1"), ("x-own", "a\nb"), ("", "1")] {
        let mut event = event.clone();
        event["headers"][name] = json!(value);
        same!(host.front.raw(&event).status, 400);
    }
    same!(host.front.raw(&event).status, 200);
    Ok(Verdict::Holds)
}

fn cookies_out(host: &Hosted) -> Row {
    let answer = host.front.call(&Call::get("/cookies"));
    same!(
        answer.header("set-cookie"),
        ["a=1; Path=/", "b=2; Expires=Wed, 09 Jun 2027 10:18:14 GMT"]
    );
    Ok(Verdict::Holds)
}

fn location(host: &Hosted) -> Row {
    let answer = host.front.call(&Call::get("/redirect"));
    same!(
        (answer.status, answer.header("location")),
        (302, vec!["https://example.com/a?b=%26"])
    );
    Ok(Verdict::Holds)
}

fn of_the_connection(host: &Hosted) -> Row {
    if host.front.event(&Call::get("/a")).is_none() {
        return Ok(Verdict::NotHere);
    }
    let answer = host.front.call(&Call::get("/a"));
    for name in ["connection", "transfer-encoding", "keep-alive"] {
        same!(answer.header(name), Vec::<&str>::new());
    }
    Ok(Verdict::Holds)
}

fn host_header(host: &Hosted) -> Row {
    for bad in ["a b", "a/b", "u@h", "a:b:c"] {
        same!(
            host.front.call(&Call::get("/a").with("Host", bad)).status,
            400
        );
    }
    same!(
        host.front
            .call(&Call::get("/a").with("Host", "example.com:8080"))
            .status,
        200
    );
    Ok(Verdict::Holds)
}

fn no_headers(host: &Hosted) -> Row {
    let Some(mut event) = host.front.event(&Call::get("/a")) else {
        return Ok(Verdict::NotHere);
    };
    // CLB says method and path there.
    if event.get("payload").is_some() {
        return Ok(Verdict::NotHere);
    }
    event["headers"] = Value::Null;
    same!(host.front.raw(&event).status, 200);
    drop(event.as_object_mut().unwrap().remove("headers"));
    same!(host.front.raw(&event).status, 200);
    event["headers"] = json!("x");
    same!(host.front.raw(&event).status, 400);
    Ok(Verdict::Holds)
}

fn sixty(host: &Hosted) -> Row {
    let mut call = Call::get("/a");
    for number in 0..60 {
        call = call.with(format!("x-own-{number}").leak(), format!("{number}").leak());
    }
    let seen = host.front.call(&call).seen();
    for number in 0..60 {
        same!(
            seen["headers"][format!("x-own-{number}")],
            json!([number.to_string()])
        );
    }
    Ok(Verdict::Holds)
}

fn utf8_out(host: &Hosted) -> Row {
    let answer = host.front.call(&Call::get("/named"));
    same!(
        answer.header("content-disposition"),
        ["attachment; filename=\"春.csv\""]
    );
    Ok(Verdict::Holds)
}
