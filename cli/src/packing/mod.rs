//! Functions as their platforms take them. [`pack`] decides and checks everything first, then writes; what it writes it tells as a
//! [`Plan`]. Building is in [`build`], and deploying is each platform's own tool's business.

mod archive;
pub mod build;
pub mod contents;
mod deployment;
mod elf;
pub mod plan;
pub mod targets;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use archive::File;
use contents::Contents;
use deployment::{Deployment, Subject, deployment};
use elf::Program;
use plan::{Limits, Plan, Sized, Variable};
use targets::Target;

use crate::failure::Failure;

/// The variable that says where the store is.
const STORE: &str = "GALA_STORE";

/// The folder in which the tool of SCF finds what it zips itself.
const CODE: &str = "code";

/// What is packed.
#[derive(Debug)]
pub struct Packing<'a> {
    /// The function's name: the activity's, or `together`.
    pub function: &'a str,
    /// Where it will run.
    pub target: Target,
    /// Its program.
    pub program: &'a Path,
    /// What comes along.
    pub contents: &'a Contents,
    /// Whether it is told its clients' addresses by a gateway, whose key it then needs.
    pub behind_gateway: bool,
    /// Whether CloudEvents come over HTTP.
    pub events_over_http: bool,
    /// Where images are pushed to.
    pub registry: &'a str,
}

/// Packs one function into a folder of its own in `out`, which is replaced if it is an earlier package.
pub fn pack(packing: &Packing<'_>, out: &Path) -> Result<(PathBuf, Plan), Failure> {
    let Packing {
        function,
        target,
        contents,
        ..
    } = *packing;
    let folder = out.join(function);
    check_folder(&folder)?;
    let along = archive::unpacked(&contents.files);
    let program_bytes = size(packing.program)?;
    fits(packing, along + program_bytes, None)?;
    let bytes = read(packing.program)?;
    let program = Program::read(&bytes).map_err(|error| {
        Failure::check("program", format!("{}: {error}", packing.program.display()))
    })?;
    if let Some(why) = target.refuses(&program) {
        return Err(Failure::check(
            "program",
            format!("{} can't be packed: {why}", packing.program.display()),
        ));
    }
    let variables = variables(packing)?;
    let subject = Subject {
        function,
        program: &program,
        variables: &variables,
        along: contents.variable,
        registry: packing.registry,
    };
    let Deployment {
        mut files,
        triggers,
        commands,
    } = deployment(target, &subject);
    let inside = target.files(function, bytes, contents.files.clone(), contents.variable);
    let unpacked_bytes = archive::unpacked(&inside);
    let package = if target.is_zipped() {
        let name = format!("{function}.zip");
        let zip = archive::zip(&inside).map_err(|error| {
            Failure::check("zip", format!("`{function}` can't be zipped: {error}"))
        })?;
        let bytes = zip.len() as u64;
        fits(packing, unpacked_bytes, Some(bytes))?;
        files.push(File::text(&name, zip));
        if target.is_scf() {
            files.extend(inside.into_iter().map(|file| File {
                path: format!("{CODE}/{}", file.path),
                ..file
            }));
        }
        Sized { name, bytes }
    } else {
        fits(packing, unpacked_bytes, None)?;
        files.extend(inside);
        Sized {
            name: "this folder".to_owned(),
            bytes: unpacked_bytes,
        }
    };
    let takes = target.takes();
    let plan = Plan {
        function: function.to_owned(),
        target,
        program: Sized {
            name: packing
                .program
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            bytes: program_bytes,
        },
        arch: program.arch.name().to_owned(),
        glibc: program.glibc().map(|glibc| glibc.to_string()),
        libraries: program.libraries,
        package,
        unpacked_bytes,
        limits: Limits {
            zip_bytes: takes.zip_bytes,
            unpacked_bytes: takes.unpacked_bytes,
        },
        variables,
        triggers,
        commands,
        warnings: contents.warnings.clone(),
        files: files
            .iter()
            .map(|file| (file.path.clone(), plan::sha256(&file.bytes)))
            .collect(),
    };
    files.push(File::text(
        plan::FILE,
        serde_json::to_vec_pretty(&plan).unwrap_or_default(),
    ));
    write(&folder, &files).map_err(|error| {
        Failure::unreachable(
            "output",
            format!("{} can't be written: {error}", folder.display()),
        )
    })?;
    Ok((folder, plan))
}

fn fits(packing: &Packing<'_>, unpacked: u64, zip: Option<u64>) -> Result<(), Failure> {
    match packing.target.too_large(unpacked, zip) {
        None => Ok(()),
        Some(why) => Err(Failure::check(
            "too-large",
            format!("`{}` can't be packed: {why}", packing.function),
        )),
    }
}

/// The function's environment: what the package sets, and what whoever deploys must set.
fn variables(packing: &Packing<'_>) -> Result<Vec<Variable>, Failure> {
    let (takes, contents) = (packing.target.takes(), packing.contents);
    let (name, path) = contents.variable;
    let place = if takes.home.is_empty() {
        path.to_owned()
    } else {
        format!("{}/{path}", takes.home)
    };
    let mut variables = vec![
        Variable::set("GALA_HOST", takes.host, "which host it is on"),
        Variable::set(name, place, "where its configs are"),
        Variable::secret(
            STORE,
            "the address of the Redis that is the store; it may hold a password",
        ),
    ];
    if packing.behind_gateway {
        variables.push(Variable::secret(
            "GALA_GATEWAY_KEY",
            "the gateway's key, which signs the client's address",
        ));
    }
    if packing.events_over_http {
        variables.push(Variable::secret(
            "GALA_EVENT_KEY",
            "the key of whoever sends events over HTTP",
        ));
    }
    for key in &contents.keys {
        let Variable { name, what, .. } = key;
        if let Some(reserved) = takes.reserved.iter().find(|it| name.starts_with(**it)) {
            return Err(Failure::check(
                "variable",
                format!(
                    "{what} is in the variable {name}, and {} keeps names that begin with {reserved} for itself: name another \
                     in tenant.yaml",
                    takes.title
                ),
            ));
        }
        let fits = |at: usize, letter: char| {
            letter == '_' || letter.is_ascii_alphabetic() || (at > 0 && letter.is_ascii_digit())
        };
        if name.is_empty()
            || !name
                .chars()
                .enumerate()
                .all(|(at, letter)| fits(at, letter))
        {
            return Err(Failure::check(
                "variable",
                format!(
                    "{what} is in the variable `{name}`, which no platform can set: letters, digits and `_` are taken"
                ),
            ));
        }
        variables.push(key.clone());
    }
    Ok(variables)
}

/// Nothing is written over that is not an earlier package.
fn check_folder(folder: &Path) -> Result<(), Failure> {
    let is_free = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none() || folder.join(plan::FILE).is_file(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if is_free {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{} is there, and is no package of an earlier run: name another --out, or move it away",
        folder.display()
    )))
}

/// All of it or what was there before: written aside, then put in its place.
fn write(folder: &Path, files: &[File]) -> std::io::Result<()> {
    let mut draft = folder.as_os_str().to_owned();
    draft.push(".draft");
    let draft = PathBuf::from(draft);
    if draft.exists() {
        fs::remove_dir_all(&draft)?;
    }
    for file in files {
        let path = draft.join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        let mut made = options.open(&path)?;
        made.write_all(&file.bytes)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            made.set_permissions(fs::Permissions::from_mode(file.mode()))?;
        }
    }
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::rename(&draft, folder)
}

fn size(path: &Path) -> Result<u64, Failure> {
    let meta = fs::metadata(path).map_err(|error| unread(path, &error))?;
    if meta.is_file() {
        Ok(meta.len())
    } else {
        Err(Failure::usage(format!("{} is no file", path.display())))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| unread(path, &error))
}

fn unread(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{} can't be read: {error}", path.display()))
}
