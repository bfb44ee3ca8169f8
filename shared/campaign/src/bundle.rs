//! A bundle: the configs of some tenants in one file, for a function that has no parser. It holds no secret; whoever makes
//! one sees to that.
//!
//! ```text
//! gala-bundle 1 <SHA-256 of all that follows this line> <its bytes>
//! {"by":"0.1.0","tenants":[{"tenant":{..},"lists":{..},"campaigns":[{"id":..,"sha256":..,"bytes":..}],"others":[..]}]}
//! <the campaigns' canonical bytes, one after another in the order of the line above>
//! <the tenants' fonts, likewise>
//! ```
//!
//! The same configs give the same bytes. Whatever can't be read whole is refused whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use machine::ids::{hex, unhex};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::configs::{CampaignConfig, Compiled, Configs, Other, TenantConfigs};
use crate::tenant::Tenant;

/// What a bundle's file is called unless said otherwise.
pub const FILE: &str = "gala.bundle";

/// What it begins with.
const MAGIC: &str = "gala-bundle";

/// The form that this program writes, and the newest it reads.
const VERSION: u32 = 1;

/// The longest first line, in bytes: beyond, it is no bundle.
const LONGEST_HEADER: usize = 128;

/// A bundle that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The version of the program that wrote it.
    pub by: String,
    /// What it holds.
    pub configs: Configs,
}

/// Why a file can't be used as a bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It is another kind of file.
    #[error("it is no bundle: `gala compile CONFIGS --out FILE` makes one")]
    NotABundle,
    /// A later program wrote it.
    #[error(
        "it is of form {0}, and this program reads up to {VERSION}: build the function with the Gala that compiled it, or compile it with this one"
    )]
    Newer(u32),
    /// Its bytes are not those that were written.
    #[error("it is damaged ({0}): copy it again, or compile it again")]
    Damaged(&'static str),
    /// Its bytes are those that were written, and they say something that this program does not know.
    #[error(
        "it says something that this program can't read ({0}): compile it with the Gala that the function is of"
    )]
    Unknown(#[from] serde_json::Error),
}

#[derive(Serialize, Deserialize)]
struct Index {
    by: String,
    tenants: Vec<IndexedTenant>,
}

#[derive(Serialize, Deserialize)]
struct IndexedTenant {
    tenant: Tenant,
    lists: BTreeMap<String, BTreeSet<String>>,
    campaigns: Vec<IndexedCampaign>,
    /// Its fonts, and how many bytes each has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    fonts: BTreeMap<String, usize>,
    /// What is only named, since another function serves it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    others: Vec<IndexedOther>,
}

#[derive(Serialize, Deserialize)]
struct IndexedCampaign {
    id: String,
    activity: Arc<str>,
    edition: u32,
    sha256: String,
    bytes: usize,
}

#[derive(Serialize, Deserialize)]
struct IndexedOther {
    activity: Arc<str>,
    sha256: String,
}

/// Writes configs as a bundle. A campaign that is not compiled is left out.
pub fn write(configs: &Configs) -> Vec<u8> {
    let mut definitions: Vec<&[u8]> = Vec::new();
    let mut tenants = Vec::new();
    for configs in &configs.tenants {
        let mut campaigns = Vec::new();
        for campaign in &configs.campaigns {
            let Some(compiled) = &campaign.compiled else {
                continue;
            };
            definitions.push(&compiled.bytes);
            campaigns.push(IndexedCampaign {
                id: campaign.id.clone(),
                activity: compiled.activity.clone(),
                edition: compiled.edition,
                sha256: hex(&compiled.sha256),
                bytes: compiled.bytes.len(),
            });
        }
        tenants.push(IndexedTenant {
            tenant: configs.tenant.clone(),
            lists: configs.lists.clone(),
            fonts: (configs.fonts.iter())
                .map(|(path, bytes)| (path.clone(), bytes.len()))
                .collect(),
            campaigns,
            others: (configs.others.iter())
                .map(|other| IndexedOther {
                    activity: other.activity.clone(),
                    sha256: hex(&other.sha256),
                })
                .collect(),
        });
    }
    let fonts = configs.tenants.iter().flat_map(|each| each.fonts.values());
    definitions.extend(fonts.map(|bytes| &**bytes));
    let index = Index {
        by: env!("CARGO_PKG_VERSION").to_owned(),
        tenants,
    };
    // Strings, numbers and maps keyed by strings: nothing in it can fail to serialise.
    let mut body = serde_json::to_vec(&index).unwrap_or_default();
    body.push(b'\n');
    for bytes in definitions {
        body.extend_from_slice(bytes);
    }
    let sum = hex(&Sha256::digest(&body));
    let mut bundle = format!("{MAGIC} {VERSION} {sum} {}\n", body.len()).into_bytes();
    bundle.append(&mut body);
    bundle
}

/// Reads what [`write()`] wrote. The campaigns' own bytes are not looked into: one that this program can't read is found when
/// it is needed.
pub fn read(bytes: &[u8]) -> Result<Bundle, BundleError> {
    let body = checked(bytes)?;
    let (index, mut rest) = cut(body).ok_or(BundleError::Damaged("its index does not end"))?;
    let index: Index = serde_json::from_slice(index)?;
    let (mut tenants, mut sizes) = (Vec::new(), Vec::new());
    for indexed in index.tenants {
        let mut campaigns = Vec::new();
        for campaign in indexed.campaigns {
            let (bytes, after) = rest
                .split_at_checked(campaign.bytes)
                .ok_or(BundleError::Damaged("a campaign is cut off"))?;
            rest = after;
            let sha256: [u8; 32] = Sha256::digest(bytes).into();
            if hex(&sha256) != campaign.sha256 {
                return Err(BundleError::Damaged(
                    "a campaign is not what the index says",
                ));
            }
            campaigns.push(CampaignConfig {
                id: campaign.id,
                compiled: Some(Compiled {
                    activity: campaign.activity,
                    edition: campaign.edition,
                    sha256,
                    bytes: bytes.into(),
                }),
            });
        }
        let others = indexed.others.into_iter().map(|other| {
            let sha256 = unhex(&other.sha256);
            Ok(Other {
                activity: other.activity,
                sha256: sha256.ok_or(BundleError::Damaged("a hash in its index is none"))?,
            })
        });
        let others = others.collect::<Result<_, BundleError>>()?;
        sizes.push(indexed.fonts);
        tenants.push(TenantConfigs {
            tenant: indexed.tenant,
            lists: indexed.lists,
            fonts: BTreeMap::new(),
            campaigns,
            others,
        });
    }
    for (tenant, fonts) in tenants.iter_mut().zip(sizes) {
        for (path, size) in fonts {
            let (bytes, after) = rest
                .split_at_checked(size)
                .ok_or(BundleError::Damaged("a font is cut off"))?;
            rest = after;
            tenant.fonts.insert(path, bytes.into());
        }
    }
    if !rest.is_empty() {
        return Err(BundleError::Damaged("there is more than the index says"));
    }
    Ok(Bundle {
        by: index.by,
        configs: Configs { tenants },
    })
}

/// What follows the first line, if that is what was written.
fn checked(bytes: &[u8]) -> Result<&[u8], BundleError> {
    let begins = bytes.get(..MAGIC.len()) == Some(MAGIC.as_bytes());
    if !begins {
        return Err(BundleError::NotABundle);
    }
    let line = bytes.get(..bytes.len().min(LONGEST_HEADER));
    let header = line.and_then(cut).map(|(line, _)| line);
    let header = header.ok_or(BundleError::Damaged("its first line does not end"))?;
    let body = bytes.get(header.len() + 1..).unwrap_or_default();
    let mut words = std::str::from_utf8(header).unwrap_or_default().split(' ');
    let (magic, version) = (words.next(), words.next());
    if magic != Some(MAGIC) {
        return Err(BundleError::NotABundle);
    }
    match version.and_then(|version| version.parse().ok()) {
        Some(VERSION) => {}
        // A later form may go on in its own way after its number.
        Some(newer) if newer > VERSION => return Err(BundleError::Newer(newer)),
        _ => return Err(BundleError::Damaged("its form has no such number")),
    }
    let (sum, length) = (words.next(), words.next());
    if length.and_then(|length| length.parse().ok()) != Some(body.len()) {
        return Err(BundleError::Damaged("its length is not what it says"));
    }
    if sum != Some(hex(&Sha256::digest(body)).as_str()) {
        return Err(BundleError::Damaged("its checksum does not fit"));
    }
    Ok(body)
}

/// A line, without its end, and what follows.
fn cut(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((bytes.get(..end)?, bytes.get(end + 1..)?))
}

#[cfg(test)]
mod tests;
