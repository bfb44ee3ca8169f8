//! What a function brings along besides its program: its configs, as a folder or as one compiled bundle. The one place that
//! knows which; the rest of packing sees files, and one variable that says where they are.
//!
//! No secret is ever among them. Keys stay where they are named, and this says which variables they are in.

use std::collections::BTreeSet;
use std::path::Path;

use campaign::tenant::{Alg, KeySource, KeySpec, Tenant};

use super::archive::File;
use super::plan::Variable;
use crate::failure::Failure;
use crate::folder;
use crate::show;

/// The folder's name in a package.
const FOLDER: &str = "configs";

/// A bundle's name in a package.
const BUNDLE: &str = "gala.bundle";

/// What the text of a private key begins with, whatever kind it is of.
const PRIVATE: &str = "PRIVATE KEY-----";

/// Where configs come from.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The folder with the tenants.
    pub configs: &'a Path,
    /// What was compiled from it, if that is to be packed instead.
    pub bundle: Option<&'a Path>,
    /// The only tenants to pack; none: all.
    pub tenants: &'a [String],
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
    /// Whether the program needs its parsers.
    pub parses: bool,
}

/// Reads and checks configs, and takes from them what may be packed.
pub fn contents(from: &Wanted<'_>) -> Result<Contents, Failure> {
    let loaded = folder::load(from.configs)?;
    let said = loaded.diagnostics();
    if said.has_errors() {
        return Err(Failure::check(
            "configs",
            format!(
                "{} is not sound ({}): `gala check {0}` shows it",
                from.configs.display(),
                show::counted(&said)
            ),
        ));
    }
    let known: BTreeSet<&str> = loaded
        .tenants()
        .iter()
        .map(|t| t.tenant.id.as_str())
        .collect();
    if let Some(unknown) = from.tenants.iter().find(|id| !known.contains(id.as_str())) {
        let known: Vec<&str> = known.into_iter().collect();
        return Err(Failure::usage(format!(
            "there is no tenant `{unknown}` in {}; it has {}",
            from.configs.display(),
            known.join(", ")
        )));
    }
    let wanted =
        |id: &str| from.tenants.is_empty() || from.tenants.iter().any(|tenant| tenant == id);
    let mut contents = Contents {
        files: Vec::new(),
        variable: from
            .bundle
            .map_or(("GALA_CONFIGS", FOLDER), |_| ("GALA_BUNDLE", BUNDLE)),
        keys: Vec::new(),
        warnings: Vec::new(),
        parses: from.bundle.is_none(),
    };
    for loaded in loaded.tenants().iter().filter(|t| wanted(&t.tenant.id)) {
        let tenant = &loaded.tenant;
        let folder = from.configs.join(&tenant.id);
        // A bundle leaves the keys of admins out.
        let admins = from.bundle.is_none().then_some(&tenant.admin_keys);
        let keys = [&tenant.keys, &tenant.service_keys]
            .into_iter()
            .chain(admins);
        for key in keys.flatten() {
            take_key(
                &mut contents,
                &tenant.id,
                &folder,
                key,
                from.bundle.is_some(),
            )?;
        }
        contents.warnings.extend(unsigned(tenant));
        if from.bundle.is_none() {
            for (path, text) in &loaded.files {
                let text: &str = text;
                let named = format!("{FOLDER}/{}/{path}", tenant.id);
                // A public key may have been one of the texts.
                if contents.files.iter().all(|there| there.path != named) {
                    contents
                        .files
                        .push(public(named, text.as_bytes().to_vec())?);
                }
            }
        }
    }
    if let Some(bundle) = from.bundle {
        contents.files.push(File::text(BUNDLE, read(bundle)?));
    }
    contents
        .keys
        .sort_by(|one, other| one.name.cmp(&other.name));
    contents.keys.dedup_by(|one, other| one.name == other.name);
    Ok(contents)
}

/// A key is never packed, but for the public half of a pair.
fn take_key(
    contents: &mut Contents,
    tenant: &str,
    folder: &Path,
    key: &KeySpec,
    compiled: bool,
) -> Result<(), Failure> {
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
        // A bundle holds public keys itself.
        (KeySource::File(_), Alg::EdDSA | Alg::RS256) if compiled => {}
        (KeySource::File(file), Alg::EdDSA | Alg::RS256) => {
            let path = format!("{FOLDER}/{tenant}/{file}");
            if file
                .split('/')
                .any(|name| name.is_empty() || name.starts_with('.'))
            {
                return Err(Failure::check(
                    "secret",
                    format!(
                        "key `{kid}` of tenant `{tenant}` is in the file {file}, which is hidden or outside of the tenant's \
                         folder: nothing of that kind is packed; put the public key beside tenant.yaml"
                    ),
                ));
            }
            if contents.files.iter().all(|there| there.path != path) {
                contents
                    .files
                    .push(public(path, read(&folder.join(file))?)?);
            }
        }
        // Said once for the tenant.
        (KeySource::Dev, _) => {}
    }
    Ok(())
}

/// What there is to say of a tenant's development keys.
fn unsigned(tenant: &Tenant) -> Option<String> {
    let keys = [&tenant.keys, &tenant.service_keys, &tenant.admin_keys];
    let dev = keys.into_iter().flatten();
    let dev = dev.filter(|key| key.source == KeySource::Dev);
    let dev: Vec<&str> = dev.map(|key| key.kid.as_str()).collect();
    if dev.is_empty() {
        return None;
    }
    Some(format!(
        "tenant `{}` has development keys ({}): they are not packed, and where the function can't make them anew, as on SCF and \
         Lambda, the tenant is not served; name real ones in tenant.yaml (`env: NAME`)",
        tenant.id,
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

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::usage(format!("{} can't be read: {error}", path.display())))
}
