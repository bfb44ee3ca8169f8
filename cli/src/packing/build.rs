//! Building a function's program: with cargo, inside a checkout of this workspace. A program that was built elsewhere needs none
//! of this (`--bin`).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::ValueEnum;
use serde_json::Value as Json;

use super::targets::Target;
use crate::failure::Failure;

/// How to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum How {
    /// As the platform asks: an old glibc for SCF and, where it can be had, Lambda; else static
    Auto,
    /// Against glibc 2.17, with cargo-zigbuild
    Zig,
    /// Static, with the musl target
    Musl,
    /// Static, with this machine's glibc: needs none where it runs, and starts fastest
    Static,
    /// Plain cargo: runs on systems with this machine's glibc or a newer one
    Plain,
}

/// What this machine can build with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tools {
    /// cargo-zigbuild, and a zig that it finds.
    pub zig: bool,
    /// Rust's library for musl.
    pub musl: bool,
}

/// What to build.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    /// The package and the program in it, of one name.
    pub name: &'a str,
    /// Cargo's profile.
    pub profile: &'a str,
    /// Whether it reads texts; else it takes a bundle, and is built without the parsers.
    pub parses: bool,
}

/// How to get what is missing.
const MISSING: &str = "an SCF function runs on glibc 2.17, older than what this machine links against. Install both \
    `cargo install cargo-zigbuild` and `pip install ziglang`; or `rustup target add x86_64-unknown-linux-musl` with a C \
    compiler for musl; or take --build static, where names are found without the system's own modules; or pack a program that was \
    built elsewhere with --bin PATH";

/// The root of the workspace around a folder.
pub fn workspace(from: &Path) -> Option<PathBuf> {
    let is_root = |folder: &&Path| {
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml"));
        manifest.is_ok_and(|text| text.contains("[workspace]"))
            && folder.join("activities").is_dir()
    };
    from.ancestors().find(is_root).map(Path::to_owned)
}

/// How to build for a target with these tools; never [`How::Auto`].
pub fn decide(how: How, target: Target, tools: Tools) -> Result<How, Failure> {
    let missing = || Failure::check("build-tools", MISSING);
    match how {
        How::Auto if target.is_scf() && tools.zig => Ok(How::Zig),
        How::Auto if target.is_scf() && tools.musl => Ok(How::Musl),
        How::Auto if target.is_scf() => Err(missing()),
        How::Auto if target == Target::Lambda && tools.zig => Ok(How::Zig),
        How::Auto => Ok(How::Static),
        How::Zig if !tools.zig => Err(missing()),
        How::Musl if !tools.musl => Err(missing()),
        how => Ok(how),
    }
}

/// What this machine has.
pub fn tools(root: &Path) -> Tools {
    let runs = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).current_dir(root);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command
            .output()
            .ok()
            .filter(|output| output.status.success())
    };
    let zig = || {
        std::env::var_os("CARGO_ZIGBUILD_ZIG_PATH").is_some()
            || runs("zig", &["version"]).is_some()
            || runs("python3", &["-m", "ziglang", "version"]).is_some()
    };
    let library = runs("rustc", &["--print", "target-libdir", "--target", &musl()]);
    let library = library.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    Tools {
        zig: runs("cargo-zigbuild", &["--version"]).is_some() && zig(),
        musl: library.is_some_and(|folder| Path::new(&folder).is_dir()),
    }
}

fn musl() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// A program at a fixed address: a start then relocates nothing (docs/PERFORMANCE.md has the figures). What is given
/// up is that the program's own code lies at an address of chance; stacks, heap and libraries still do.
const FIXED: &[&str] = &["-C", "relocation-model=static"];

/// The C library within the program: nothing is loaded and bound at a start.
const WITHIN: &[&str] = &["-C", "target-feature=+crt-static"];

/// What is run, and its arguments. The answer is told in JSON, for where the program lies is cargo's to say. How it is linked is
/// said for the program alone, so that what it is made of is not built twice.
fn arguments(build: &Build<'_>, how: How) -> (Option<&'static str>, Vec<String>) {
    let (other, target, linked): (_, _, &[&[&str]]) = match how {
        How::Zig => (
            Some("cargo-zigbuild"),
            Some(format!("{}-unknown-linux-gnu.2.17", std::env::consts::ARCH)),
            &[FIXED],
        ),
        How::Musl => (None, Some(musl()), &[FIXED, WITHIN]),
        How::Static => (None, None, &[FIXED, WITHIN]),
        How::Auto | How::Plain => (None, None, &[FIXED]),
    };
    let mut args = vec![
        "rustc",
        "--profile",
        build.profile,
        "-p",
        build.name,
        "--bin",
        build.name,
    ];
    if let Some(target) = &target {
        args.extend(["--target", target]);
    }
    if !build.parses {
        args.push("--no-default-features");
    }
    args.extend(["--message-format", "json-render-diagnostics", "--"]);
    args.extend(linked.concat());
    (other, args.into_iter().map(str::to_owned).collect())
}

/// Builds, and says where the program is. Cargo's own words go to standard error.
pub fn build(root: &Path, build: &Build<'_>, how: How) -> Result<PathBuf, Failure> {
    let (other, arguments) = arguments(build, how);
    let cargo = || std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(other.map_or_else(cargo, Into::into))
        .args(arguments)
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure::unreachable("cargo", format!("cargo can't be run: {error}")))?;
    if !output.status.success() {
        return Err(Failure::check(
            "build",
            format!(
                "`{}` could not be built: cargo's words are above",
                build.name
            ),
        ));
    }
    built(&String::from_utf8_lossy(&output.stdout), build.name)
        .ok_or_else(|| Failure::check("build", format!("cargo built no program `{}`", build.name)))
}

/// Where the program is, by what cargo told.
fn built(told: &str, name: &str) -> Option<PathBuf> {
    let told = told
        .lines()
        .rev()
        .filter_map(|line| serde_json::from_str::<Json>(line).ok());
    let mut paths = told.filter_map(|told| {
        let is_it = told["reason"] == "compiler-artifact" && told["target"]["name"] == name;
        let path = told["executable"].as_str().map(PathBuf::from);
        path.filter(|_| is_it)
    });
    paths.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_and_what_is_there_decide() {
        let none = Tools {
            zig: false,
            musl: false,
        };
        let musl = Tools { musl: true, ..none };
        let both = Tools { zig: true, ..musl };
        let of = |how, target, tools| decide(how, target, tools).ok();
        let rows = [
            (How::Auto, Target::ScfWeb, both, Some(How::Zig)),
            (How::Auto, Target::ScfEvent, musl, Some(How::Musl)),
            (How::Auto, Target::ScfEvent, none, None),
            (How::Auto, Target::Lambda, both, Some(How::Zig)),
            (How::Auto, Target::Lambda, none, Some(How::Static)),
            (How::Auto, Target::Knative, both, Some(How::Static)),
            (How::Static, Target::ScfEvent, none, Some(How::Static)),
            (How::Plain, Target::ScfWeb, none, Some(How::Plain)),
            (How::Zig, Target::Dir, none, None),
            (How::Musl, Target::Dir, none, None),
            (How::Musl, Target::Knative, both, Some(How::Musl)),
        ];
        for (how, target, tools, expected) in rows {
            assert_eq!(of(how, target, tools), expected, "{how:?} {target:?}");
        }
        let said = decide(How::Auto, Target::ScfWeb, none).unwrap_err().message;
        for way in [
            "cargo install cargo-zigbuild",
            "pip install ziglang",
            "--bin",
        ] {
            assert!(said.contains(way), "{said}");
        }
    }

    #[test]
    fn what_cargo_is_asked() {
        let build = Build {
            name: "lottery",
            profile: "dist",
            parses: false,
        };
        let asked = |build: &Build<'_>, how| {
            let (other, arguments) = arguments(build, how);
            format!("{} {}", other.unwrap_or("cargo"), arguments.join(" "))
        };
        let arch = std::env::consts::ARCH;
        assert_eq!(
            asked(&build, How::Zig),
            format!(
                "cargo-zigbuild rustc --profile dist -p lottery --bin lottery --target {arch}-unknown-linux-gnu.2.17 \
                 --no-default-features --message-format json-render-diagnostics -- -C relocation-model=static"
            )
        );
        let build = Build {
            parses: true,
            ..build
        };
        let plain = asked(&build, How::Plain);
        assert!(
            plain.starts_with("cargo rustc ")
                && !plain.contains("--target")
                && !plain.contains("features")
        );
        let within = asked(&build, How::Static);
        assert!(within.ends_with(" -C relocation-model=static -C target-feature=+crt-static"));
    }

    #[test]
    fn cargo_says_where_it_is() {
        let told = r#"
{"reason":"compiler-artifact","target":{"name":"campaign"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"lottery"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"lottery"},"executable":"/t/dist/lottery"}
{"reason":"build-finished","success":true}
words"#;
        assert_eq!(built(told, "lottery"), Some("/t/dist/lottery".into()));
        assert_eq!(built(told, "sign-in"), None);
    }

    #[test]
    fn the_workspace_is_found_from_inside() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.parent().unwrap();
        assert_eq!(workspace(&here.join("src")).as_deref(), Some(root));
        assert_eq!(workspace(Path::new("/")), None);
    }
}
