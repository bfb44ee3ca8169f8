//! What a process needs of its configs, however they came: from a folder's files, or from a [bundle](crate::bundle).
//! Campaigns are here as their canonical bytes, so that whoever only compares them reads none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use machine::model::Definition;
use sha2::{Digest, Sha256};

use crate::codec::{DecodeError, decode, encode};
use crate::tenant::Tenant;

/// The configs of some tenants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configs {
    /// By id.
    pub tenants: Vec<TenantConfigs>,
}

/// A tenant's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantConfigs {
    /// Its settings.
    pub tenant: Tenant,
    /// Its lists' members, by the list's name.
    pub lists: BTreeMap<String, BTreeSet<String>>,
    /// The bytes of its own fonts, by path from its folder. What a poster is written in is the tenant's, and not frozen with any
    /// revision.
    pub fonts: BTreeMap<String, Arc<[u8]>>,
    /// Its campaigns, by id.
    pub campaigns: Vec<CampaignConfig>,
    /// What was left out on purpose, since another function serves it.
    pub others: Vec<Other>,
}

/// A campaign that is only named: what a store has under this hash need not be read to know whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Its activity.
    pub activity: Arc<str>,
    /// SHA-256 of its definition's canonical bytes.
    pub sha256: [u8; 32],
}

/// A campaign's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignConfig {
    /// Its id.
    pub id: String,
    /// What it says; none where its file has errors, or is of an activity that this program does not have.
    pub compiled: Option<Compiled>,
}

/// A checked campaign as bytes. Its rules, as users read them, and its texts are in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// Its activity.
    pub activity: Arc<str>,
    /// Its edition.
    pub edition: u32,
    /// SHA-256 of the bytes: what a revision is known by.
    pub sha256: [u8; 32],
    /// The canonical bytes of its definition.
    pub bytes: Arc<[u8]>,
}

impl Compiled {
    /// Compiles a definition.
    pub fn of(definition: &Definition) -> Self {
        let bytes = encode(definition);
        Self {
            activity: definition.activity.clone(),
            edition: definition.edition,
            sha256: Sha256::digest(&bytes).into(),
            bytes: bytes.into(),
        }
    }

    /// The definition.
    pub fn definition(&self) -> Result<Definition, DecodeError> {
        decode(&self.bytes)
    }
}

impl TenantConfigs {
    /// The campaign of this id.
    pub fn campaign(&self, id: &str) -> Option<&CampaignConfig> {
        self.campaigns.iter().find(|campaign| campaign.id == id)
    }
}

#[cfg(feature = "yaml")]
impl From<crate::LoadedTenant> for TenantConfigs {
    fn from(loaded: crate::LoadedTenant) -> Self {
        let campaigns = loaded.campaigns.into_iter().map(|file| CampaignConfig {
            compiled: file.definition.as_ref().map(Compiled::of),
            id: file.id,
        });
        Self {
            tenant: loaded.tenant,
            lists: loaded.lists,
            fonts: loaded.fonts,
            campaigns: campaigns.collect(),
            others: Vec::new(),
        }
    }
}
