//! From a tenant's key descriptors to the verifiers of its tokens.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use campaign::tenant::{Alg as SpecAlg, KeySource, KeySpec, Tenant};

use crate::identity::{Alg, Audience, KeyError, KeySet, Verifier, mint, secret};
use crate::poster::storage::{NotStored, Storage};

/// Why a key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyMaterialError {
    /// The environment variable is not set.
    #[error("key `{kid}`: the environment variable {name} is not set")]
    Env {
        /// The key.
        kid: String,
        /// The variable.
        name: String,
    },
    /// The file can't be read.
    #[error("key `{kid}`: the file {path} can't be read ({source})")]
    File {
        /// The key.
        kid: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A development key can't be made.
    #[error("key `{kid}`: the development key can't be made: {source}")]
    Dev {
        /// The key.
        kid: String,
        /// Why.
        source: mint::MintError,
    },
    /// It is no key of its algorithm.
    #[error("key `{kid}`: {source}")]
    Key {
        /// The key.
        kid: String,
        /// Why.
        source: KeyError,
    },
}

/// The text of a key: from the environment, a file of the tenant's folder, made on first use in `<configs>/.keys`, or what a
/// bundle says.
pub fn material(configs: &Path, tenant: &str, spec: &KeySpec) -> Result<String, KeyMaterialError> {
    let kid = spec.kid.clone();
    match &spec.source {
        KeySource::Env(name) => std::env::var(name).map_err(|_| KeyMaterialError::Env {
            kid,
            name: name.clone(),
        }),
        KeySource::File(file) => {
            let path = configs.join(tenant).join(file);
            std::fs::read_to_string(&path).map_err(|source| KeyMaterialError::File {
                kid,
                path,
                source,
            })
        }
        KeySource::Public(key) => Ok(key.clone()),
        KeySource::Dev => {
            let path = configs.join(".keys").join(format!("{tenant}.{kid}"));
            mint::dev_key(&path).map_err(|source| KeyMaterialError::Dev { kid, source })
        }
    }
}

/// A verifier of these keys; the kept one if its keys are the same, so that the tokens it has checked stay checked.
pub(super) fn verifier(
    configs: &Path,
    tenant: &str,
    specs: &[KeySpec],
    audience: Audience,
    kept: Option<&Arc<Verifier>>,
) -> Result<Option<Arc<Verifier>>, KeyMaterialError> {
    let mut keys = KeySet::new();
    for spec in specs {
        let text = material(configs, tenant, spec)?;
        let alg = alg(spec);
        let text = match (alg, &spec.source) {
            // The file holds the private half: this machine makes the tokens, too.
            (Alg::EdDsa, KeySource::Dev) => {
                mint::ed25519_public(&text).map_err(|source| KeyMaterialError::Dev {
                    kid: spec.kid.clone(),
                    source,
                })?
            }
            _ => text,
        };
        keys.add(&spec.kid, alg, &text)
            .map_err(|source| KeyMaterialError::Key {
                kid: spec.kid.clone(),
                source,
            })?;
    }
    if let Some(kept) = kept.filter(|kept| kept.has_keys(&keys)) {
        return Ok(Some(kept.clone()));
    }
    Ok(Some(Arc::new(Verifier::new(keys, audience.of(tenant)))))
}

/// The secret that calls to a tenant's service are signed with.
pub(crate) fn connector_secret(
    configs: &Path,
    tenant: &str,
    spec: &KeySpec,
) -> Result<Vec<u8>, KeyMaterialError> {
    let text = material(configs, tenant, spec)?;
    secret(&spec.kid, text.trim()).map_err(|source| KeyMaterialError::Key {
        kid: spec.kid.clone(),
        source,
    })
}

/// The store that a tenant's posters are put into, if it names one; the kept one if it is the same.
pub(super) fn storage(
    configs: &Path,
    tenant: &Tenant,
    kept: Option<&Arc<Storage>>,
) -> Result<Option<Arc<Storage>>, StorageError> {
    let Some(config) = &tenant.posters.storage else {
        return Ok(None);
    };
    let text = |kid: &str, source: &KeySource| {
        let spec = KeySpec {
            kid: kid.to_owned(),
            alg: SpecAlg::HS256,
            source: source.clone(),
        };
        material(configs, &tenant.id, &spec).map(|text| text.trim().to_owned())
    };
    let id = text("storage-key", &config.key)?;
    let secret = text("storage-secret", &config.secret)?;
    if let Some(kept) = kept.filter(|kept| kept.is(config, &id, &secret)) {
        return Ok(Some(kept.clone()));
    }
    Ok(Some(Arc::new(Storage::new(config, &id, &secret)?)))
}

/// Why a tenant's store for posters can't be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum StorageError {
    /// Its key can't be had.
    #[error(transparent)]
    Key(#[from] KeyMaterialError),
    /// Its address is none.
    #[error(transparent)]
    Address(#[from] NotStored),
}

/// What a key is for.
pub(crate) fn alg(spec: &KeySpec) -> Alg {
    match spec.alg {
        SpecAlg::HS256 => Alg::Hs256,
        SpecAlg::EdDSA => Alg::EdDsa,
        SpecAlg::RS256 => Alg::Rs256,
    }
}
