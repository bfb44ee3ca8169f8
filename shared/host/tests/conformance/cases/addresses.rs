//! Paths and queries.

use serde_json::json;

use crate::call::Call;
use crate::{Case, Hosted, Verdict, same};

type Row = Result<Verdict, String>;

pub const CASES: &[Case] = &[
    Case {
        name: "a path and its query arrive",
        run: arrive,
    },
    Case {
        name: "a name that comes several times keeps its values' order",
        run: several,
    },
    Case {
        name: "an empty value, and a name without one",
        run: empty,
    },
    Case {
        name: "`%26`, `+`, `%2B` and Chinese in a query are decoded once",
        run: decoded_once,
    },
    Case {
        name: "Chinese and `%2F` within a segment of a path",
        run: segments,
    },
    Case {
        name: "a space in a path",
        run: space,
    },
    Case {
        name: "dots, colons and signs in a path stay",
        run: signs,
    },
    Case {
        name: "the uri is in origin form",
        run: origin,
    },
    Case {
        name: "a stage or a rule of the gateway is not part of the path",
        run: stage,
    },
    Case {
        name: "below `/api`: within, with a query",
        run: below,
    },
    Case {
        name: "below `/api`: the path itself, with and without a slash",
        run: itself,
    },
    Case {
        name: "below `/api`: `/apiary` and the root are not found",
        run: outside,
    },
    Case {
        name: "a long path and a long query",
        run: long,
    },
    Case {
        name: "a query that the host hands over as text",
        run: query_text,
    },
    Case {
        name: "a path that is not there is the root",
        run: no_path,
    },
    Case {
        name: "a method that is none is answered 400, and the next call is served",
        run: no_method,
    },
    Case {
        name: "fields that the host added since are ignored",
        run: more_fields,
    },
];

fn arrive(host: &Hosted) -> Row {
    let seen = host.front.call(&Call::get("/a/b?one=1&two=2")).seen();
    same!(seen["method"], "GET");
    same!(seen["path"], "/a/b");
    same!(seen["query"], json!({ "one": ["1"], "two": ["2"] }));
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS"] {
        same!(
            host.front.call(&Call::get("/a").method(method)).seen()["method"],
            method
        );
    }
    Ok(Verdict::Holds)
}

fn several(host: &Hosted) -> Row {
    let seen = host.front.call(&Call::get("/a?k=3&k=1&k=2")).seen();
    same!(seen["query"]["k"], json!(["3", "1", "2"]));
    Ok(Verdict::Holds)
}

fn empty(host: &Hosted) -> Row {
    let seen = host.front.call(&Call::get("/a?none=&bare")).seen();
    same!(seen["query"], json!({ "none": [""], "bare": [""] }));
    Ok(Verdict::Holds)
}

fn decoded_once(host: &Hosted) -> Row {
    let seen = host
        .front
        .call(&Call::get(
            "/a?amp=a%26b&plus=a+b&sign=a%2Bb&han=%E6%98%A5&twice=%2526",
        ))
        .seen();
    same!(
        seen["query"],
        json!({ "amp": ["a&b"], "plus": ["a b"], "sign": ["a+b"], "han": ["春"], "twice": ["%26"] })
    );
    Ok(Verdict::Holds)
}

fn segments(host: &Hosted) -> Row {
    let answer = host.front.call(&Call::get("/segments/%E6%98%A5/a%2Fb"));
    same!(answer.seen(), json!(["春", "a/b"]));
    Ok(Verdict::Holds)
}

fn space(host: &Hosted) -> Row {
    same!(
        host.front.call(&Call::get("/segments/a%20b/c")).seen(),
        json!(["a b", "c"])
    );
    Ok(Verdict::Holds)
}

fn signs(host: &Hosted) -> Row {
    let seen = host
        .front
        .call(&Call::get("/a.b:c@d/~e!$&'()*+,;=/%25"))
        .seen();
    same!(seen["path"], "/a.b:c@d/~e!$&'()*+,;=/%25");
    Ok(Verdict::Holds)
}

fn origin(host: &Hosted) -> Row {
    let seen = host.front.call(&Call::get("/a?b=1")).seen();
    same!(seen["absolute"], false);
    Ok(Verdict::Holds)
}

fn stage(host: &Hosted) -> Row {
    let Some(event) = host.front.event(&Call::get("/a/b")) else {
        return Ok(Verdict::NotHere);
    };
    if event.get("requestContext").is_none() {
        return Ok(Verdict::NotHere);
    }
    same!(host.front.raw(&event).seen()["path"], "/a/b");
    Ok(Verdict::Holds)
}

fn below(host: &Hosted) -> Row {
    let seen = host.below.call(&Call::get("/api/a/b?c=%26")).seen();
    same!(seen["path"], "/a/b");
    same!(seen["query"], json!({ "c": ["&"] }));
    Ok(Verdict::Holds)
}

fn itself(host: &Hosted) -> Row {
    for path in ["/api", "/api/", "/api?a=1"] {
        same!(host.below.call(&Call::get(path)).seen()["path"], "/");
    }
    Ok(Verdict::Holds)
}

fn outside(host: &Hosted) -> Row {
    for path in ["/apiary", "/", "/API/a", "/ap"] {
        same!(host.below.call(&Call::get(path)).status, 404);
    }
    Ok(Verdict::Holds)
}

fn long(host: &Hosted) -> Row {
    let path: &'static str = format!("/{}?q={}", "p".repeat(2000), "q".repeat(4000)).leak();
    let seen = host.front.call(&Call::get(path)).seen();
    same!(seen["path"].as_str().map(str::len), Some(2001));
    same!(seen["query"]["q"][0].as_str().map(str::len), Some(4000));
    Ok(Verdict::Holds)
}

fn query_text(host: &Hosted) -> Row {
    let Some(mut event) = host.front.event(&Call::get("/a")) else {
        return Ok(Verdict::NotHere);
    };
    if event.get("queryString").is_none() {
        return Ok(Verdict::NotHere);
    }
    event["queryString"] = json!("a=%26&b=2");
    same!(
        host.front.raw(&event).seen()["query"],
        json!({ "a": ["&"], "b": ["2"] })
    );
    event["queryString"] = json!({ "n": 7, "none": null });
    same!(
        host.front.raw(&event).seen()["query"],
        json!({ "n": ["7"], "none": [""] })
    );
    event["queryString"] = json!(null);
    same!(host.front.raw(&event).seen()["query"], json!({}));
    Ok(Verdict::Holds)
}

fn no_path(host: &Hosted) -> Row {
    let Some(mut event) = host.front.event(&Call::get("/a")) else {
        return Ok(Verdict::NotHere);
    };
    if event.get("path").is_none() {
        return Ok(Verdict::NotHere);
    }
    event["path"] = json!(null);
    same!(host.front.raw(&event).seen()["path"], "/");
    event["path"] = json!("no slash");
    same!(host.front.raw(&event).status, 400);
    Ok(Verdict::Holds)
}

fn no_method(host: &Hosted) -> Row {
    for method in ["G T", ""] {
        same!(host.front.call(&Call::get("/a").method(method)).status, 400);
    }
    same!(host.front.call(&Call::get("/a")).status, 200);
    Ok(Verdict::Holds)
}

fn more_fields(host: &Hosted) -> Row {
    let Some(mut event) = host.front.event(&Call::get("/a")) else {
        return Ok(Verdict::NotHere);
    };
    event["newSince"] = json!({ "a": [1, null] });
    if event.get("requestContext").is_some() {
        event["requestContext"]["newSince"] = json!([]);
        event["requestContext"]["identity"] = json!(null);
    }
    same!(host.front.raw(&event).seen()["path"], "/a");
    Ok(Verdict::Holds)
}
