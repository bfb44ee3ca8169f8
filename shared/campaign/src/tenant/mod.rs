//! A tenant's settings, checked: what `tenant.yaml` says. Secrets are named here, never held; what a bundle holds of keys
//! is their public half.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use machine::model::{ClaimDecl, Currency, Durability};
use machine::{Millis, Text};
use serde::{Deserialize, Serialize};

use crate::law::{Law, TWO_YEARS_MS};

#[cfg(feature = "yaml")]
mod claims;
#[cfg(feature = "yaml")]
mod connectors;
#[cfg(feature = "yaml")]
mod keys;
mod network;
mod posters;
#[cfg(feature = "yaml")]
mod read;
#[cfg(feature = "yaml")]
mod secrets;
#[cfg(all(test, feature = "yaml"))]
mod tests;
#[cfg(feature = "yaml")]
pub use keys::KEYS;
pub use network::is_public;
pub use posters::{Storage, TenantPosters, host_is_allowed};
#[cfg(feature = "yaml")]
pub use read::read;

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its id: its folder's name.
    pub id: String,
    /// Shown to people.
    pub name: Text,
    /// What tokens of users are checked with.
    pub keys: Vec<KeySpec>,
    /// What tokens of admins are checked with; never one of `keys`.
    pub admin_keys: Vec<KeySpec>,
    /// What the tenant's own back ends sign with.
    pub service_keys: Vec<KeySpec>,
    /// What `user.*` may be, in the order written.
    pub claims: Vec<ClaimDecl>,
    /// Web origins that may call from a browser.
    pub origins: Vec<String>,
    /// Addresses and networks (CIDR) whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// The timezone of campaigns that name none.
    pub timezone: Tz,
    /// What money is counted in.
    pub currency: Currency,
    /// The languages of texts; the first is the default, and there is one.
    pub languages: Vec<String>,
    /// How often.
    pub quotas: Quotas,
    /// Which country's rules apply: what [`crate::law`] makes of it.
    pub law: Option<String>,
    /// Who hands rewards over. `manual` is always there.
    pub connectors: BTreeMap<String, Connector>,
    /// What an answer promises, unless a campaign says otherwise.
    pub durability: Durability,
    /// Who runs campaigns that name nobody.
    pub organizer: Text,
    /// For how long an edition's books are kept after its last claim, in milliseconds.
    #[serde(default = "two_years")]
    pub archive_ms: Millis,
    /// Who must look at a change before it is published.
    #[serde(default)]
    pub review: Review,
    /// What its campaigns' posters may use.
    #[serde(default)]
    pub posters: TenantPosters,
}

const fn two_years() -> Millis {
    TWO_YEARS_MS
}

/// Who must look at a change before it is published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// How many others must approve a draft; 0: nobody need, and files and documents are published without one.
    pub approvals: u32,
}

impl Tenant {
    /// For how long an edition's books are kept after its last claim, in milliseconds: what the tenant says, and never less
    /// than its law wants.
    pub fn kept_ms(&self) -> Millis {
        let law = self.law.as_deref().and_then(Law::of);
        self.archive_ms.max(law.map_or(0, Law::archive_ms))
    }

    /// The language of plain texts.
    pub fn language(&self) -> &str {
        self.languages.first().map_or("en", String::as_str)
    }
}

/// A key, by where it is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySpec {
    /// Its id, as tokens name it.
    pub kid: String,
    /// What it is for.
    pub alg: Alg,
    /// Where it is.
    pub source: KeySource,
}

/// Signature algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Alg {
    /// A shared secret.
    HS256,
    /// Ed25519.
    EdDSA,
    /// RSA.
    RS256,
}

/// Where a key is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeySource {
    /// In an environment variable of this name.
    Env(String),
    /// In a file at this path, relative to the tenant's folder.
    File(String),
    /// Made on first use, for development.
    Dev,
    /// Here: a public key, as a bundle carries it. No `tenant.yaml` says this.
    Public(String),
}

/// How often a tenant and each of its users may call; see the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quotas {
    /// Requests of the whole tenant per second, on average.
    pub per_second: u32,
    /// As many more at once.
    pub burst: u32,
    /// Requests of one user per second, on average.
    pub user_per_second: u32,
    /// As many more at once.
    pub user_burst: u32,
    /// How many members a list in the store may have.
    #[serde(default = "list_members")]
    pub list_members: u32,
    /// How many codes one file may put into a pool.
    #[serde(default = "pool_codes")]
    pub pool_codes: u32,
}

/// What a list may have where nothing is said: bundles from before lists were put say nothing.
const fn list_members() -> u32 {
    5_000_000
}

/// What a file of codes may have where nothing is said.
const fn pool_codes() -> u32 {
    10_000_000
}

/// Enough for a busy campaign on one machine, and for the quickest finger.
impl Default for Quotas {
    fn default() -> Self {
        Self {
            per_second: 2000,
            burst: 4000,
            user_per_second: 10,
            user_burst: 20,
            list_members: list_members(),
            pool_codes: pool_codes(),
        }
    }
}

/// Who hands rewards over, or is asked for facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connector {
    /// How.
    pub kind: ConnectorKind,
    /// Where it is, of kind [`ConnectorKind::Http`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpConnector>,
}

impl Connector {
    /// People.
    pub const fn manual() -> Self {
        Self {
            kind: ConnectorKind::Manual,
            http: None,
        }
    }
}

/// The kinds of connectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectorKind {
    /// People do it, and mark it done.
    Manual,
    /// A service that facts are asked of.
    Http,
}

/// A service of the tenant's: one place, one signed call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpConnector {
    /// Whether TLS is spoken. Without it only where `private`.
    pub tls: bool,
    /// The host: a name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The path, from its first `/`.
    pub path: String,
    /// Where the secret is that calls are signed with.
    pub secret: KeySource,
    /// How long a call may take in all, in milliseconds: 10 to 1000.
    pub timeout_ms: Millis,
    /// How long an answer about a member is used again, in milliseconds; 0: not at all.
    pub keep_ms: Millis,
    /// How many calls of one process may be under way.
    pub at_once: u32,
    /// Whether private addresses may be called.
    pub private: bool,
}
