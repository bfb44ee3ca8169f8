//! `gala package` and `gala deploy`, on a program that is always at hand: the command itself.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::path::Path;

use serde_json::Value as Json;

use super::ran::{Home, Ran};

#[cfg(all(target_os = "linux", target_env = "gnu"))]
const GALA: &str = env!("CARGO_BIN_EXE_gala");

/// A program of 64 bits that needs nothing: its head, and one instruction that is never run.
fn static_program() -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    // A program, for x86_64, of this version of ELF; it starts at 0x400078.
    bytes.extend([2, 0, 62, 0, 1, 0, 0, 0]);
    bytes.extend(0x40_0078_u64.to_le_bytes());
    // One program header right behind this one, no sections.
    bytes.extend(64_u64.to_le_bytes());
    bytes.extend(0_u64.to_le_bytes());
    bytes.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 64, 0, 0, 0, 0, 0]);
    // It loads the file as it is.
    bytes.extend([1, 0, 0, 0, 5, 0, 0, 0]);
    for word in [0, 0x40_0000, 0x40_0000, 0x79, 0x79, 0x1000_u64] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.push(0xf4);
    bytes
}

/// A home with real keys, and a static program `lottery`.
fn home() -> Home {
    let home = Home::new();
    let tenant = std::fs::read_to_string(home.at("configs/acme/tenant.yaml")).unwrap();
    let tenant = tenant
        .replace(
            "keys: [{ kid: users, alg: HS256, dev: true }]",
            "keys: [{ kid: users, alg: HS256, env: ACME_USERS_KEY }]",
        )
        .replace(
            "{ kid: staff, alg: HS256, dev: true }",
            "{ kid: staff, alg: EdDSA, file: keys/staff.pem }",
        );
    home.write("configs/acme/tenant.yaml", &tenant);
    home.write(
        "configs/acme/keys/staff.pem",
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n",
    );
    home.write("configs/.keys/acme.users", "a development key");
    std::fs::write(home.at("lottery"), static_program()).unwrap();
    home
}

fn package(home: &Home, target: &str, more: &[&str]) -> Ran {
    let args = [
        "package", "lottery", "--target", target, "--out", "out", "--bin", "lottery",
    ];
    home.run(&[&args, more].concat())
}

fn package_texts(home: &Home, target: &str) -> Ran {
    package(home, target, &["--texts"])
}

/// A zip's files: mode and bytes by name, in the order in which they lie in it.
fn unzipped(path: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let bytes = std::fs::read(path).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (
                file.name().unwrap().into_owned(),
                file.unix_mode().unwrap() & 0o7777,
                bytes,
            )
        })
        .collect()
}

fn names(files: &[(String, u32, Vec<u8>)]) -> Vec<(&str, u32)> {
    files
        .iter()
        .map(|(name, mode, _)| (name.as_str(), *mode))
        .collect()
}

const CONFIGS: [(&str, u32); 4] = [
    ("configs/acme/keys/staff.pem", 0o644),
    ("configs/acme/stories/wheel.yaml", 0o644),
    ("configs/acme/tenant.yaml", 0o644),
    ("configs/acme/wheel.yaml", 0o644),
];

#[test]
fn a_zip_has_the_names_and_modes_that_its_platform_looks_for() {
    for (target, starts) in [
        ("scf-event", vec![("bootstrap", 0o755)]),
        ("lambda", vec![("bootstrap", 0o755)]),
        (
            "scf-web",
            vec![("lottery", 0o755), ("scf_bootstrap", 0o755)],
        ),
    ] {
        let home = home();
        let ran = package_texts(&home, target);
        assert_eq!(ran.code, 0, "{ran:?}");
        let files = unzipped(&home.at("out/lottery/lottery.zip"));
        let mut expected = [&CONFIGS[..], &starts].concat();
        expected.sort_unstable();
        assert_eq!(names(&files), expected, "{target}");
        let program = files.iter().find(|(name, ..)| {
            name == if target == "scf-web" {
                "lottery"
            } else {
                "bootstrap"
            }
        });
        assert_eq!(program.unwrap().2, static_program(), "{target}");
    }
}

#[test]
fn the_script_of_a_web_function() {
    let home = home();
    assert_eq!(package_texts(&home, "scf-web").code, 0);
    let files = unzipped(&home.at("out/lottery/lottery.zip"));
    let script = files.iter().find(|(name, ..)| name == "scf_bootstrap");
    let script = String::from_utf8(script.unwrap().2.clone()).unwrap();
    assert_eq!(
        script,
        "#!/bin/sh\n\
         export GALA_HOST=scf-web GALA_CONFIGS=\"${GALA_CONFIGS:-/var/user/configs}\"\n\
         exec /var/user/lottery\n"
    );
    // What the platform's tool zips itself is the same, and can be run.
    let code = home.at("out/lottery/code");
    assert_eq!(
        std::fs::read_to_string(code.join("scf_bootstrap")).unwrap(),
        script
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for name in ["scf_bootstrap", "lottery"] {
            let mode = std::fs::metadata(code.join(name)).unwrap();
            assert_eq!(mode.permissions().mode() & 0o777, 0o755, "{name}");
        }
        // The script as it is, but for the folder.
        let elsewhere = script.replace("/var/user", code.to_str().unwrap());
        let probe = "#!/bin/sh\necho \"$GALA_HOST $GALA_CONFIGS\"\n";
        std::fs::write(code.join("lottery"), probe).unwrap();
        let ran = std::process::Command::new("/bin/sh")
            .args(["-c", &elsewhere])
            .env_remove("GALA_CONFIGS")
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(ran.stdout).unwrap(),
            format!("scf-web {}/configs\n", code.display())
        );
    }
}

/// The bytes of every file below a folder.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, prefix: &str, tree: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                walk(&entry.path(), &format!("{name}/"), tree);
            } else {
                tree.insert(name, std::fs::read(entry.path()).unwrap());
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(folder, "", &mut all);
    all
}

#[test]
fn the_same_is_packed_the_same() {
    for target in ["scf-event", "lambda", "knative", "dir"] {
        let home = home();
        assert_eq!(package_texts(&home, target).code, 0);
        let first = tree(&home.at("out"));
        // Over the first one: an earlier package is replaced.
        assert_eq!(package_texts(&home, target).code, 0);
        let again = tree(&home.at("out"));
        assert_eq!(
            first.keys().collect::<Vec<_>>(),
            again.keys().collect::<Vec<_>>()
        );
        for (name, bytes) in &first {
            assert!(*bytes == again[name], "{target}: {name} differs");
        }
    }
}

#[test]
fn files_for_each_platforms_own_tool() {
    for (target, expected) in [
        (
            "scf-event",
            &["serverless.yml", "lottery.zip", "code/bootstrap"][..],
        ),
        ("lambda", &["template.yaml", "lottery.zip"]),
        (
            "knative",
            &[
                "Dockerfile",
                "service.yaml",
                "lottery",
                "configs/acme/tenant.yaml",
            ],
        ),
        ("dir", &["README.md", "lottery", "configs/acme/tenant.yaml"]),
    ] {
        let home = home();
        let ran = package_texts(&home, target);
        let tree = tree(&home.at("out/lottery"));
        for name in expected {
            assert!(tree.contains_key(*name), "{target}: {name}: {ran:?}");
        }
        assert!(tree.contains_key("plan.json"), "{target}");
        for (name, bytes) in &tree {
            let text = String::from_utf8_lossy(bytes);
            assert!(!name.contains(".keys"), "{target}: {name}");
            assert!(!text.contains("a development key"), "{target}: {name}");
            assert!(
                !text.contains("\r\n") || name == "lottery.zip",
                "{target}: {name}"
            );
        }
    }
}

/// The command is built for this machine, whose glibc is newer than the one of 2012.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn what_needs_a_newer_system_is_refused_by_the_symbols_name() {
    let home = home();
    let run = |target: &str| {
        home.run(&[
            "package", "lottery", "--target", target, "--out", "out", "--bin", GALA,
        ])
    };
    let ran = run("scf-event");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    for part in ["GLIBC_2.", " (", "2.17", "--build zig"] {
        assert!(ran.stderr.contains(part), "{part}: {ran:?}");
    }
    assert!(!home.at("out").exists(), "nothing is written");
    let ran = run("dir");
    assert_eq!(ran.code, 0, "it runs here: {ran:?}");
    assert!(ran.stdout.contains("needs glibc 2."), "{ran:?}");
}

#[test]
fn what_is_too_large_or_no_program_is_refused() {
    let home = home();
    let large = std::fs::File::options()
        .write(true)
        .open(home.at("lottery"))
        .unwrap();
    // Holes in a file cost nothing.
    large.set_len(250_000_001).unwrap();
    let ran = package(&home, "lambda", &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stderr.contains("too-large") && ran.stderr.contains("250000000"),
        "{ran:?}"
    );
    std::fs::write(home.at("lottery"), "#!/bin/sh\n").unwrap();
    let ran = package(&home, "dir", &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("no ELF program"), "{ran:?}");
    assert!(!home.at("out").exists(), "nothing is written");
}

#[test]
fn secrets_are_refused() {
    let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n";
    let users = "{ kid: users, alg: HS256, env: ACME_USERS_KEY }";
    let rows: [(&str, &str, &str); 4] = [
        // A shared secret in a file.
        (
            "{ kid: users, alg: HS256, file: keys/users }",
            "",
            "env: NAME",
        ),
        // The wrong half of a pair.
        (
            "{ kid: users, alg: EdDSA, file: keys/users.pem }",
            key,
            "private key",
        ),
        // Outside of the tenant's folder, or hidden.
        (
            "{ kid: users, alg: EdDSA, file: .keys/users.pem }",
            "",
            "hidden",
        ),
        // A platform that has taken the name.
        ("{ kid: users, alg: HS256, env: SCF_USERS }", "", "SCF_"),
    ];
    for (written, pem, said) in rows {
        let home = home();
        let tenant = std::fs::read_to_string(home.at("configs/acme/tenant.yaml")).unwrap();
        home.write("configs/acme/tenant.yaml", &tenant.replace(users, written));
        home.write("configs/acme/keys/users.pem", pem);
        let ran = package_texts(&home, "scf-web");
        assert_eq!(ran.code, 1, "{written}: {ran:?}");
        assert!(ran.stderr.contains(said), "{written}: {ran:?}");
        let compiled = package(&home, "scf-web", &[]);
        assert_eq!(compiled.code, 1, "{written}: {compiled:?}");
        assert!(!home.at("out").exists(), "{written}: nothing is written");
    }
    // A private key where nobody looks for one.
    let home = home();
    home.write("configs/acme/rules/notes.md", key);
    let ran = package_texts(&home, "dir");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("rules/notes.md"), "{ran:?}");
}

#[test]
fn a_plan_says_what_is_left_to_do() {
    let home = home();
    let ran = package(&home, "scf-event", &["--json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let told = ran.json();
    let plan = &told["functions"][0]["plan"];
    assert_eq!(plan["function"], "lottery");
    assert_eq!(plan["target"], "scf-event");
    assert_eq!(plan["arch"], "x86_64");
    assert_eq!(plan["glibc"], Json::Null);
    assert_eq!(plan["program"]["bytes"], static_program().len());
    assert_eq!(plan["limits"]["unpacked_bytes"], 500_000_000);
    assert_eq!(plan["commands"][0], "scf deploy");
    let variables = plan["variables"].as_array().unwrap();
    let to_set: Vec<&str> = variables
        .iter()
        .filter(|variable| variable["value"].is_null())
        .map(|variable| variable["name"].as_str().unwrap())
        .collect();
    assert_eq!(to_set, ["GALA_STORE", "ACME_USERS_KEY"]);
    // The back end's key is still one of a developer.
    let warnings = plan["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let deploy = home.run(&["deploy", "out", "--dry-run", "--json"]);
    assert_eq!(deploy.code, 0, "{deploy:?}");
    assert_eq!(deploy.json(), told);
    let zip = std::fs::metadata(home.at("out/lottery/lottery.zip")).unwrap();
    assert_eq!(plan["package"]["bytes"], zip.len());
    let text = home.run(&["deploy", "out/lottery", "--dry-run"]).stdout;
    for part in [
        "lottery for a Tencent SCF event function: out/lottery\n",
        "of 500,000,000\n",
        "GALA_HOST=scf-event",
        "ACME_USERS_KEY: set it there, key `users` of tenant `acme`",
        "then      scf deploy",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn deploying_is_the_platforms_tools_business() {
    let home = home();
    let ran = home.run(&["deploy", "configs"]);
    assert_eq!(ran.code, 2, "there is no package: {ran:?}");
    assert_eq!(package(&home, "lambda", &[]).code, 0);
    let ran = home.run(&["deploy", "out"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    assert!(
        ran.stderr.contains("deploys by the platform's own tool")
            && ran.stderr.contains("sam deploy"),
        "{ran:?}"
    );
    // What a tool keeps beside the package is its own.
    home.write("out/lottery/samconfig.toml", "");
    assert_eq!(home.run(&["deploy", "out", "--dry-run"]).code, 0);
    // Whatever was done to it since: it is not what was checked.
    home.write("out/lottery/template.yaml", "Resources: {}\n");
    let ran = home.run(&["deploy", "out", "--dry-run"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("template.yaml"), "{ran:?}");
    // A start in the folder made a key there, and the platform's tool would take it along.
    assert_eq!(package_texts(&home, "scf-web").code, 0);
    home.write("out/lottery/code/configs/.keys/acme.users", "a secret");
    let ran = home.run(&["deploy", "out", "--dry-run"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("acme.users"), "{ran:?}");
}

#[test]
fn all_of_them_or_one_for_all() {
    let home = home();
    std::fs::create_dir(home.at("built")).unwrap();
    for name in ["sign-in", "gift-pack", "lottery", "custom", "together"] {
        std::fs::copy(home.at("lottery"), home.at(&format!("built/{name}"))).unwrap();
    }
    let run = |which: &str| {
        home.run(&[
            "package", which, "--target", "knative", "--out", "out", "--bin", "built", "--json",
        ])
    };
    let functions = |ran: &Ran| -> Vec<String> {
        let told = ran.json();
        let functions = told["functions"].as_array().unwrap().iter();
        functions
            .map(|one| one["plan"]["function"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        functions(&run("--all")),
        ["sign-in", "gift-pack", "lottery", "custom"]
    );
    assert_eq!(functions(&run("--together")), ["together"]);
    let deploy = home.run(&["deploy", "out", "--dry-run", "--json"]);
    assert_eq!(functions(&deploy).len(), 5);
    // One file can't be four programs.
    let ran = home.run(&[
        "package", "--all", "--target", "dir", "--out", "o", "--bin", "lottery",
    ]);
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[test]
fn nothing_is_written_over() {
    let home = home();
    home.write("out/lottery/mine.txt", "mine");
    let ran = package(&home, "dir", &[]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(home.at("out/lottery/mine.txt").exists());
    // Outside of a checkout nothing is built, and the way out is named.
    let ran = home.run(&["package", "lottery", "--target", "dir", "--out", "o"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("--bin"), "{ran:?}");
}

#[test]
fn configs_are_compiled_unless_texts_are_asked_for() {
    let home = home();
    home.write(
        "configs/acme/checkin.yaml",
        "activity: sign-in\ntitle: { en: Days, zh-CN: 天 }\nopens: 2026-01-01\ncloses: 2036-01-01\n\
         rewards: { points: { title: { en: P, zh-CN: 分 }, kind: points, amount: 1 } }\n\
         give: { each_day: points }\n",
    );
    let ran = package(&home, "lambda", &["--behind-gateway", "--events-over-http"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let files = unzipped(&home.at("out/lottery/lottery.zip"));
    assert_eq!(
        names(&files),
        [("bootstrap", 0o755), ("gala.bundle", 0o644)]
    );
    let bundle = String::from_utf8_lossy(&files[1].2).into_owned();
    assert!(bundle.starts_with("gala-bundle 1 "), "{bundle}");
    // Its own campaigns, and nobody's secret.
    assert!(bundle.contains("wheel") && !bundle.contains("checkin"));
    assert!(bundle.contains("ACME_USERS_KEY") && !bundle.contains("a development key"));
    assert!(
        ran.stdout.contains("GALA_BUNDLE=/var/task/gala.bundle"),
        "{ran:?}"
    );
    assert!(
        ran.stdout.contains("GALA_GATEWAY_KEY: set it there")
            && ran.stdout.contains("GALA_EVENT_KEY: set it there"),
        "{ran:?}"
    );
    let template = std::fs::read_to_string(home.at("out/lottery/template.yaml")).unwrap();
    assert!(!template.contains("GALA_CONFIGS"), "{template}");
    assert!(
        template.contains("GALA_GATEWAY_KEY: !Ref GalaGatewayKey\n"),
        "{template}"
    );
    // The same again.
    let first = std::fs::read(home.at("out/lottery/lottery.zip")).unwrap();
    assert_eq!(package(&home, "lambda", &[]).code, 0);
    assert!(first == std::fs::read(home.at("out/lottery/lottery.zip")).unwrap());
}
