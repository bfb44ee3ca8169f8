//! Answers in every form.

use crate::call::Call;
use crate::echo::BYTES;
use crate::{Case, Hosted, Verdict, same};

type Row = Result<Verdict, String>;

pub const CASES: &[Case] = &[
    Case {
        name: "a picture goes out byte for byte",
        run: picture,
    },
    Case {
        name: "SVG and JSON go out as they are",
        run: text,
    },
    Case {
        name: "no content type, and no text",
        run: untyped,
    },
    Case {
        name: "gzip, br and zstd go out byte for byte",
        run: coded,
    },
    Case {
        name: "another character set goes out byte for byte",
        run: charset,
    },
    Case {
        name: "204 and 304 have no body",
        run: bodiless,
    },
    Case {
        name: "a HEAD has none, and the length it would have",
        run: head,
    },
    Case {
        name: "statuses of every kind",
        run: statuses,
    },
    Case {
        name: "an empty answer is empty",
        run: empty,
    },
    Case {
        name: "an answer that is made bit by bit arrives whole",
        run: bit_by_bit,
    },
];

fn picture(host: &Hosted) -> Row {
    let answer = host.front.call(&Call::get("/typed/image/png"));
    same!(
        (
            answer.status,
            answer.header("content-type"),
            answer.body.clone()
        ),
        (200, vec!["image/png"], BYTES.to_vec())
    );
    Ok(Verdict::Holds)
}

fn text(host: &Hosted) -> Row {
    for kind in [
        "/typed/image/svg+xml",
        "/typed/application/problem+json",
        "/typed/text/csv",
    ] {
        same!(host.front.call(&Call::get(kind)).text(), "<svg>春</svg>");
    }
    Ok(Verdict::Holds)
}

fn untyped(host: &Hosted) -> Row {
    same!(host.front.call(&Call::get("/untyped")).body, BYTES);
    Ok(Verdict::Holds)
}

fn coded(host: &Hosted) -> Row {
    for coding in ["/coded/gzip", "/coded/br", "/coded/zstd"] {
        let answer = host.front.call(&Call::get(coding));
        same!(answer.body, BYTES);
        same!(answer.header("content-encoding").len(), 1);
    }
    Ok(Verdict::Holds)
}

fn charset(host: &Hosted) -> Row {
    let answer = host.front.call(&Call::get("/typed/text/html;charset=gbk"));
    same!(answer.text(), "<svg>春</svg>");
    same!(answer.header("content-type"), ["text/html;charset=gbk"]);
    Ok(Verdict::Holds)
}

fn bodiless(host: &Hosted) -> Row {
    for (path, status) in [("/status/204", 204), ("/status/304", 304)] {
        let answer = host.front.call(&Call::get(path));
        same!((answer.status, answer.body), (status, vec![]));
    }
    Ok(Verdict::Holds)
}

fn head(host: &Hosted) -> Row {
    let whole = host.front.call(&Call::get("/cookies"));
    let head = host.front.call(&Call::get("/cookies").method("HEAD"));
    same!((head.status, head.body.len()), (200, 0));
    same!(
        head.header("content-length"),
        [whole.body.len().to_string()]
    );
    same!(head.header("content-type"), whole.header("content-type"));
    Ok(Verdict::Holds)
}

fn statuses(host: &Hosted) -> Row {
    for (path, status) in [
        ("/status/201", 201),
        ("/status/418", 418),
        ("/status/503", 503),
    ] {
        same!(host.front.call(&Call::get(path)).status, status);
    }
    Ok(Verdict::Holds)
}

fn empty(host: &Hosted) -> Row {
    let answer = host.front.call(&Call::get("/status/200"));
    same!((answer.status, answer.body), (200, vec![]));
    Ok(Verdict::Holds)
}

fn bit_by_bit(host: &Hosted) -> Row {
    same!(
        host.front.call(&Call::get("/bits")).text(),
        "0 1 2 3 4 5 6 7 8 9 "
    );
    Ok(Verdict::Holds)
}
