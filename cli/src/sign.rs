//! Tokens from a tenant's own keys, as far as this machine has them.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use campaign::tenant::{Alg, KeySource, KeySpec, Tenant};
use campaign::{Diagnostics, Source};
use function::identity::{Minter, Role, Ticket};
use function::registry::material;

use crate::failure::Failure;
use crate::show::plain;

/// The ids of all tenants in a configs folder, in their order.
pub fn tenants(configs: &Path) -> Result<Vec<String>, Failure> {
    let mut known: Vec<String> = names(configs)?
        .into_iter()
        .filter(|name| configs.join(name).join("tenant.yaml").is_file())
        .collect();
    known.sort_unstable();
    Ok(known)
}

/// What stands in a configs folder.
fn names(configs: &Path) -> Result<Vec<String>, Failure> {
    let known = std::fs::read_dir(configs).map_err(|error| {
        Failure::usage(format!(
            "the configs folder {} can't be read: {error}",
            configs.display()
        ))
    })?;
    Ok(known
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect())
}

/// A tenant's settings.
pub fn tenant(configs: &Path, id: &str) -> Result<Tenant, Failure> {
    // Looked up among what is there, never joined to a path: an id may hold anything.
    let known = names(configs)?;
    if !known.iter().any(|known| known == id) || id.starts_with('.') {
        let tenants = known
            .iter()
            .filter(|name| configs.join(name).join("tenant.yaml").is_file());
        let tenants: Vec<&str> = tenants.map(String::as_str).collect();
        return Err(Failure::usage(format!(
            "there is no tenant `{id}` in {}; it has {}",
            configs.display(),
            if tenants.is_empty() {
                "none".to_owned()
            } else {
                tenants.join(", ")
            }
        )));
    }
    let path = configs.join(id).join("tenant.yaml");
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Failure::usage(format!("{} can't be read: {error}", path.display())))?;
    let mut said = Diagnostics::new();
    let source: Arc<Source> = Source::new(path.display().to_string(), text);
    campaign::tenant::read(id, &source, &mut said).ok_or_else(|| {
        let errors: String = said.iter().map(plain).collect();
        Failure::check(
            "config",
            format!("the tenant's settings are not sound:\n{errors}"),
        )
    })
}

/// Signs a ticket with the first of these keys that this machine can sign with.
pub fn sign(
    configs: &Path,
    tenant: &str,
    keys: &[KeySpec],
    ticket: &Ticket,
) -> Result<String, Failure> {
    first(tenant, keys, |key| {
        let now = chrono::Utc::now().timestamp();
        let minter = minter(configs, tenant, key)?;
        minter.sign(ticket, now).map_err(|error| error.to_string())
    })
}

/// The first of these keys that this machine can sign with, for many tokens.
pub fn signer(configs: &Path, tenant: &str, keys: &[KeySpec]) -> Result<Minter, Failure> {
    first(tenant, keys, |key| minter(configs, tenant, key))
}

/// What the first of these keys gives that gives anything.
fn first<T>(
    tenant: &str,
    keys: &[KeySpec],
    with: impl Fn(&KeySpec) -> Result<T, String>,
) -> Result<T, Failure> {
    let mut why = Vec::new();
    for key in keys {
        match with(key) {
            Ok(got) => return Ok(got),
            Err(error) => why.push(error),
        }
    }
    if keys.is_empty() {
        why.push("it has none of this kind".to_owned());
    }
    Err(Failure::check(
        "no-signing-key",
        format!(
            "no key of tenant `{tenant}` can sign here: {}",
            why.join("; ")
        ),
    ))
}

fn minter(configs: &Path, tenant: &str, key: &KeySpec) -> Result<Minter, String> {
    let text = material(configs, tenant, key).map_err(|error| error.to_string())?;
    match (key.alg, &key.source) {
        (Alg::HS256, _) => Minter::hs256(&key.kid, &text).map_err(|error| error.to_string()),
        (Alg::EdDSA, KeySource::Dev) => {
            let pem = ed25519_pem(&text)
                .ok_or_else(|| format!("key `{}`: the development key is damaged", key.kid))?;
            Minter::ed25519(&key.kid, &pem).map_err(|error| format!("key `{}`: {error}", key.kid))
        }
        (Alg::EdDSA | Alg::RS256, _) => Err(format!(
            "key `{}` only checks tokens; whoever issues them has its other half",
            key.kid
        )),
    }
}

/// The 32 bytes of a development key as an Ed25519 private key (RFC 8410, PKCS#8).
fn ed25519_pem(seed: &str) -> Option<String> {
    const PREFIX: [u8; 16] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    let seed = URL_SAFE_NO_PAD
        .decode(seed.trim())
        .ok()
        .filter(|seed| seed.len() == 32)?;
    let der = [PREFIX.as_slice(), &seed].concat();
    Some(format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der)
    ))
}

/// A staff token signed with a development key; none where the tenant's keys are real ones: those are not for a
/// command to use unasked.
pub fn dev_admin(configs: &Path, tenant: &Tenant, role: Role) -> Result<Option<String>, Failure> {
    let dev: Vec<KeySpec> = tenant
        .admin_keys
        .iter()
        .filter(|key| key.source == KeySource::Dev)
        .cloned()
        .collect();
    if dev.is_empty() {
        return Ok(None);
    }
    let ticket = Ticket {
        ttl_secs: 600,
        ..Ticket::admin(&tenant.id, "gala-cli", role)
    };
    sign(configs, &tenant.id, &dev, &ticket).map(Some)
}
