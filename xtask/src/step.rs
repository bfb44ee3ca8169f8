//! One command: shown before it runs, timed after. Every chore is a list of these.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use miette::{IntoDiagnostic, Result, WrapErr, bail};

/// A command to run in the repository's root.
pub struct Step {
    program: OsString,
    args: Vec<OsString>,
    envs: Vec<(String, String)>,
}

impl Step {
    /// A step that runs `program`.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            envs: Vec::new(),
        }
    }

    /// A step that runs cargo.
    pub fn cargo<const N: usize>(args: [&str; N]) -> Self {
        Self::new("cargo").args(args)
    }

    /// Adds arguments.
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of the command's environment.
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.envs.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Shows the command, runs it with our own streams, and says how long it took.
    pub fn run(&self) -> Result<()> {
        eprintln!("$ {}", self.line());
        let start = Instant::now();
        let status = self
            .command()
            .status()
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot start `{}`", self.line()))?;
        let took = seconds(start.elapsed());
        if !status.success() {
            bail!("`{}` failed after {took}: {status}", self.line());
        }
        eprintln!("  done in {took}");
        Ok(())
    }

    /// Runs the command out of sight, for its standard output.
    pub fn output(&self) -> Result<String> {
        let output = self
            .command()
            .stdin(Stdio::null())
            .output()
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot start `{}`", self.line()))?;
        if !output.status.success() {
            bail!(
                "`{}` failed: {}\n{}",
                self.line(),
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Whether the command can be started and succeeds; the way to ask whether a tool is there.
    pub fn succeeds(&self) -> bool {
        self.command()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        // `cargo run` tells us about xtask in these; a cargo below us would take them for changes of its own
        // environment, and run again every build script that watches one.
        for (key, _) in std::env::vars_os() {
            if key.to_str().is_some_and(|key| {
                key.starts_with("CARGO_PKG_") || key.starts_with("CARGO_MANIFEST_")
            }) {
                command.env_remove(key);
            }
        }
        command
            .args(&self.args)
            .envs(self.envs.iter().map(|(key, value)| (key, value)));
        command
    }

    /// The command as one would type it.
    fn line(&self) -> String {
        let mut words: Vec<String> = self
            .envs
            .iter()
            .map(|(key, value)| format!("{key}={}", quoted(value)))
            .collect();
        words.push(quoted(&self.program.to_string_lossy()));
        words.extend(self.args.iter().map(|arg| quoted(&arg.to_string_lossy())));
        words.join(" ")
    }
}

/// A duration for people.
pub fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let step = Step::cargo(["nextest", "run"])
            .args(["-E", "test(/crash_/)"])
            .env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(
            step.line(),
            "RUSTDOCFLAGS='-D warnings' cargo nextest run -E 'test(/crash_/)'"
        );
    }

    #[test]
    fn a_failing_command_is_named() {
        let report = Step::new("false").run().unwrap_err();
        assert!(report.to_string().starts_with("`false` failed"), "{report}");
        let report = Step::new("no-such-program").run().unwrap_err();
        assert_eq!(report.to_string(), "cannot start `no-such-program`");
    }
}
