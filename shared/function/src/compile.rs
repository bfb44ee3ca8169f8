//! From a configs folder to a bundle: checked, limited to what is wanted, and without a secret. `gala compile` and
//! `gala package` do this; a function only reads what comes of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use campaign::tenant::{Alg, KeySource, KeySpec};
use campaign::{
    Activity, Configs, Diagnostic, Diagnostics, Other, Severity, TenantConfigs, bundle,
};

use crate::identity::KeySet;
use crate::registry::{KeyMaterialError, alg, material, read};

/// What a bundle is to hold.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The tenants; empty: all.
    pub tenants: BTreeSet<String>,
    /// The activities; empty: all.
    pub activities: BTreeSet<String>,
}

/// What came of it.
#[derive(Debug)]
pub struct Compilation {
    /// All there is to say about the wanted tenants' files.
    pub diagnostics: Diagnostics,
    /// What was compiled; empty where a file has an error.
    pub configs: Configs,
    /// The bundle; none where a file has an error.
    pub bundle: Option<Vec<u8>>,
    /// What a function must be given beside the bundle.
    pub needs: Vec<Need>,
}

/// A key that a bundle only names, since it is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Whose.
    pub tenant: String,
    /// Which, and where it is looked for.
    pub key: KeySpec,
}

/// Why nothing can be compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The folder can't be read.
    #[error("the configs folder {0} can't be read")]
    Folder(PathBuf, #[source] std::io::Error),
    /// A wanted tenant is not there, or there is none at all.
    #[error("there is no tenant `{name}` in {folder}: it has {}", list(.known))]
    NoSuchTenant {
        /// The one that is wanted; `*` where any would do.
        name: String,
        /// Where.
        folder: PathBuf,
        /// Those that are there.
        known: Vec<String>,
    },
    /// A wanted activity is not of this program.
    #[error("there is no activity `{name}`: there are {}", list(.known))]
    NoSuchActivity {
        /// The one that is wanted.
        name: String,
        /// Those that are there.
        known: Vec<String>,
    },
    /// A public key can't be put into the bundle.
    #[error("tenant `{tenant}`")]
    Key {
        /// Whose.
        tenant: String,
        /// Why.
        source: KeyMaterialError,
    },
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Compiles what is `wanted` of the configs folder `dir`.
///
/// Secrets stay out: keys named by `env`, by `dev`, and HS256 keys in files remain names, and are [`Need`]s. Public keys in
/// files (EdDSA, RS256) go in. Keys of admins are left out: a function has no door for them.
pub fn compile(
    dir: &Path,
    wanted: &Wanted,
    activities: &[&'static dyn Activity],
) -> Result<Compilation, CompileError> {
    let known: Vec<String> = activities
        .iter()
        .map(|activity| activity.id().to_owned())
        .collect();
    if let Some(name) = wanted.activities.iter().find(|name| !known.contains(name)) {
        let name = name.clone();
        return Err(CompileError::NoSuchActivity { name, known });
    }
    let mut files = read(dir).map_err(|error| CompileError::Folder(dir.to_owned(), error))?;
    let there: BTreeSet<String> = files
        .keys()
        .filter_map(|path| Some(path.split_once('/')?.0.to_owned()))
        .collect();
    let missing = wanted.tenants.difference(&there).next().cloned();
    if let Some(name) = missing.or_else(|| there.is_empty().then(|| "*".to_owned())) {
        return Err(CompileError::NoSuchTenant {
            name,
            folder: dir.to_owned(),
            known: there.into_iter().collect(),
        });
    }
    files.retain(|path, _| {
        let tenant = path.split_once('/').map(|(tenant, _)| tenant);
        tenant.is_some_and(|tenant| wanted.tenants.is_empty() || wanted.tenants.contains(tenant))
    });
    let root = dir.display().to_string();
    let mut loaded = campaign::load(&root, &files, &activities.to_vec());
    crate::posters::check(&mut loaded, &root, crate::posters::Care::Usual);
    let diagnostics = loaded.diagnostics;
    let mut tenants: Vec<TenantConfigs> = loaded.tenants.into_iter().map(Into::into).collect();
    let mut needs = Vec::new();
    if diagnostics.has_errors() {
        return Ok(Compilation {
            diagnostics,
            configs: Configs::default(),
            bundle: None,
            needs,
        });
    }
    for configs in &mut tenants {
        narrow(configs, wanted);
        keys(dir, configs, &mut needs)?;
    }
    let configs = Configs { tenants };
    Ok(Compilation {
        diagnostics,
        bundle: Some(bundle::write(&configs)),
        configs,
        needs,
    })
}

/// Leaves the campaigns of the wanted activities. The others are named, so that no function has to read one from the store to see
/// that it is not its own.
fn narrow(configs: &mut TenantConfigs, wanted: &Wanted) {
    let is_wanted =
        |activity: &str| wanted.activities.is_empty() || wanted.activities.contains(activity);
    let all = std::mem::take(&mut configs.campaigns);
    for campaign in all {
        match &campaign.compiled {
            Some(found) if !is_wanted(&found.activity) => configs.others.push(Other {
                activity: found.activity.clone(),
                sha256: found.sha256,
            }),
            _ => configs.campaigns.push(campaign),
        }
    }
}

/// Puts a tenant's public keys in the place of their files, and notes what stays a name.
fn keys(
    dir: &Path,
    configs: &mut TenantConfigs,
    needs: &mut Vec<Need>,
) -> Result<(), CompileError> {
    let tenant = &mut configs.tenant;
    tenant.admin_keys.clear();
    for key in tenant.keys.iter_mut().chain(&mut tenant.service_keys) {
        if key.alg != Alg::HS256 && matches!(key.source, KeySource::File(_)) {
            let public = public(dir, &tenant.id, key).map_err(|source| CompileError::Key {
                tenant: tenant.id.clone(),
                source,
            })?;
            key.source = KeySource::Public(public);
        } else {
            needs.push(Need {
                tenant: tenant.id.clone(),
                key: key.clone(),
            });
        }
    }
    Ok(())
}

/// A public key's text. A private one by mistake is refused here, before it is carried anywhere.
fn public(dir: &Path, tenant: &str, key: &KeySpec) -> Result<String, KeyMaterialError> {
    let text = material(dir, tenant, key)?;
    KeySet::new()
        .add(&key.kid, alg(key), &text)
        .map_err(|source| KeyMaterialError::Key {
            kid: key.kid.clone(),
            source,
        })?;
    Ok(text.trim().to_owned())
}

impl Compilation {
    /// The errors, which are why there is no bundle.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics
            .iter()
            .filter(|found| found.severity == Severity::Error)
    }
}
