//! Running the command, and configs to run it on.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value as Json;
use tempfile::TempDir;

/// What came of a run.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is not JSON ({error}): {self:?}"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// The command in a folder, with nothing of the surroundings that could change what it does.
pub fn gala(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gala"));
    for name in [
        "GALA_CONFIGS",
        "GALA_DATA",
        "GALA_STORE",
        "GALA_GATEWAY_KEY",
        "GALA_TOKEN",
        "GALA_ADMIN_URL",
        "NO_COLOR",
        "LC_ALL",
        "LC_MESSAGES",
        "LANG",
        "HTTP_PROXY",
        "http_proxy",
    ] {
        command.env_remove(name);
    }
    command.current_dir(folder);
    command
}

/// A folder with `configs` in it.
pub struct Home(pub TempDir);

impl Home {
    pub fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.write("configs/acme/tenant.yaml", TENANT);
        home.write("configs/acme/wheel.yaml", WHEEL);
        home.write("configs/acme/stories/wheel.yaml", STORIES);
        home
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        gala(self.path()).args(args).output().unwrap().into()
    }
}

const TENANT: &str = "
name: { en: Acme, zh-CN: 艾可 }
timezone: Asia/Shanghai
currency: CNY
languages: [en, zh-CN]
keys: [{ kid: users, alg: HS256, dev: true }]
admin_keys: [{ kid: staff, alg: HS256, dev: true }]
service_keys: [{ kid: backend, alg: HS256, dev: true }]
claims:
  level: { type: int, default: 0 }
  tags: { type: list }
";

/// Titles that a spreadsheet must not run.
const WHEEL: &str = "
activity: lottery
title: { en: Wheel, zh-CN: 转盘 }
opens: 2026-01-01
closes: 2036-01-01
rewards:
  coupon: { title: { en: \"=HYPERLINK(1)\", zh-CN: ＝券 }, kind: coupon, stock: 5, cost: 10.00, odds: 50% }
  nothing: { title: { en: Next time, zh-CN: 谢谢参与 }, odds: rest }
when_gone: { coupon: nothing }
budget: { total: 1000.00, when_spent: nothing }
chances: { first_visit: 10 }
messages:
  no-chances: { en: No chances left, zh-CN: 没有机会了 }
";

const STORIES: &str = "
- story: ten chances, and no more
  steps:
    - { at: 2026-11-22 10:00, event: draw, context: { chances: 9 } }
    - { event: draw, context: { chances: 8 } }
";
