//! Preview links: what lets someone without an account play a campaign's test lane for a while, before it opens or after.
//!
//! A link carries a token that is no JWT and that no other door knows: `gp1.<what it says>.<HMAC-SHA256>`, both in URL-safe Base64.
//! Its key is derived from the secret seed of the test lane of this one edition, so that whoever serves the campaign can check it and
//! nothing has to be set up; for another campaign, edition or tenant it is worth nothing. **It can only ever act in the test lane**:
//! which lane a call is in is not said in it, and whoever is let in by one is in that lane ([`crate::http`]).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use machine::Millis;
use machine::ids::hex;
use machine::luck::Seed;
use rand::TryRng;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use sha2::Sha256;

use crate::identity::{Claims, Reason, Unauthenticated};
use crate::served::Served;

/// What every such token begins with.
const PREFIX: &str = "gp1.";

/// The longest token, in bytes: it stands in an address.
pub const MAX_BYTES: usize = 2048;

/// The longest life of a link, in seconds: thirty days.
pub const LIFE_MOST_SECS: i64 = 30 * 86_400;

/// What a link lets its bearer be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preview {
    /// As which member they play.
    #[serde(rename = "u")]
    pub member: String,
    /// When it ends, in seconds since 1970 (UTC).
    #[serde(rename = "x")]
    pub expires_secs: i64,
    /// How far ahead of the test lane's clock theirs is, in milliseconds; never negative, since no record goes back in time.
    #[serde(rename = "a", default)]
    pub ahead_ms: Millis,
    /// What is said about them, as in a user's token.
    #[serde(rename = "c", default)]
    pub claims: Map<String, Json>,
}

/// A member id that nobody has: 64 random bits behind a word.
pub fn somebody() -> Result<String, rand::rngs::SysError> {
    let mut bytes = [0; 8];
    rand::rngs::SysRng.try_fill_bytes(&mut bytes)?;
    Ok(format!("preview-{}", hex(&bytes)))
}

/// Whether a token is one of these.
pub fn is_one(token: &str) -> bool {
    token.starts_with(PREFIX)
}

impl Preview {
    /// The token of a link into this campaign's test lane.
    pub fn sign(&self, served: &Served) -> String {
        // Strings, numbers and what came as JSON: it always serialises.
        let said = URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default());
        let mac = mac(served, &said).map(|mac| mac.finalize().into_bytes());
        let mac = mac.map_or_else(String::new, |mac| URL_SAFE_NO_PAD.encode(mac));
        format!("{PREFIX}{said}.{mac}")
    }

    /// What a token lets its bearer be in this campaign's test lane, at `now_secs` (seconds since 1970).
    pub fn read(token: &str, served: &Served, now_secs: i64) -> Result<Self, Unauthenticated> {
        if token.len() > MAX_BYTES {
            return Err(Reason::TooLong.into());
        }
        let rest = token.strip_prefix(PREFIX).ok_or(Reason::Malformed)?;
        let (said, signature) = rest.split_once('.').ok_or(Reason::Malformed)?;
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| Reason::Malformed)?;
        mac(served, said)
            .ok_or(Reason::BadSignature)?
            .verify_slice(&signature)
            .map_err(|_| Reason::BadSignature)?;
        // What is read now was written by a server that has the seed.
        let bytes = URL_SAFE_NO_PAD
            .decode(said)
            .map_err(|_| Reason::Malformed)?;
        let preview: Self = serde_json::from_slice(&bytes).map_err(|_| Reason::Malformed)?;
        if now_secs >= preview.expires_secs {
            return Err(Reason::Expired.into());
        }
        Ok(preview)
    }

    /// The claims that they act with.
    pub fn as_claims(&self) -> Claims {
        Claims {
            sub: self.member.clone(),
            exp: self.expires_secs,
            role: None,
            scopes: Vec::new(),
            extra: self.claims.clone(),
        }
    }
}

/// The signature of what a token says, begun.
fn mac(served: &Served, said: &str) -> Option<Hmac<Sha256>> {
    let Seed(secret) = &served.seeds.1;
    let mut mac: Hmac<Sha256> = Hmac::new_from_slice(secret).ok()?;
    mac.update(b"gala-preview");
    for part in [&*served.tenant, &*served.campaign, said] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    mac.update(&served.edition.to_be_bytes());
    Some(mac)
}
