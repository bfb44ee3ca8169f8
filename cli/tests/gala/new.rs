//! `gala new`: what it makes runs as it is, and nothing is written over.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use campaign::{Activity, Example, Use};

use super::ran::{Home, Ran, gala};

/// All files of the configs, by their path.
fn files(home: &Home) -> BTreeMap<String, String> {
    let all = function::registry::read(&home.at("configs")).unwrap();
    all.into_iter()
        .map(|(path, text)| (path, text.to_string()))
        .collect()
}

/// Checked without a warning, and its stories played.
fn runs(home: &Home, path: &str) {
    let check = home.run(&["check", path]);
    assert_eq!(check.code, 0, "{path}: {check:?}");
    // That a sentence is English where a language has no words of ours is worth a warning: it is to be translated, as all of it.
    let warned = check
        .stdout
        .lines()
        .filter(|line| line.contains("warning["));
    let others: Vec<&str> = warned.filter(|line| !line.contains("[W1201]")).collect();
    assert!(others.is_empty(), "{path}: {check:?}");
    let test = home.run(&["test", path]);
    assert!(
        test.code == 0 && test.stdout.contains("ok   "),
        "{path}: {test:?}"
    );
}

#[test]
fn a_tenant_and_campaigns_of_every_kind_run_as_they_are() {
    let home = Home::new();
    let made = home.run(&["new", "tenant", "lotus"]);
    assert_eq!(made.code, 0, "{made:?}");
    assert!(
        made.stdout.starts_with("configs/lotus/tenant.yaml\n")
            && made.stderr.contains("gala serve --configs configs"),
        "{made:?}"
    );
    runs(&home, "configs/lotus");
    for activity in ["sign-in", "gift-pack", "lottery", "custom"] {
        let made = home.run(&[
            "new",
            "campaign",
            &format!("lotus/my-{activity}"),
            "--activity",
            activity,
        ]);
        assert_eq!(made.code, 0, "{activity}: {made:?}");
        runs(&home, &format!("configs/lotus/my-{activity}.yaml"));
        for rules in ["en", "zh-CN"] {
            let rules = format!("configs/lotus/rules/my-{activity}.{rules}.md");
            assert!(made.stdout.contains(&rules), "{made:?}");
        }
    }
    // What Chinese law wants the rules to say, they say.
    let tenant = std::fs::read_to_string(home.at("configs/lotus/tenant.yaml")).unwrap();
    let tenant = tenant.replace("# law: CN", "law: CN");
    home.write("configs/lotus/tenant.yaml", &tenant);
    runs(&home, "configs/lotus");
    let made = home.run(&["new", "campaign", "lotus/lawful", "--activity", "lottery"]);
    assert_eq!(made.code, 0, "{made:?}");
    // A language that there are no words in, and a currency without decimals.
    let other = [
        "--language",
        "de",
        "--currency",
        "JPY",
        "--timezone",
        "America/Santiago",
    ];
    let made = home.run(&[&["new", "tenant", "kranich"][..], &other].concat());
    assert_eq!(made.code, 0, "{made:?}");
    runs(&home, "configs/kranich");
}

#[test]
fn nothing_is_written_over_and_what_makes_no_sense_writes_nothing() {
    let home = Home::new();
    assert_eq!(home.run(&["new", "campaign", "acme/pack"]).code, 0);
    let before = files(&home);
    let rows: &[(&[&str], i32, &str)] = &[
        (&["tenant", "acme"], 1, "there is a tenant `acme` already"),
        (&["tenant", "Acme"], 2, "can't be a tenant's id"),
        (&["tenant", "../x"], 2, "can't be a tenant's id"),
        (
            &["tenant", "x", "--currency", "CNYY"],
            1,
            "nothing was written",
        ),
        (&["campaign", "acme/pack"], 1, "not written over"),
        (&["campaign", "acme/wheel"], 1, "not written over"),
        (&["campaign", "acme/tenant"], 2, "can't be a campaign's id"),
        (&["campaign", "acme/../x"], 2, "write TENANT/CAMPAIGN"),
        (&["campaign", "nobody/x"], 2, "`gala new tenant nobody`"),
        (&["campaign", "acme"], 2, "write TENANT/CAMPAIGN"),
        (
            &["campaign", "acme/x", "--activity", "lotery"],
            2,
            "did you mean `lottery`?",
        ),
        (
            &["campaign", "acme/x", "--from", "acme/wheel"],
            2,
            "--shift",
        ),
        (
            &["campaign", "acme/x", "--from", "acme/wheel", "--shift", "1"],
            2,
            "no shift such as 1y",
        ),
        (
            &["campaign", "acme/x", "--from", "acme/whel", "--shift", "1y"],
            2,
            "did you mean `wheel`?",
        ),
        (
            &[
                "campaign",
                "acme/pack",
                "--from",
                "acme/wheel",
                "--shift",
                "1y",
            ],
            1,
            "not written over",
        ),
        // It is open until 2036.
        (
            &[
                "campaign",
                "acme/wheel",
                "--from",
                "acme/wheel",
                "--shift",
                "1y",
            ],
            1,
            "is not over before 2036",
        ),
        (&["activity", "quest"], 2, "no checkout of this project"),
    ];
    for (args, code, why) in rows {
        let ran = home.run(&[&["new"], *args].concat());
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (*code, ""),
            "{args:?}: {ran:?}"
        );
        assert!(ran.stderr.contains(why), "{args:?}: {ran:?}");
        assert_eq!(files(&home), before, "{args:?}");
    }
}

/// Of last year, over, and with everything in it that may be stale.
const SPRING: &str = "\
activity: lottery               # the wheel
title: { en: Spring 2025, zh-CN: 新春 }
rules: rules/spring.{lang}.md
opens: 2025-02-01 10:00         # before the holidays
closes: '2025-03-01 10:00'
rewards:
  coupon: { title: { en: Coupon, zh-CN: 券 }, kind: coupon, stock: 5, cost: 10.00, odds: 50% }
  nothing: { title: { en: Next time, zh-CN: 谢谢参与 }, odds: rest }
when_gone: { coupon: nothing }
budget: { total: 1000.00, when_spent: nothing }
chances: { first_visit: 10 }
";

const SPRING_STORIES: &str = "\
- story: a coupon, by luck
  steps:
    - { at: 2025-02-01 10:00, event: draw, outcome: won }   # one in two

- story: and another two
  steps:
    - { at: 2025-02-02 10:00, event: draw, outcome: won }
    - { event: draw, outcome: won }
    - { event: draw, outcome: missed }
";

#[test]
fn last_years_campaign_again() {
    let home = Home::new();
    home.write("configs/acme/spring.yaml", SPRING);
    home.write("configs/acme/stories/spring.yaml", SPRING_STORIES);
    home.write(
        "configs/acme/rules/spring.en.md",
        "From 1 February 2025 to 28 February 2025.\n",
    );
    home.write("configs/acme/rules/spring.zh-CN.md", "2025年2月1日起。\n");
    let asked = [
        "new",
        "campaign",
        "acme/spring",
        "--from",
        "acme/spring",
        "--shift",
        "2y",
    ];
    let made = home.run(&[&asked[..], &["--json"]].concat());
    assert_eq!(made.code, 0, "{made:?}");
    let said = made.json();
    let of = |code: &str| {
        let found = said["diagnostics"].as_array().unwrap().iter();
        found
            .filter(|each| each["code"] == code)
            .map(|each| {
                let file = each["file"].as_str().unwrap();
                format!("{file}:{}:{}", each["line"], each["column"])
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(of("W1101"), ["configs/acme/spring.yaml:3:21"], "{said}");
    assert_eq!(of("W1103"), ["configs/acme/spring.yaml:8:67"], "{said}");
    assert_eq!(of("N1101").len(), 2, "{said}");
    assert_eq!(of("E0905").len(), 0, "{said}");
    let now = files(&home);
    assert_eq!(
        now["acme/spring.yaml"],
        SPRING
            .replace("# the wheel\n", "# the wheel\nedition: 2\n")
            .replace("2025-02-01", "2027-02-01")
            .replace("2025-03-01", "2027-03-01")
    );
    assert_eq!(
        now["acme/rules/spring.en.md"],
        "From 1 February 2027 to 28 February 2027.\n"
    );
    assert_eq!(now["acme/rules/spring.zh-CN.md"], "2027年2月1日起。\n");
    let test = home.run(&["test", "configs/acme/spring.yaml"]);
    assert_eq!(test.code, 0, "stories have the luck they need: {test:?}");
    assert!(now["acme/stories/spring.yaml"].contains("# one in two"));
    // A third edition is no new one before that one is over.
    let again = home.run(&asked);
    assert!(
        again.code == 1
            && again
                .stderr
                .contains("edition 2 of acme/spring is not over"),
        "{again:?}"
    );
    assert_eq!(files(&home), now);
    // Under another name it is a campaign of its own.
    let other = home.run(&[
        "new",
        "campaign",
        "acme/summer",
        "--from",
        "acme/spring",
        "--shift",
        "26w",
    ]);
    assert_eq!(other.code, 0, "{other:?}");
    let text = &files(&home)["acme/summer.yaml"];
    assert!(
        text.contains("edition: 1\n")
            && text.contains("rules: rules/summer.{lang}.md\nopens: 2027-08-02 10:00"),
        "{text}"
    );
}

/// A copy of the project without what was built.
fn checkout(to: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let skipped = ["target", "node_modules", "data", "configs", "docs", "fuzz"];
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || skipped.contains(&name.as_str()) {
                continue;
            }
            let path = entry.path();
            let kept = ["toml", "lock", "rs"]
                .iter()
                .any(|kind| path.extension().is_some_and(|has| has == *kind));
            if path.is_dir() {
                open.push(path);
            } else if kept {
                let target = to.join(path.strip_prefix(root).unwrap());
                std::fs::create_dir_all(target.parent().unwrap()).unwrap();
                std::fs::copy(&path, target).unwrap();
            }
        }
    }
}

/// What was written, as the crate would bring it.
struct Written {
    machine: &'static str,
    stories: &'static [Example],
}

impl Written {
    fn read(root: &Path) -> Self {
        let text = |name: &str| -> &'static str {
            let path = root.join("activities/team-quest/src").join(name);
            std::fs::read_to_string(path).unwrap().leak()
        };
        let example = Example {
            name: "first",
            campaign: text("stories/first.yaml"),
            stories: text("stories/first.stories.yaml"),
        };
        Self {
            machine: text("machine.yaml"),
            stories: vec![example].leak(),
        }
    }
}

impl Activity for Written {
    fn id(&self) -> &'static str {
        "team-quest"
    }

    fn machine(&self) -> Option<&'static str> {
        Some(self.machine)
    }

    fn sections(&self) -> &'static [(&'static str, Use)] {
        &[("rewards", Use::Required), ("pack", Use::Optional)]
    }

    fn stories(&self) -> &'static [Example] {
        self.stories
    }
}

/// The crate is one that cargo knows, in the one list of activities, and its stories hold. Building it takes too long here: see
/// docs/TESTING.md.
#[test]
fn an_activity_in_a_checkout() {
    let folder = tempfile::tempdir().unwrap();
    checkout(folder.path());
    let run = |args: &[&str]| -> Ran {
        let deep = folder.path().join("together/src");
        gala(&deep).args(args).output().unwrap().into()
    };
    let made = run(&["new", "activity", "team-quest"]);
    assert_eq!(made.code, 0, "{made:?}");
    assert!(
        made.stdout
            .contains("activities/team-quest/src/machine.yaml")
    );
    let again = run(&["new", "activity", "team-quest"]);
    assert!(
        again.code == 1 && again.stderr.contains("already"),
        "{again:?}"
    );
    for name in ["lottery", "serde", "cli", "match", "Quest", "1st"] {
        assert_ne!(run(&["new", "activity", name]).code, 0, "{name}");
    }

    let report = campaign::story::examples(&Written::read(folder.path())).unwrap();
    assert_eq!((report.played, report.failures.lines().as_str()), (2, ""));

    let list = std::fs::read_to_string(folder.path().join("together/src/lib.rs")).unwrap();
    assert!(
        list.contains("[&'static dyn Activity; 5]")
            && list.contains("    &team_quest::TeamQuest,\n];"),
        "{list}"
    );
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(
        metadata.status.success(),
        "{}",
        String::from_utf8_lossy(&metadata.stderr)
    );
    let known: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let package = known["packages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|package| package["name"] == "team-quest")
        .expect("cargo knows it");
    let targets = package["targets"].as_array().unwrap();
    let kinds: Vec<_> = targets.iter().map(|target| &target["kind"][0]).collect();
    assert_eq!(kinds, ["lib", "bin", "test"], "{package}");
    let together = known["packages"].as_array().unwrap();
    let together = together
        .iter()
        .find(|package| package["name"] == "together");
    assert!(
        together.unwrap()["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .any(|dependency| dependency["name"] == "team-quest")
    );
}
