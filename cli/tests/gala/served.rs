//! Commands that act through a running server: what they do is there afterwards.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::Duration;

use reqwest::blocking::Client;
use serde_json::Value as Json;
use testbed::until;

use super::ran::{Home, Ran, gala};

/// A running `gala serve`, stopped when it is dropped.
pub(crate) struct Server {
    child: Child,
    public: String,
    admin: String,
}

impl Server {
    pub(crate) fn start(home: &Home) -> Self {
        Self::start_with(home, &[])
    }

    pub(crate) fn start_with(home: &Home, options: &[&str]) -> Self {
        let mut child = gala(home.path())
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--admin-listen",
                "127.0.0.1:0",
            ])
            .args(options)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut address = |word: &str| {
            let line = lines
                .by_ref()
                .map(Result::unwrap)
                .find(|line| line.trim_start().starts_with(word))
                .unwrap();
            let at = line.find("http://").unwrap();
            let end = line[at + 7..]
                .find(['/', ' '])
                .map_or(line.len(), |end| at + 7 + end);
            line[at..end].to_owned()
        };
        let (public, admin) = (address("users"), address("staff"));
        // What is logged must go on being read, or the server would wait for it.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            public,
            admin,
        }
    }

    /// Killed without a word, and another in its place.
    pub(crate) fn killed_and_started(self, home: &Home) -> Self {
        drop(self);
        Self::start(home)
    }

    /// Whether it has not ended by itself.
    pub(crate) fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Where users call.
    pub(crate) fn public(&self) -> &str {
        &self.public
    }

    /// Where staff call.
    pub(crate) fn admin(&self) -> &str {
        &self.admin
    }

    /// A command against this server.
    pub(crate) fn run(&self, home: &Home, args: &[&str]) -> Ran {
        home.run(&[args, &["--url", &self.admin][..]].concat())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn play(home: &Home, server: &Server, user: &str, key: &str) -> (u16, Json) {
    let token = home.run(&["token", "acme", user]).stdout;
    let answer = Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(format!(
            "{}/v1/acme/wheel/events/draw?channel=%3D1%2B1",
            server.public
        ))
        .bearer_auth(token.trim())
        .header("idempotency-key", key)
        .send()
        .unwrap();
    (answer.status().as_u16(), answer.json().unwrap())
}

#[test]
fn through_the_running_server() {
    let home = Home::new();
    let server = Server::start(&home);
    for number in 0..8 {
        let (status, answer) = play(&home, &server, "ann", &format!("k-{number}"));
        assert_eq!(status, 200, "{answer}");
    }

    // History: data for programs, lines for people, and no member id in either.
    let history = server.run(&home, &["history", "acme", "ann", "--json"]);
    assert_eq!(
        (history.code, history.stderr.as_str()),
        (0, ""),
        "{history:?}"
    );
    let rows = history.json()["rows"].as_array().unwrap().len();
    assert!(rows >= 8, "{history:?}");
    let told = server.run(&home, &["history", "acme", "ann"]);
    assert!(
        told.stdout.lines().count() > rows
            && told.stdout.contains("draw 7 of wheel")
            && !told.stdout.contains("ann"),
        "{told:?}"
    );

    // Export: NDJSON as it is, CSV that runs nothing.
    let ndjson = server.run(&home, &["export", "acme", "wheel"]);
    assert_eq!(ndjson.code, 0, "{ndjson:?}");
    let lines: Vec<Json> = ndjson
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), rows);
    let csv = server.run(
        &home,
        &["export", "acme", "wheel", "--format", "csv", "--bom"],
    );
    assert!(
        csv.stdout.starts_with("\u{feff}\"number\",\"tenant\""),
        "{csv:?}"
    );
    assert_eq!(csv.stdout.matches("\r\n").count(), rows + 1);
    assert!(
        csv.stdout.contains("\"'=1+1\""),
        "the channel that a client named: {csv:?}"
    );
    let won = lines.iter().any(|row| row["type"] == "grant");
    assert!(!won || csv.stdout.contains("\"'=HYPERLINK(1)\""), "{csv:?}");
    assert!(!csv.stdout.contains("\"="), "{csv:?}");
    let file = server.run(
        &home,
        &[
            "export",
            "acme",
            "wheel",
            "--after",
            "2",
            "--limit",
            "3",
            "--out",
            "rows.ndjson",
        ],
    );
    assert_eq!((file.code, file.stdout.as_str()), (0, ""), "{file:?}");
    assert_eq!(
        std::fs::read_to_string(home.at("rows.ndjson"))
            .unwrap()
            .lines()
            .count(),
        3
    );
    assert!(!home.at("rows.part").exists());

    // Changes hold for the next call.
    let paused = server.run(
        &home,
        &[
            "pause",
            "acme",
            "wheel",
            "--reason",
            "a test",
            "--notice",
            "Back soon",
        ],
    );
    assert_eq!(paused.code, 0, "{paused:?}");
    let (status, answer) = play(&home, &server, "ann", "k-paused");
    assert_eq!(
        (status, answer["code"].as_str()),
        (409, Some("paused")),
        "{answer}"
    );
    assert_eq!(server.run(&home, &["resume", "acme", "wheel"]).code, 0);
    assert_eq!(play(&home, &server, "ann", "k-paused").0, 200);
    let stock = server.run(
        &home,
        &[
            "stock", "acme", "wheel", "coupon", "--add", "5", "--key", "s-1", "--json",
        ],
    );
    assert_eq!(stock.json()["ceiling"], 10, "{stock:?}");
    let again = server.run(
        &home,
        &[
            "stock", "acme", "wheel", "coupon", "--add", "5", "--key", "s-1", "--json",
        ],
    );
    assert_eq!(again.stdout, stock.stdout, "the same key adds once");

    // Refusals are told with their code, and are no success.
    for (args, code) in [
        (
            &["stock", "acme", "wheel", "nothing", "--add", "5"][..],
            "invalid-payload",
        ),
        (
            &["stock", "acme", "none", "coupon", "--add", "5"][..],
            "no-such-campaign",
        ),
        (&["verify", "acme", "wheel"][..], "not-possible"),
        (
            &["history", "acme", "ann", "--token", "a.b.c"][..],
            "unauthenticated",
        ),
    ] {
        let refused = server.run(&home, &[args, &["--json"][..]].concat());
        assert_eq!(
            (refused.code, refused.stdout.as_str()),
            (1, ""),
            "{args:?}: {refused:?}"
        );
        let said: Json = serde_json::from_str(refused.stderr.trim()).unwrap();
        assert_eq!(said["code"], code, "{args:?}: {said}");
    }
    let viewer = home
        .run(&["token", "acme", "eve", "--role", "viewer"])
        .stdout;
    let forbidden = server.run(
        &home,
        &[
            "pause",
            "acme",
            "wheel",
            "--reason",
            "r",
            "--token",
            viewer.trim(),
        ],
    );
    assert_eq!(forbidden.code, 1);
    assert!(
        forbidden.stderr.contains("error[forbidden]"),
        "{forbidden:?}"
    );

    // The test lane's draws can be verified at any time: here there are none, and that holds, too.
    let verified = server.run(
        &home,
        &[
            "verify", "acme", "wheel", "--lane", "test", "--save", "books", "--json",
        ],
    );
    assert_eq!(verified.code, 0, "{verified:?}");
    let offline = home.run(&["verify", "--from", "books"]);
    assert_eq!(offline.code, 0, "{offline:?}");
    let seed = std::fs::read_to_string(home.at("books/seed.json")).unwrap();
    let mut seed: Json = serde_json::from_str(&seed).unwrap();
    seed["seed"] = "00".repeat(32).into();
    home.write("books/seed.json", &seed.to_string());
    assert_eq!(
        home.run(&["verify", "--from", "books"]).code,
        1,
        "another seed than was promised"
    );

    // A backup while serving, and a store that goes on from it.
    let copied = server.run(&home, &["backup", "--to", "copy"]);
    assert_eq!(copied.code, 0, "{copied:?}");
    let doctor = home.run(&[
        "doctor",
        "--listen",
        "127.0.0.1:0",
        "--admin-listen",
        "127.0.0.1:0",
    ]);
    assert!(
        doctor.stdout.contains("held by a running server"),
        "{doctor:?}"
    );
    let (_, before) = play(&home, &server, "ann", "k-0");
    drop(server);

    let restored = home.run(&["restore", "copy", "--data", "data2"]);
    assert_eq!(restored.code, 0, "{restored:?}");
    assert_eq!(
        home.run(&["restore", "copy", "--data", "data2"]).code,
        1,
        "never over what is there"
    );
    let offline = home.run(&["backup", "--data", "data2", "--to", "copy2", "--json"]);
    assert!(
        offline.code == 0 && offline.json()["bytes"].as_u64() > Some(0),
        "{offline:?}"
    );
    std::fs::rename(home.at("data"), home.at("data-old")).unwrap();
    std::fs::rename(home.at("data2"), home.at("data")).unwrap();
    let server = Server::start(&home);
    let (status, after) = play(&home, &server, "ann", "k-0");
    assert_eq!(
        (status, after),
        (200, before),
        "a restored store remembers what was answered"
    );
}

#[test]
fn revisions_and_books() {
    let home = Home::new();
    let server = Server::start(&home);
    for number in 0..4 {
        assert_eq!(play(&home, &server, "ann", &format!("k-{number}")).0, 200);
    }
    let said = |args: &[&str], code: i32, words: &str| {
        let ran = server.run(&home, args);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(
            ran.code == code && all.contains(words),
            "{args:?} is not {code} with `{words}`: {ran:?}"
        );
        ran
    };
    said(&["publish", "acme/wheel"], 0, "nothing to do");
    said(&["stock", "acme", "wheel"], 0, "coupon: ");

    // A draft of another folder, in the place of the server's file.
    let text = |name: &str| std::fs::read_to_string(home.at(name)).unwrap();
    let wheel = text("configs/acme/wheel.yaml");
    home.write("draft/acme/tenant.yaml", &text("configs/acme/tenant.yaml"));
    home.write(
        "draft/acme/wheel.yaml",
        &wheel.replace("stock: 5", "stock: 8"),
    );
    let draft = ["publish", "draft/acme/wheel.yaml"];
    let would = said(
        &["publish", "draft/acme/wheel.yaml", "--dry-run"],
        0,
        "acme/wheel would follow revision 1",
    );
    assert!(
        would.stdout.ends_with("\nbetter coupon: stock 5 -> 8\n"),
        "{would:?}"
    );
    let diff = said(
        &["diff", "draft/acme/wheel.yaml"],
        0,
        "1 change against revision 1",
    );
    assert_eq!(diff.stdout, "better coupon: stock 5 -> 8\n");
    said(
        &["publish", "draft/acme/wheel.yaml", "--over", "7"],
        1,
        "stale-page",
    );
    said(&draft, 0, "revision 2 is live");
    said(&["diff", "acme/wheel"], 0, "better coupon: stock 5 -> 8");
    let back = said(
        &["diff", "acme/wheel", "--from", "2", "--to", "1", "--json"],
        0,
        "",
    );
    assert_eq!(back.json()["changes"][0]["effect"], "worse");
    said(
        &["diff", "draft/acme/wheel.yaml"],
        0,
        "says what revision 2 says",
    );
    let stock = said(&["stock", "acme", "wheel", "--json"], 0, "");
    assert_eq!(stock.json()[0]["ceiling"], 8);
    home.write("draft/acme/wheel.yaml", &wheel.replace("50%", "150%"));
    let wrong = said(&draft, 1, "configs/acme/wheel.yaml:7:");
    assert!(wrong.stdout.is_empty() && wrong.stderr.contains("error[invalid-payload]"));
    said(
        &["rollback", "acme", "wheel", "--to", "9"],
        1,
        "no revision 9",
    );
    let rollback = ["rollback", "acme", "wheel", "--to", "1"];
    said(&rollback, 1, "coupon: stock 8 -> 5");
    said(
        &[&rollback[..], &["--reason", "the supplier delivers less"]].concat(),
        0,
        "revision 3 is live and says what revision 1 said",
    );
    assert_eq!(play(&home, &server, "ann", "k-4").0, 200);

    let later = wheel
        .replace(
            "stock: 5",
            "stock: 8, release: { each_day: 2, first_day: 6 }",
        )
        .replace("opens: 2026-01-01", "opens: 2035-06-01");
    home.write("draft/acme/wheel.yaml", &later);
    said(&draft, 1, "A story of the campaign comes out differently");
    // The stories that lie beside the file go with it.
    let stories = text("configs/acme/stories/wheel.yaml").replace("2026-11-22", "2035-11-22");
    home.write("draft/acme/stories/wheel.yaml", &stories);
    said(&draft, 1, "opens 2026-01-01 00:00 -> 2035-06-01 00:00");
    said(
        &[&draft[..], &["--reason", "put off"]].concat(),
        0,
        "revision 4 is live",
    );
    said(
        &["stock", "acme", "wheel"],
        0,
        "left, 2 to be released from 2035-06-02T00:00:00+08:00 on",
    );

    let books = said(
        &["reconcile", "acme", "wheel"],
        0,
        "5 draws, 1 participants, 0 differences",
    );
    assert_eq!(books.stdout, "");
    let books = said(
        &["reconcile", "acme", "wheel", "--lane", "test", "--json"],
        0,
        "",
    );
    assert_eq!(books.json()["differences"], serde_json::json!([]));

    said(&["parked", "acme"], 0, "acme: 0 parked");
    said(&["parked"], 0, "acme: 0 parked");
    let none = said(&["parked", "acme", "--json"], 0, "");
    assert_eq!(
        none.json(),
        serde_json::json!({ "parked": [], "dropped": 0 })
    );
    said(&["parked", "acme", "0f"], 1, "not-found");
    said(&["parked", "acme", "0f", "--retry"], 1, "no parked event");
    let drop = ["parked", "acme", "0f", "--drop", "--reason", "a test"];
    said(&drop, 1, "no parked event");

    let purge = ["purge", "acme", "wheel", "--edition", "1"];
    said(&purge, 1, "kept_until");
    let forced = [&purge[..], &["--force", "--reason", "a test"]].concat();
    said(&forced, 0, "purged");
    said(&forced, 0, "was purged before");
    assert_eq!(play(&home, &server, "ann", "k-5").0, 404);
    said(&["publish", "acme/wheel"], 1, "never reopens");
    said(&["reconcile", "acme", "wheel"], 1, "no-such-campaign");
}

#[test]
fn it_stops_when_it_is_told() {
    let home = Home::new();
    let mut server = Server::start(&home);
    let stop = std::process::Command::new("kill")
        .arg("-TERM")
        .arg(server.child.id().to_string())
        .status()
        .unwrap();
    assert!(stop.success());
    let ended = until("an end", Duration::from_secs(15), || {
        server.child.try_wait().unwrap()
    });
    assert_eq!(ended.code(), Some(0));
}
