//! `gala compile`: a configs folder as one file, for functions that have no parser.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use campaign::Language;
use campaign::bundle;
use campaign::tenant::KeySource;
use clap::Args;
use function::compile::{Compilation, CompileError, Need, Wanted, compile};
use function::serve::chain;
use machine::ids::hex;
use serde_json::{Value as Json, json};

use crate::activities;
use crate::failure::Failure;
use crate::out::Out;
use crate::show;

/// Checks configs and writes them as a bundle, which a function reads without a parser (exit code 1 if there is an error)
///
/// A bundle holds each tenant's settings and lists, and its campaigns as they would be published. A function takes it from
/// GALA_BUNDLE, or from a `gala.bundle` beside the program. It never holds a secret: keys under `env`, `dev`, and HS256 keys
/// under `file` stay names, and this command says which they are; the function finds files in GALA_KEYS (unset: where the
/// bundle is), as `<tenant>/<file>`. Public keys (EdDSA, RS256) under `file` are put in. Keys of admins are left out. What the
/// store has is newer than any bundle: with a shared store the newest revision there is served.
#[derive(Debug, Args)]
pub struct Compile {
    /// The folder with the tenants
    #[arg(value_name = "CONFIGS", default_value = "configs")]
    pub configs: PathBuf,
    /// The bundle's file
    #[arg(long, value_name = "FILE", default_value = bundle::FILE)]
    pub out: PathBuf,
    /// Only this tenant; repeat for more
    #[arg(long, value_name = "T")]
    pub tenant: Vec<String>,
    /// Only campaigns of this activity; repeat for more
    #[arg(long, value_name = "A")]
    pub activity: Vec<String>,
}

/// Compiles.
pub fn run(args: &Compile, out: Out) -> Result<(), Failure> {
    let wanted = Wanted {
        tenants: args.tenant.iter().cloned().collect(),
        activities: args.activity.iter().cloned().collect(),
    };
    let compiled =
        compile(&args.configs, &wanted, &activities::ALL).map_err(|error| failed(&error))?;
    let Some(bytes) = &compiled.bundle else {
        if out.json {
            out.value(&compiled.diagnostics.to_json())?;
        } else {
            show::diagnostics(out, &compiled.diagnostics, Language::English)?;
        }
        let counted = show::counted(&compiled.diagnostics, Language::English);
        out.note(format!("nothing was compiled: {counted}"));
        return Err(Failure::red());
    };
    write(&args.out, bytes).map_err(|error| {
        let path = args.out.display();
        Failure::unreachable("output", format!("{path} can't be written: {error}"))
    })?;
    if out.json {
        out.value(&told(&args.out, bytes, &compiled))?;
    } else {
        out.text(lines(&compiled))?;
    }
    out.note(format!(
        "{}: {} bytes, {} campaigns of {} tenants",
        args.out.display(),
        bytes.len(),
        campaigns(&compiled).count(),
        compiled.configs.tenants.len()
    ));
    for need in &compiled.needs {
        out.note(needed(need));
    }
    Ok(())
}

fn failed(error: &CompileError) -> Failure {
    match error {
        CompileError::Folder(..)
        | CompileError::NoSuchTenant { .. }
        | CompileError::NoSuchActivity { .. } => Failure::usage(chain(error)),
        CompileError::Key { .. } => Failure::check("key", chain(error)),
    }
}

/// Whole or not at all: a function may be reading it.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".tmp");
    std::fs::write(&draft, bytes)?;
    std::fs::rename(&draft, path)
}

fn campaigns(compiled: &Compilation) -> impl Iterator<Item = (&str, &str, &campaign::Compiled)> {
    compiled.configs.tenants.iter().flat_map(|tenant| {
        tenant.campaigns.iter().filter_map(|campaign| {
            let compiled = campaign.compiled.as_ref()?;
            Some((&*tenant.tenant.id, &*campaign.id, compiled))
        })
    })
}

/// `acme/spring-wheel lottery edition 1 sha256 0f3c..`
fn lines(compiled: &Compilation) -> String {
    let mut text = String::new();
    for (tenant, id, campaign) in campaigns(compiled) {
        // A string takes everything.
        let _ = writeln!(
            text,
            "{tenant}/{id} {} edition {} sha256 {}",
            campaign.activity,
            campaign.edition,
            hex(&campaign.sha256)
        );
    }
    text
}

fn told(path: &Path, bytes: &[u8], compiled: &Compilation) -> Json {
    let campaigns = campaigns(compiled).map(|(tenant, id, campaign)| {
        json!({
            "tenant": tenant,
            "campaign": id,
            "activity": campaign.activity,
            "edition": campaign.edition,
            "sha256": hex(&campaign.sha256),
            "bytes": campaign.bytes.len(),
        })
    });
    let needs = compiled.needs.iter().map(
        |need| json!({ "tenant": need.tenant, "kid": need.key.kid, "source": need.key.source }),
    );
    let tenants = compiled.configs.tenants.iter();
    json!({
        "bundle": path,
        "bytes": bytes.len(),
        "tenants": tenants.map(|tenant| &tenant.tenant.id).collect::<Vec<_>>(),
        "campaigns": campaigns.collect::<Vec<_>>(),
        "needs": needs.collect::<Vec<_>>(),
        "diagnostics": compiled.diagnostics.to_json(),
    })
}

fn needed(need: &Need) -> String {
    let (tenant, kid) = (&need.tenant, &need.key.kid);
    match &need.key.source {
        KeySource::Env(name) => {
            format!("tenant `{tenant}`: the function needs key `{kid}` in the variable {name}")
        }
        KeySource::File(file) => format!(
            "tenant `{tenant}`: the function needs key `{kid}` in the file {tenant}/{file} of GALA_KEYS"
        ),
        KeySource::Dev => format!(
            "tenant `{tenant}`: `{kid}` is a development key: the function takes it from .keys/{tenant}.{kid} in GALA_KEYS, and makes it where it is not there"
        ),
        KeySource::Public(_) => format!("tenant `{tenant}`: key `{kid}` is in the bundle"),
    }
}
