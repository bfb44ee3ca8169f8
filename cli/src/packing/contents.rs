//! What a function brings along besides its program: its configs, compiled into one bundle or as the folder of texts. The one
//! place that knows which; the rest of packing sees files, and one variable that says where they are.
//!
//! No secret is ever among them. Keys stay where they are named, and this says which variables they are in.

use std::path::Path;

use campaign::Language;
use campaign::bundle;
use campaign::tenant::{Alg, KeySource, KeySpec};
use function::compile::{self, CompileError, compile};
use function::serve::chain;

use super::archive::File;
use super::plan::Variable;
use crate::activities;
use crate::failure::Failure;
use crate::folder;
use crate::show;

/// The folder's name in a package.
const FOLDER: &str = "configs";

/// What the text of a private key begins with, whatever kind it is of.
const PRIVATE: &str = "PRIVATE KEY-----";

/// What is to be brought along.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The folder with the tenants.
    pub configs: &'a Path,
    /// The only tenants; none: all.
    pub tenants: &'a [String],
    /// The only activity whose campaigns are compiled; none: all.
    pub activity: Option<&'a str>,
    /// Whether to bring texts, which a program with parsers reads; else a bundle.
    pub texts: bool,
}

/// What a function brings along.
#[derive(Debug)]
pub struct Contents {
    /// The files.
    pub files: Vec<File>,
    /// The variable that says where they are, and where that is from the package's root.
    pub variable: (&'static str, &'static str),
    /// The variables that must hold keys.
    pub keys: Vec<Variable>,
    /// Worth a look, but no reason not to pack.
    pub warnings: Vec<String>,
}

/// Reads and checks configs, and takes from them what may be packed.
pub fn contents(wanted: &Wanted<'_>) -> Result<Contents, Failure> {
    let mut contents = if wanted.texts {
        texts(wanted)?
    } else {
        compiled(wanted)?
    };
    contents
        .keys
        .sort_by(|one, other| one.name.cmp(&other.name));
    contents.keys.dedup_by(|one, other| one.name == other.name);
    Ok(contents)
}

/// One bundle. Public keys are in it, and what is missing is told by whoever makes it.
fn compiled(wanted: &Wanted<'_>) -> Result<Contents, Failure> {
    let narrowed = compile::Wanted {
        tenants: wanted.tenants.iter().cloned().collect(),
        activities: wanted.activity.map(str::to_owned).into_iter().collect(),
    };
    let made = compile(wanted.configs, &narrowed, &activities::ALL).map_err(|error| {
        let said = chain(&error);
        match error {
            CompileError::Key { .. } => Failure::check("key", said),
            _ => Failure::usage(said),
        }
    })?;
    let Some(bytes) = made.bundle else {
        return Err(unsound(wanted.configs, &made.diagnostics));
    };
    let mut contents = Contents {
        files: vec![File::text(bundle::FILE, bytes)],
        variable: ("GALA_BUNDLE", bundle::FILE),
        keys: Vec::new(),
        warnings: Vec::new(),
    };
    let mut campaigns = made.configs.tenants.iter().map(|one| one.campaigns.len());
    if campaigns.all(|campaigns| campaigns == 0) {
        contents.warnings.push(format!(
            "{} has no campaign for this function",
            wanted.configs.display()
        ));
    }
    for tenant in &made.configs.tenants {
        let id = &tenant.tenant.id;
        let needs = made.needs.iter().filter(|need| need.tenant == *id);
        let keys: Vec<&KeySpec> = needs.map(|need| &need.key).collect();
        for key in &keys {
            named(&mut contents, id, key)?;
        }
        contents.warnings.extend(development(id, &keys));
    }
    Ok(contents)
}

/// The texts themselves, and the public keys that lie beside them.
fn texts(wanted: &Wanted<'_>) -> Result<Contents, Failure> {
    let loaded = folder::load(wanted.configs)?;
    let said = loaded.diagnostics();
    if said.has_errors() {
        return Err(unsound(wanted.configs, &said));
    }
    let known = || loaded.tenants().iter().map(|one| one.tenant.id.as_str());
    if let Some(unknown) = wanted
        .tenants
        .iter()
        .find(|id| known().all(|it| it != **id))
    {
        return Err(Failure::usage(format!(
            "there is no tenant `{unknown}` in {}; it has {}",
            wanted.configs.display(),
            known().collect::<Vec<_>>().join(", ")
        )));
    }
    let mut contents = Contents {
        files: Vec::new(),
        variable: ("GALA_CONFIGS", FOLDER),
        keys: Vec::new(),
        warnings: Vec::new(),
    };
    for loaded in loaded.tenants() {
        let tenant = &loaded.tenant;
        if !wanted.tenants.is_empty() && !wanted.tenants.contains(&tenant.id) {
            continue;
        }
        let keys = [&tenant.keys, &tenant.service_keys, &tenant.admin_keys];
        let keys: Vec<&KeySpec> = keys.into_iter().flatten().collect();
        for key in &keys {
            named(&mut contents, &tenant.id, key)?;
            public_key(&mut contents, wanted.configs, &tenant.id, key)?;
        }
        contents.warnings.extend(development(&tenant.id, &keys));
        for (path, text) in &loaded.files {
            let path = format!("{FOLDER}/{}/{path}", tenant.id);
            // A public key may have been one of the texts.
            if contents.files.iter().all(|there| there.path != path) {
                contents.files.push(public(path, text.as_bytes().to_vec())?);
            }
        }
    }
    Ok(contents)
}

fn unsound(configs: &Path, said: &campaign::Diagnostics) -> Failure {
    Failure::check(
        "configs",
        format!(
            "{} is not sound ({}): `gala check {0}` shows it",
            configs.display(),
            show::counted(said, Language::English)
        ),
    )
}

/// A key that is a secret: a variable where it is in one, refused where it is in a file.
fn named(contents: &mut Contents, tenant: &str, key: &KeySpec) -> Result<(), Failure> {
    let kid = &key.kid;
    match (&key.source, key.alg) {
        (KeySource::Env(name), _) => contents.keys.push(Variable::secret(
            name,
            format!("key `{kid}` of tenant `{tenant}`"),
        )),
        (KeySource::File(file), Alg::HS256) => {
            return Err(Failure::check(
                "secret",
                format!(
                    "key `{kid}` of tenant `{tenant}` is a secret in the file {file}, and a package holds none: name it as \
                     `env: NAME` in tenant.yaml and set that variable where the function runs"
                ),
            ));
        }
        (KeySource::File(_) | KeySource::Dev | KeySource::Public(_), _) => {}
    }
    Ok(())
}

/// The public half of a pair is packed as the file that it is.
fn public_key(
    contents: &mut Contents,
    configs: &Path,
    tenant: &str,
    key: &KeySpec,
) -> Result<(), Failure> {
    let KeySource::File(file) = &key.source else {
        return Ok(());
    };
    if file
        .split('/')
        .any(|name| name.is_empty() || name.starts_with('.'))
    {
        return Err(Failure::check(
            "secret",
            format!(
                "key `{}` of tenant `{tenant}` is in the file {file}, which is hidden or outside of the tenant's folder: nothing \
                 of that kind is packed; put the public key beside tenant.yaml",
                key.kid
            ),
        ));
    }
    let path = format!("{FOLDER}/{tenant}/{file}");
    if contents.files.iter().all(|there| there.path != path) {
        let from = configs.join(tenant).join(file);
        let bytes = std::fs::read(&from).map_err(|error| {
            Failure::usage(format!("{} can't be read: {error}", from.display()))
        })?;
        contents.files.push(public(path, bytes)?);
    }
    Ok(())
}

/// What there is to say of a tenant's development keys.
fn development(tenant: &str, keys: &[&KeySpec]) -> Option<String> {
    let dev = keys.iter().filter(|key| key.source == KeySource::Dev);
    let dev: Vec<&str> = dev.map(|key| key.kid.as_str()).collect();
    if dev.is_empty() {
        return None;
    }
    Some(format!(
        "tenant `{tenant}` has development keys ({}): they are not packed, and where the function can't make them anew, as on SCF \
         and Lambda, the tenant is not served; name real ones in tenant.yaml (`env: NAME`)",
        dev.join(", ")
    ))
}

/// A file as it is, unless it holds a private key.
fn public(path: String, bytes: Vec<u8>) -> Result<File, Failure> {
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|part| part == needle);
    if holds(PRIVATE.as_bytes()) {
        return Err(Failure::check(
            "secret",
            format!(
                "{path} holds a private key, and a package holds none: checking tokens needs the public half only"
            ),
        ));
    }
    Ok(File::text(path, bytes))
}
