//! Commands that need no server: check, test, schema, token, doctor, openapi.

use super::ran::{Home, gala};

const BAD: &str = "
activity: lottery
title: { en: Wheel, zh-CN: 转盘 }
opens: 2026-12-01
closes: 2026-01-01
rewards:
  coupon: { title: { en: Coupon, zh-CN: 券 }, kind: coupon, odds: 150% }
chancse: { first_visit: 3 }
";

#[test]
fn sound_configs_pass() {
    let home = Home::new();
    for path in [
        "configs",
        "configs/acme",
        "configs/acme/wheel.yaml",
        "configs/acme/tenant.yaml",
        "./configs/acme/",
    ] {
        let ran = home.run(&["check", path]);
        assert_eq!(ran.code, 0, "{path}: {ran:?}");
        assert!(!ran.stdout.contains("error["), "{path}: {ran:?}");
        let as_json = home.run(&["--json", "check", path]);
        assert_eq!((as_json.code, as_json.stderr.as_str()), (0, ""), "{path}");
        assert!(as_json.json().is_array(), "{path}");
    }
    assert_eq!(
        home.run(&["check"]).code,
        0,
        "`configs` is where configs are"
    );
}

#[test]
fn a_bad_file_is_told_with_all_its_places() {
    let home = Home::new();
    home.write("configs/acme/bad.yaml", BAD);
    let ran = home.run(&["check", "configs/acme/bad.yaml"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let errors: Vec<&str> = ran
        .stdout
        .lines()
        .filter(|line| line.contains(": error[E"))
        .collect();
    assert!(errors.len() >= 3, "{ran:?}");
    for error in &errors {
        let mut parts = error.splitn(4, ':');
        assert!(
            parts.next().unwrap().ends_with("configs/acme/bad.yaml"),
            "{error}"
        );
        assert!(
            parts.next().unwrap().parse::<u32>().is_ok()
                && parts.next().unwrap().parse::<u32>().is_ok(),
            "{error}"
        );
    }
    assert!(ran.stdout.contains("chances"), "did you mean: {ran:?}");
    let as_json = home.run(&["check", "configs/acme/bad.yaml", "--json"]);
    assert_eq!(
        (as_json.code, as_json.stderr.as_str()),
        (1, ""),
        "{as_json:?}"
    );
    for found in as_json.json().as_array().unwrap() {
        for field in ["code", "severity", "file", "line", "column", "message"] {
            assert!(!found[field].is_null(), "{field}: {found}");
        }
        assert!(found.as_object().unwrap().contains_key("help"), "{found}");
    }
    // The folder is as bad as its worst file; the other file is as good as it was.
    assert_eq!(home.run(&["check", "configs"]).code, 1);
    assert_eq!(home.run(&["check", "configs/acme/wheel.yaml"]).code, 0);
}

#[test]
fn stories_are_played() {
    let home = Home::new();
    for path in [
        "configs",
        "configs/acme",
        "configs/acme/wheel.yaml",
        "configs/acme/stories/wheel.yaml",
    ] {
        let ran = home.run(&["test", path]);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (0, "ok   acme/wheel: 1 of 1 stories\n"),
            "{path}: {ran:?}"
        );
    }
    home.write(
        "configs/acme/stories/wheel.yaml",
        "- story: eleven chances\n  steps:\n    - { at: 2026-11-22 10:00, event: draw, context: { chances: 10 } }\n",
    );
    let red = home.run(&["test", "configs"]);
    assert_eq!(red.code, 1, "{red:?}");
    assert!(red.stdout.contains("FAIL acme/wheel: 0 of 1"), "{red:?}");
    let as_json = home.run(&["test", "--json"]);
    assert_eq!(
        (as_json.code, as_json.json()["failed"].as_u64()),
        (1, Some(1)),
        "{as_json:?}"
    );
    assert_eq!(
        as_json.json()["campaigns"][0]["failed"][0],
        "eleven chances"
    );
}

#[test]
fn the_token_and_nothing_else() {
    let home = Home::new();
    let ran = home.run(&[
        "token",
        "acme",
        "ann",
        "--claim",
        "level=5",
        "--claim",
        "tags=vip,staff",
    ]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let token = ran.stdout.strip_suffix('\n').unwrap();
    assert!(
        token.split('.').count() == 3 && !token.contains(char::is_whitespace),
        "{token}"
    );
    let claims = claims(token);
    assert_eq!(
        (
            claims["sub"].as_str(),
            claims["aud"].as_str(),
            claims["level"].as_i64()
        ),
        (Some("ann"), Some("acme"), Some(5))
    );
    assert_eq!(claims["tags"], serde_json::json!(["vip", "staff"]));
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        3600
    );

    let warned = home.run(&["token", "acme", "ann", "--claim", "lvl=5"]);
    assert_eq!(warned.code, 0);
    assert!(
        warned.stderr.contains("`lvl`") && warned.stdout.lines().count() == 1,
        "{warned:?}"
    );

    let staff = home.run(&["token", "acme", "root", "--role", "finance", "--ttl", "60"]);
    let claims_of_staff = self::claims(staff.stdout.trim());
    assert_eq!(
        (
            claims_of_staff["aud"].as_str(),
            claims_of_staff["role"].as_str()
        ),
        (Some("acme/admin"), Some("finance"))
    );
    let service = home.run(&["token", "acme", "shop", "--service"]);
    let claims_of_service = self::claims(service.stdout.trim());
    assert_eq!(
        (
            claims_of_service["aud"].as_str(),
            claims_of_service["scope"].as_str()
        ),
        (Some("acme/service"), Some("events:write"))
    );
    let as_json = home.run(&["token", "acme", "ann", "--json"]);
    assert_eq!(
        as_json.json()["token"].as_str().unwrap().split('.').count(),
        3
    );
}

#[test]
fn a_key_that_is_elsewhere_signs_nothing() {
    let home = Home::new();
    let tenant = std::fs::read_to_string(home.at("configs/acme/tenant.yaml")).unwrap();
    home.write(
        "configs/acme/tenant.yaml",
        &tenant.replace(
            "keys: [{ kid: users, alg: HS256, dev: true }]",
            "keys: [{ kid: users, alg: HS256, env: GALA_TEST_NO_SUCH_KEY }]",
        ),
    );
    let ran = home.run(&["token", "acme", "ann"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    assert!(ran.stderr.contains("GALA_TEST_NO_SUCH_KEY"), "{ran:?}");
}

#[test]
fn schemas_are_json() {
    let home = Home::new();
    for activity in [
        "sign-in",
        "gift-pack",
        "lottery",
        "custom",
        "tenant",
        "diagnostics",
    ] {
        let ran = home.run(&["schema", activity]);
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (0, ""),
            "{activity}: {ran:?}"
        );
        assert!(ran.json()["$schema"].is_string(), "{activity}");
    }
}

#[test]
fn the_api_is_described() {
    let described = Home::new().run(&["openapi"]);
    assert_eq!(
        described.json()["openapi"].as_str().unwrap().get(..3),
        Some("3.1")
    );
}

#[test]
fn the_doctor_looks_and_touches_nothing() {
    let home = Home::new();
    let ports = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    let ran = home.run(&[&["doctor", "--json"][..], &ports].concat());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let findings = ran.json();
    let names: Vec<&str> = findings
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["check"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "version",
            "clock",
            "data-folder",
            "users-port",
            "staff-port",
            "store",
            "configs"
        ]
    );
    assert!(!home.at("data").exists());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = home.run(&[
        "doctor",
        "--listen",
        &address,
        "--admin-listen",
        "127.0.0.1:0",
    ]);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("WRONG users-port"), "{ran:?}");
    home.write("configs/acme/bad.yaml", BAD);
    let ran = home.run(&[&["doctor"][..], &ports].concat());
    assert!(
        ran.code == 1 && ran.stdout.contains("WRONG configs"),
        "{ran:?}"
    );
}

/// What a token says, unchecked.
fn claims(token: &str) -> serde_json::Value {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(token.split('.').nth(1).unwrap())
        .unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn a_code_is_explained() {
    let home = Home::new();
    let english = home.run(&["explain", "e0501"]);
    assert_eq!((english.code, english.stderr.as_str()), (0, ""));
    for part in [
        "E0501: ",
        "Why it matters: ",
        "The way out: ",
        "Wrong, in a campaign:",
        "Right, ",
    ] {
        assert!(english.stdout.contains(part), "{part}: {}", english.stdout);
    }
    let chinese = home.run(&["explain", "E0501", "--lang", "zh-CN"]);
    assert!(
        chinese.stdout.starts_with("E0501: 概率"),
        "{}",
        chinese.stdout
    );
    let data = home.run(&["explain", "E0501", "--json"]).json();
    assert_eq!(data["severity"], "error");
    assert_eq!(data["lang"], "en");
    assert!(data["wrong"]["text"].as_str().unwrap().contains("odds:"));
    let list = home.run(&["explain", "--list"]);
    assert!(list.stdout.lines().count() > 100);
    let unknown = home.run(&["explain", "E501"]);
    assert_eq!(unknown.code, 2);
    assert!(
        unknown.stderr.contains("did you mean `E0501`?"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn a_check_speaks_chinese_to_people_and_english_to_programs() {
    let home = Home::new();
    home.write(
        "configs/acme/slip.yaml",
        "activity: gift-pack\ntitle: { zh-CN: 测, en: T }\nopens: 2026-12-01 10:00\ncloses: 2026-12-15 22:00\nrewards:\n  a: { title: { zh-CN: 甲, en: A }, kind: coupon }\npack: [b]\n",
    );
    let path = "configs/acme/slip.yaml";
    let chinese = home.run(&["check", path, "--lang", "zh-CN"]);
    assert_eq!(chinese.code, 1);
    assert!(
        chinese
            .stdout
            .contains("slip.yaml:7:8: 错误[E0201]: 没有奖品 `b`\n  办法: "),
        "{}",
        chinese.stdout
    );
    assert!(chinese.stderr.contains("1 个错误"), "{}", chinese.stderr);
    let by_locale = gala(home.path())
        .env("LANG", "zh_CN.UTF-8")
        .args(["check", path])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&by_locale.stdout), chinese.stdout);
    let data = gala(home.path())
        .env("LANG", "zh_CN.UTF-8")
        .args(["check", path, "--json"])
        .output()
        .unwrap();
    let data = String::from_utf8_lossy(&data.stdout).into_owned();
    assert!(data.contains("there is no reward `b`"), "{data}");
    let asked = home.run(&["check", path, "--json", "--lang", "zh"]).json();
    assert_eq!(asked[0]["message"], "没有奖品 `b`");
    assert_eq!(asked[0]["severity"], "error");
}
