//! Handlers that break, are late, or answer too much; calls beside each other.

use crate::call::Call;
use crate::fronts::Front;
use crate::{Case, Hosted, Verdict, same};

type Row = Result<Verdict, String>;

pub const CASES: &[Case] = &[
    Case {
        name: "a handler that panics: 500, and the next call is served",
        run: panics,
    },
    Case {
        name: "a handler that is late is answered before the host ends the call",
        run: late,
    },
    Case {
        name: "a body that does not come to its end in time, too",
        run: late_body,
    },
    Case {
        name: "an answer that the host cannot carry: 500, and the next call is served",
        run: too_large,
    },
    Case {
        name: "many calls at once: none gets another's body",
        run: many,
    },
];

fn panics(host: &Hosted) -> Row {
    same!(host.front.call(&Call::get("/panic")).status, 500);
    same!(host.front.call(&Call::get("/a")).status, 200);
    Ok(Verdict::Holds)
}

fn limited(host: &Hosted, path: &'static str) -> Row {
    if !host.front.set_time_limit(600) {
        return Ok(Verdict::NotHere);
    }
    let answer = host.front.call(&Call::get(path));
    host.front.set_time_limit(20_000);
    same!(
        (answer.status, answer.header("retry-after")),
        (503, vec!["1"])
    );
    same!(host.front.call(&Call::get("/a")).status, 200);
    Ok(Verdict::Holds)
}

fn late(host: &Hosted) -> Row {
    limited(host, "/late")
}

fn late_body(host: &Hosted) -> Row {
    limited(host, "/late-body")
}

fn too_large(host: &Hosted) -> Row {
    if host.front.event(&Call::get("/a")).is_none() {
        return Ok(Verdict::NotHere);
    }
    // Base64 makes four bytes of three.
    let most = host.front.carries_answers_of() / 4 * 3;
    let big = |bytes: usize| host.front.call(&Call::get(format!("/big/{bytes}").leak()));
    same!(big(most).status, 500);
    same!(big(most - 10_000).body.len(), most - 10_000);
    Ok(Verdict::Holds)
}

fn many(host: &Hosted) -> Row {
    let front = &*host.front;
    let right = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..8)
            .map(|thread| {
                scope.spawn(move || (0..5).all(|number| mine(front, thread * 5 + number)))
            })
            .collect();
        calls.into_iter().all(|call| call.join().unwrap())
    });
    same!(right, true);
    Ok(Verdict::Holds)
}

fn mine(front: &dyn Front, number: usize) -> bool {
    use base64::Engine as _;
    let body = format!("body of {number}").repeat(1 + number * 50);
    let answer = front.call(&Call::post("/a", body.clone()).with("content-type", "text/plain"));
    answer.seen()["body"] == base64::engine::general_purpose::STANDARD.encode(body)
}
