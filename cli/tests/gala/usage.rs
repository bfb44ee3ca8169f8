//! Help, exit codes, and words that nobody knows.

use super::ran::{Home, gala};

pub(crate) const COMMANDS: [&str; 52] = [
    "serve",
    "new",
    "check",
    "explain",
    "compile",
    "test",
    "simulate",
    "load",
    "schema",
    "token",
    "history",
    "export",
    "verify",
    "audit",
    "status",
    "stock",
    "draft",
    "approve",
    "object",
    "publish",
    "diff",
    "release",
    "rollback",
    "pause",
    "resume",
    "stop",
    "start",
    "notice",
    "block",
    "grant",
    "amend",
    "settlement",
    "reconcile",
    "rehearse",
    "raffle",
    "purge",
    "preview",
    "parked",
    "poster",
    "list",
    "codes",
    "backup",
    "restore",
    "doctor",
    "wrap",
    "dev",
    "function",
    "openapi",
    "package",
    "deploy",
    "completions",
    "man",
];

#[test]
fn every_command_explains_itself() {
    let home = Home::new();
    let all = home.run(&["--help"]);
    assert_eq!((all.code, all.stderr.as_str()), (0, ""));
    assert!(all.stdout.contains("Exit codes: 0 ok"));
    for command in COMMANDS {
        assert!(
            all.stdout.contains(&format!("\n  {command} ")),
            "{command} is not in the help: {}",
            all.stdout
        );
        let help = home.run(&[command, "--help"]);
        assert_eq!((help.code, help.stderr.as_str()), (0, ""), "{command}");
        assert!(help.stdout.contains("--json"), "{command}");
        let about = help.stdout.lines().next().unwrap();
        assert!(
            about.len() > 20 && !about.starts_with("Usage"),
            "{command} says nothing of what it does: {about}"
        );
    }
    // A command that this list has not heard of is not tested.
    let listed = all
        .stdout
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    let listed: Vec<&str> = listed
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .collect();
    assert_eq!(listed.len(), COMMANDS.len() + 1, "{listed:?}");
    assert_eq!(
        home.run(&["--version"]).stdout,
        format!("gala {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn what_is_not_understood_is_usage() {
    let home = Home::new();
    let rows: &[&[&str]] = &[
        &["--nonsense"],
        &["nonsense"],
        &["chekc", "configs"],
        &["check", "--jsno", "configs"],
        &["check", "nowhere"],
        &["test", "nowhere"],
        &["token"],
        &["token", "acme"],
        &["token", "nobody", "ann"],
        &["token", "..", "ann"],
        &["token", ".keys", "ann"],
        &["token", "acme/../acme", "ann"],
        &["token", "acme", ""],
        &["token", "acme", "ann", "--claim", "level"],
        &["token", "acme", "ann", "--claim", "level=five"],
        &["token", "acme", "ann", "--claim", "sub=bob"],
        &["token", "acme", "ann", "--role", "king"],
        &["token", "acme", "ann", "--role", "viewer", "--service"],
        &["token", "acme", "ann", "--ttl", "0"],
        &["token", "acme", "ann", "--ttl", "-1"],
        &["token", "acme", "ann", "--ttl", "99999999999"],
        &["explain"],
        &["explain", "nothing"],
        &["explain", "E501"],
        &["explain", "E0501", "--list"],
        &["explain", "E0501", "--lang", "de"],
        &["check", "--lang", "klingon"],
        &["schema"],
        &["schema", "nothing"],
        &["stock", "acme", "wheel", "coupon"],
        &["stock", "acme", "wheel", "coupon", "--add", "0"],
        &["stock", "acme", "wheel", "coupon", "--add", "-5"],
        &["stock", "acme", "wheel", "coupon", "--add", "4294967296"],
        &["stock", "acme", "wheel", "--add", "1"],
        &["stock", "acme", "wheel", "coupon", "--withdraw", "0"],
        &["stock", "acme", "wheel", "coupon", "--withdraw", "some"],
        &[
            "stock",
            "acme",
            "wheel",
            "coupon",
            "--add",
            "1",
            "--withdraw",
            "1",
        ],
        &["stop", "acme", "wheel", "coupon"],
        &["block", "acme", "ann"],
        &["grant", "acme", "wheel", "ann", "coupon", "--reason", "r"],
        &["amend", "acme", "ann", "0f", "--reason", "r"],
        &[
            "amend", "acme", "ann", "0f", "--hold", "--void", "--reason", "r",
        ],
        &["notice", "acme", "wheel"],
        &["publish"],
        &["publish", "acme"],
        &["publish", "nowhere/wheel.yaml"],
        &["publish", "acme/wheel", "--one-way"],
        &["publish", "acme/wheel", "--share", "5%", "--dry-run"],
        &["release", "acme", "wheel"],
        &["release", "acme", "wheel", "--all", "--back"],
        &["release", "acme", "wheel", "--share"],
        &["rollback", "acme", "wheel"],
        &["rollback", "acme", "wheel", "--to", "0"],
        &["purge", "acme", "wheel"],
        &["codes"],
        &["codes", "put", "acme", "course"],
        &["codes", "accept", "acme", "spring"],
        &["list"],
        &["list", "put", "acme", "vip"],
        &["list", "drop", "acme"],
        &[
            "purge", "acme", "wheel", "--lane", "test", "--force", "--reason", "r",
        ],
        &["preview", "acme"],
        &["preview", "acme", "wheel", "--for", "31d"],
        &["parked", "acme", "--retry"],
        &["parked", "acme", "0f", "--drop"],
        &["parked", "acme", "0f", "--reason", "r"],
        &["parked", "acme", "0f", "--retry", "--drop", "--reason", "r"],
        &["parked", "--token", "t"],
        &["purge", "acme", "wheel", "--edition", "1", "--force"],
        &["reconcile", "acme"],
        &["raffle", "acme"],
        &["rehearse", "acme"],
        &["pause", "acme", "wheel"],
        &["history", "acme", "ann", "--url", "nonsense"],
        &["history", "acme", "ann", "--url", "file:///etc/passwd"],
        &["history", "acme", "ann", "--url", "http://192.0.2.1:1"],
        &["history", "acme", "ann", "--limit", "0"],
        &["verify"],
        &["verify", "acme"],
        &["verify", "--from", "nowhere"],
        &["verify", "acme", "wheel", "--seed-hash", "00"],
        &["restore", "nowhere"],
        &["new"],
        &["new", "tenant"],
        &["new", "tenant", "No Name"],
        &["new", "campaign", "acme"],
        &["new", "campaign", "nowhere/x"],
        &["new", "campaign", "acme/x", "--from", "acme/wheel"],
        &["new", "activity", "quest"],
        &["audit"],
        &["audit", "acme", "--verify", "nowhere"],
        &["audit", "acme", "--head", "00"],
        &["status", "nobody"],
        &["status", "--every", "0"],
        &["completions"],
        &["completions", "cmd"],
        &["man"],
        &["export", "acme", "wheel", "--format", "xlsx"],
        &["package"],
        &["package", "lottery", "--target", "dir"],
        &["package", "lottery", "--target", "moon", "--out", "o"],
        &["package", "nothing", "--target", "dir", "--out", "o"],
        &[
            "package", "lottery", "--all", "--target", "dir", "--out", "o",
        ],
        &[
            "package", "lottery", "--target", "dir", "--out", "o", "--bin", "nowhere",
        ],
        &[
            "package", "lottery", "--target", "dir", "--out", "o", "--bin", "x", "--tenant", "no",
        ],
        &["deploy"],
        &["deploy", "nowhere", "--dry-run"],
        &["deploy", "configs", "--dry-run"],
        &["serve", "--listen", "nonsense"],
        &["serve", "--log", "nonsense"],
        &["serve", "--store", "nonsense"],
        &[
            "serve",
            "--configs",
            "nowhere",
            "--data",
            "d",
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
        ],
    ];
    for args in rows {
        let ran = home.run(args);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (2, ""),
            "{args:?}: {ran:?}"
        );
        assert!(
            !ran.stderr.is_empty() && !ran.stderr.contains("panicked"),
            "{args:?}: {ran:?}"
        );
        let as_json = home.run(&[args, &["--json"][..]].concat());
        assert_eq!(as_json.code, 2, "{args:?}: {as_json:?}");
        // The last line: a log may have begun before.
        let said: serde_json::Value = serde_json::from_str(as_json.stderr.lines().last().unwrap())
            .unwrap_or_else(|error| panic!("{args:?}: {error}: {as_json:?}"));
        assert!(
            said["code"].is_string() && said["message"].is_string(),
            "{args:?}: {said}"
        );
    }
}

#[test]
fn what_is_not_there_cannot_be_reached() {
    let home = Home::new();
    // Nobody listens there: the port was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://{free}");
    let rows: &[&[&str]] = &[
        &["history", "acme", "ann"],
        &["export", "acme", "wheel"],
        &["verify", "acme", "wheel"],
        &["stock", "acme", "wheel", "coupon", "--add", "1"],
        &["pause", "acme", "wheel", "--reason", "r"],
        &["resume", "acme", "wheel"],
        &["stock", "acme", "wheel"],
        &["audit", "acme"],
        &["audit", "acme", "--verify"],
        &["status"],
        &["status", "acme", "--once"],
        &["publish", "acme/wheel"],
        &["release", "acme", "wheel", "--back"],
        &["rollback", "acme", "wheel", "--to", "1"],
        &["reconcile", "acme", "wheel"],
        &["raffle", "acme", "wheel"],
        &["purge", "acme", "wheel", "--edition", "1"],
        &["codes", "list", "acme"],
        &["list", "show", "acme"],
        &["list", "drop", "acme", "vip"],
        &["purge", "acme", "wheel", "--lane", "test"],
        &["preview", "acme", "wheel"],
        &["parked", "acme"],
        &["parked", "acme", "0f", "--retry"],
    ];
    for args in rows {
        let ran = home.run(&[args, &["--url", &url][..]].concat());
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (3, ""),
            "{args:?}: {ran:?}"
        );
        assert!(
            ran.stderr.contains("gala serve"),
            "{args:?} says the way out: {ran:?}"
        );
    }
    let ran = home.run(&["backup", "--to", "copy"]);
    assert_eq!(ran.code, 3, "there is no store yet: {ran:?}");
    assert!(
        !home.at("data").exists() && !home.at("copy").exists(),
        "looking makes nothing"
    );
}

/// Whatever stands on the line: a code that is documented, no panic, and nothing on stdout that is no data.
#[test]
fn garbage_breaks_nothing() {
    let home = Home::new();
    let words = [
        "--",
        "-",
        "",
        "=",
        "--json",
        "--json=1",
        "-h",
        "--claim",
        "k=v",
        "--role",
        "viewer",
        "--service",
        "--ttl",
        "-9",
        "99999999999999999999",
        "acme",
        "wheel",
        "coupon",
        "configs",
        "configs/acme/wheel.yaml",
        "/dev/null",
        "\u{0fff}",
        "--url",
        "http://127.0.0.1:1",
        "--token",
        "a.b.c",
        "--format",
        "csv",
        "--after",
        "--lane",
        "test",
        "--edition",
        "0",
        "--from",
        ".",
        "--to",
        "\n",
        "--key",
        "--add",
        "1",
        "--limit",
        "--until",
        "now",
        "--out",
    ];
    let mut state = 0x9e37_79b9_u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    // A forecast of 100,000 people is no error, and takes an unoptimised build a minute; simulate.rs has its garbage.
    let quick: Vec<&str> = COMMANDS
        .iter()
        .copied()
        // These run until they are told to stop, or for long.
        .filter(|command| {
            ![
                "serve", "dev", "function", "wrap", "simulate", "rehearse", "status",
            ]
            .contains(command)
        })
        .collect();
    for _ in 0..150 {
        let mut args = vec![quick[next(quick.len())]];
        args.extend((0..next(7)).map(|_| words[next(words.len())]));
        let output = gala(home.path()).args(&args).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        let code = output.status.code();
        assert!(
            matches!(code, Some(0..=4)) && !stderr.contains("panicked"),
            "{args:?}: {code:?} {stderr}"
        );
    }
}

#[test]
fn functions_elsewhere_that_make_no_sense() {
    let home = Home::new();
    let said = |args: &[&str], key: &str| {
        let mut serve = gala(home.path());
        serve.env("GALA_GATEWAY_KEY", key).arg("serve").args(args);
        let output = serve.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        stderr
    };
    let key = "0123456789abcdef0123456789abcdef";
    let somewhere = ["--function", "lottery=http://127.0.0.1:1"];
    let store = ["--store", "redis://127.0.0.1:1"];
    for (args, key, why) in [
        (&["--function", "lottery"][..], key, "ACTIVITY=URL"),
        (
            &["--function", "wheel=http://a"],
            key,
            "there are sign-in, gift-pack, lottery, custom",
        ),
        (
            &["--function", "lottery=ftp://a"],
            key,
            "http://, https:// or h2c://",
        ),
        (&somewhere, key, "name a Redis with --store"),
        (
            &[store, somewhere].concat(),
            "short",
            "has 5 bytes and needs 32",
        ),
    ] {
        let stderr = said(args, key);
        assert!(stderr.contains(why), "{args:?}: {stderr}");
        assert!(!stderr.contains("panicked"));
    }
}

#[cfg(unix)]
#[test]
fn arguments_that_are_no_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let home = Home::new();
    let odd = OsStr::from_bytes(b"\xff\xfe");
    for command in ["check", "token", "schema", "history", "--json"] {
        let output = gala(home.path()).arg(command).arg(odd).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{command}: {output:?}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_error_to_speak_of() {
    use std::io::Read as _;
    use std::process::Stdio;
    let home = Home::new();
    let mut child = gala(home.path())
        .arg("openapi")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    child.wait().unwrap();
    assert_eq!(stderr, "");
}
