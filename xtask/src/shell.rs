//! An activity is a machine with parameters; only its `main.rs` puts it into the shell. So no other source file of
//! an activity names the crate `function`, though its package depends on it.

use std::path::{Path, PathBuf};

use miette::{IntoDiagnostic, Result, WrapErr, miette};
use proc_macro2::{TokenStream, TokenTree};

use crate::check::{Repo, Verdict};

/// Checks the sources of every activity.
pub fn check(repo: &Repo) -> Result<Verdict> {
    let mut files = Vec::new();
    for activity in read_dir(&repo.root.join("activities"))? {
        let src = activity.join("src");
        if src.is_dir() {
            rust_files(&src, &mut files)?;
            // The very file, and no other of that name further down.
            files.retain(|file| *file != src.join("main.rs"));
        }
    }
    let mut verdict = Verdict {
        looked_at: format!("{} source files of activities", files.len()),
        ..Verdict::default()
    };
    for file in files {
        let place = file.strip_prefix(&repo.root).unwrap_or(&file).display();
        let source = std::fs::read_to_string(&file)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot read {place}"))?;
        match names_function(&source) {
            Ok(lines) => verdict.problems.extend(lines.into_iter().map(|line| {
                format!(
                    "{place}:{line}: only an activity's main.rs names `function`: hand over what is needed as an argument, \
                     or take it from campaign or machine"
                )
            })),
            Err(report) => verdict.problems.push(format!("{place}: {report}")),
        }
    }
    Ok(verdict)
}

/// The lines on which a source names the crate `function` as a path.
///
/// Tokens, not text: a comment or a string may say the word, and so may a variable.
fn names_function(source: &str) -> Result<Vec<usize>> {
    let tokens: TokenStream = source
        .parse()
        .map_err(|error| miette!("this is not Rust: {error}"))?;
    let mut lines = Vec::new();
    walk(tokens, &mut lines);
    lines.dedup();
    Ok(lines)
}

fn walk(tokens: TokenStream, lines: &mut Vec<usize>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let colon = |at: Option<usize>| {
        at.and_then(|at| tokens.get(at))
            .is_some_and(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':'))
    };
    let word = |at: Option<usize>| match at.and_then(|at| tokens.get(at)) {
        Some(TokenTree::Ident(ident)) => ident.to_string(),
        _ => String::new(),
    };
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => walk(group.stream(), lines),
            TokenTree::Ident(ident)
                if matches!(ident.to_string().as_str(), "function" | "r#function") =>
            {
                let absolute = colon(at.checked_sub(1)) && colon(at.checked_sub(2));
                // `crate::function::x`, `campaign::function`: a module of that name, not the crate.
                let inside = absolute && !matches!(word(at.checked_sub(3)).as_str(), "" | "use");
                let starts_path = colon(Some(at + 1)) && colon(Some(at + 2));
                // `use function;`, `extern crate function;`, `use {function as f};`
                let imported = matches!(word(at.checked_sub(1)).as_str(), "use" | "crate")
                    || word(Some(at + 1)) == "as";
                if !inside && (absolute || starts_path || imported) {
                    lines.push(ident.span().start().line);
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for path in read_dir(folder)? {
        if path.is_dir() {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// A folder's entries in order, so that two runs say the same.
fn read_dir(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut entries = std::fs::read_dir(folder)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<Vec<_>, _>>()
        })
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot list {}", folder.display()))?;
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named() {
        for source in [
            "use function::Shell;",
            "use function;",
            "use ::function::Shell;",
            "use {machine::Model, function::Shell};",
            "use {function as shell};",
            "use function as shell;",
            "extern crate function;",
            "fn serve() { function::serve(); }",
            "fn serve() { ::function::serve(); }",
            "fn serve(shell: &function::Shell) {}",
            "fn serve() { log!(function::NAME); }",
            "mod inner { pub use function::*; }",
            "use r#function::Shell;",
        ] {
            assert_eq!(names_function(source).unwrap(), [1], "{source}");
        }
    }

    #[test]
    fn not_named() {
        for source in [
            "//! The `function` crate serves this: function::serve.",
            "// use function::Shell;",
            r#"const WHY: &str = "use function::Shell";"#,
            "fn f(function: u8) -> u8 { function + 1 }",
            "struct S { function: u8 }",
            "use crate::function::Shell;",
            "use campaign::function::Shell;",
            "fn f(s: S) { s.function() }",
            "use myfunction::Shell;",
        ] {
            assert_eq!(names_function(source).unwrap(), [0; 0], "{source}");
        }
    }

    #[test]
    fn the_line_is_named() {
        assert_eq!(
            names_function("//! Head.\n\nuse machine::Model;\nuse function::Shell;\n").unwrap(),
            [4]
        );
    }

    #[test]
    fn only_the_main_file_may() {
        let root = tempfile::tempdir().unwrap();
        let src = root.path().join("activities/lottery/src");
        std::fs::create_dir_all(src.join("deep")).unwrap();
        for file in ["main.rs", "lib.rs", "deep/main.rs"] {
            std::fs::write(src.join(file), "use function::Shell;\n").unwrap();
        }
        let repo = Repo {
            root: root.path().to_owned(),
            metadata: cargo_metadata::MetadataCommand::parse(
                r#"{"packages":[],"workspace_members":[],"workspace_root":"/repo","target_directory":"/repo/target","version":1}"#,
            )
            .unwrap(),
        };
        let problems = check(&repo).unwrap().problems;
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(
            problems[0].starts_with("activities/lottery/src/deep/main.rs:1: "),
            "{problems:?}"
        );
        assert!(
            problems[1].starts_with("activities/lottery/src/lib.rs:1: "),
            "{problems:?}"
        );
    }
}
