//! Checking one token: signature, audience, time, shape. Every failure looks the same from outside.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value};

use super::keys::KeySet;
use super::role::Role;
use crate::fingerprint::StrictObject;
use crate::problem::{Code, Problem};

/// The longest token, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// How far clocks may be apart, in seconds.
pub const LEEWAY_SECS: i64 = 30;
/// The longest `sub`, in bytes.
pub const MAX_SUB_BYTES: usize = 255;

/// What a good token says.
#[derive(Clone, PartialEq)]
pub struct Claims {
    /// The member id: 1 to 255 bytes without control characters.
    pub sub: String,
    /// When the token ends, in seconds since 1970 (UTC).
    pub exp: i64,
    /// The claim `role`, where it is a text; see [`Claims::admin_role`].
    pub role: Option<String>,
    /// The claim `scope`: its words.
    pub scopes: Vec<String>,
    /// All claims but the registered ones (`iss`, `sub`, `aud`, `exp`, `nbf`, `iat`, `jti`) and `scope`.
    pub extra: Map<String, Value>,
}

impl Claims {
    /// Those of no token: for what comes from a host, and not from anyone's client.
    pub fn of_nobody() -> Self {
        Self {
            sub: String::new(),
            exp: 0,
            role: None,
            scopes: Vec::new(),
            extra: Map::new(),
        }
    }

    /// The staff role. Means something only in a token whose audience was checked to be the admin API's.
    pub fn admin_role(&self) -> Option<Role> {
        self.role.as_deref().and_then(Role::parse)
    }

    /// Whether the token carries that scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|has| has == scope)
    }
}

impl fmt::Debug for Claims {
    /// Without what tells who it is: claims end up in logs by way of `Debug`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("exp", &self.exp)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// Checks the tokens of one audience with one set of keys. New keys mean a new verifier, and with it a fresh
/// identity towards the [`super::Cache`]: what an old key let in is not remembered.
#[derive(Debug)]
pub struct Verifier {
    keys: KeySet,
    audience: String,
    pub(super) id: u64,
}

impl Verifier {
    /// A verifier for tokens whose `aud` contains `audience` (see [`super::Audience::of`]).
    pub fn new(keys: KeySet, audience: String) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            keys,
            audience,
            id: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Whether it checks with these keys.
    pub fn has_keys(&self, keys: &KeySet) -> bool {
        self.keys.same_as(keys)
    }

    /// Checks a token at `now_secs` (seconds since 1970).
    ///
    /// `exp` is required, `nbf` honoured, both with a leeway of [`LEEWAY_SECS`]. What a header says of where
    /// to find a key (`jku`, `jwk`, `x5u`, `x5c`) is ignored; a header with `crit` is refused.
    pub fn verify(&self, token: &str, now_secs: i64) -> Result<Claims, Unauthenticated> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Reason::TooLong.into());
        }
        // Also where `alg: none` and every other name that nobody here knows ends.
        let header = jsonwebtoken::decode_header(token).map_err(|_| Reason::Malformed)?;
        if header.crit.is_some() {
            return Err(Reason::Critical.into());
        }
        let key = self
            .keys
            .find(header.kid.as_deref())
            .ok_or(Reason::UnknownKey)?;
        if header.alg != key.alg.jwt() {
            return Err(Reason::WrongAlgorithm.into());
        }
        let StrictObject(claims) = jsonwebtoken::decode(token, &key.decoding, &key.signature_only)
            .map_err(|error| match error.kind() {
                jsonwebtoken::errors::ErrorKind::InvalidSignature => Reason::BadSignature,
                _ => Reason::Malformed,
            })?
            .claims;
        self.judge(claims, now_secs).map_err(Unauthenticated::from)
    }

    fn judge(&self, mut claims: Map<String, Value>, now_secs: i64) -> Result<Claims, Reason> {
        let exp = claims.remove("exp").ok_or(Reason::NoExpiry)?;
        let exp = numeric_date(&exp).ok_or(Reason::Malformed)?;
        if now_secs >= exp + LEEWAY_SECS {
            return Err(Reason::Expired);
        }
        if let Some(nbf) = claims.remove("nbf") {
            let nbf = numeric_date(&nbf).ok_or(Reason::Malformed)?;
            if now_secs + LEEWAY_SECS < nbf {
                return Err(Reason::NotYet);
            }
        }
        let ours = match claims.remove("aud") {
            Some(Value::String(aud)) => aud == self.audience,
            Some(Value::Array(list)) => list.iter().any(|aud| aud.as_str() == Some(&self.audience)),
            _ => false,
        };
        if !ours {
            return Err(Reason::WrongAudience);
        }
        let Some(Value::String(sub)) = claims.remove("sub") else {
            return Err(Reason::BadSubject);
        };
        if sub.is_empty() || sub.len() > MAX_SUB_BYTES || sub.chars().any(char::is_control) {
            return Err(Reason::BadSubject);
        }
        let scopes = match claims.remove("scope") {
            Some(Value::String(scope)) => {
                scope.split_ascii_whitespace().map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
        for registered in ["iss", "iat", "jti"] {
            claims.remove(registered);
        }
        let role = claims
            .get("role")
            .and_then(Value::as_str)
            .map(str::to_owned);
        Ok(Claims {
            sub,
            exp,
            role,
            scopes,
            extra: claims,
        })
    }
}

/// A JWT date in whole seconds, rounded down; `None` outside the years 1970 to 9999.
fn numeric_date(value: &Value) -> Option<i64> {
    let secs = value
        .as_i64()
        .or_else(|| value.as_f64().map(|secs| secs.floor() as i64))?;
    (0..=253_402_300_799).contains(&secs).then_some(secs)
}

/// There is no caller that we know. The reason is for the log; a client only learns that it must sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unauthenticated: {reason}")]
pub struct Unauthenticated {
    /// What was wrong.
    pub reason: Reason,
}

impl From<Reason> for Unauthenticated {
    fn from(reason: Reason) -> Self {
        Self { reason }
    }
}

impl From<Unauthenticated> for Problem {
    fn from(_: Unauthenticated) -> Self {
        Self::new(Code::Unauthenticated)
    }
}

/// What was wrong with a token, as the log has it. No part of a token is ever in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message is its documentation")]
pub enum Reason {
    #[error("no Authorization header")]
    Missing,
    #[error("more than one Authorization header")]
    Repeated,
    #[error("the Authorization header is not a Bearer token")]
    NotBearer,
    #[error("the token is longer than 8 KB")]
    TooLong,
    #[error("the token is malformed, or its algorithm is unknown")]
    Malformed,
    #[error("the token's header has `crit`")]
    Critical,
    #[error("no key of that id, or no id where there are several keys")]
    UnknownKey,
    #[error("the token's algorithm is not its key's")]
    WrongAlgorithm,
    #[error("the signature is wrong")]
    BadSignature,
    #[error("the token has no `exp`")]
    NoExpiry,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYet,
    #[error("the token is for another audience")]
    WrongAudience,
    #[error("`sub` is missing, empty, too long or has control characters")]
    BadSubject,
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
