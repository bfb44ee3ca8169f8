//! A checked campaign as bytes and back, and ready to run. Needs neither the YAML nor the CEL parser.

use machine::model::{Campaign, Definition, LinkError};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The canonical bytes of a definition: JSON with its fields in the order of the model. The same definition gives the
/// same bytes, so their SHA-256 names it.
pub fn encode(definition: &Definition) -> Vec<u8> {
    // Strings, numbers and maps keyed by strings: nothing in a definition can fail to serialise.
    serde_json::to_vec(definition).unwrap_or_default()
}

/// Reads what [`encode`] wrote.
pub fn decode(bytes: &[u8]) -> Result<Definition, DecodeError> {
    Ok(serde_json::from_slice(bytes)?)
}

/// The activity of what [`encode`] wrote, without reading the rest of it.
pub fn activity(bytes: &[u8]) -> Result<String, DecodeError> {
    #[derive(Deserialize)]
    struct Whose {
        activity: String,
    }
    let whose: Whose = serde_json::from_slice(bytes)?;
    Ok(whose.activity)
}

/// Bytes that are no definition this program knows.
#[derive(Debug, thiserror::Error)]
#[error("this is no compiled campaign that this program can read: {0}")]
pub struct DecodeError(#[from] serde_json::Error);

/// SHA-256 of a definition's canonical bytes.
pub fn sha256(definition: &Definition) -> [u8; 32] {
    Sha256::digest(encode(definition)).into()
}

/// Attaches the blocks' code to a definition, under a revision.
pub fn link(definition: Definition, revision: u32) -> Result<Campaign, LinkError> {
    let sha256 = sha256(&definition);
    link_as(definition, revision, sha256)
}

/// As [`link`], under the hash that the definition was published with.
pub fn link_as(
    definition: Definition,
    revision: u32,
    sha256: [u8; 32],
) -> Result<Campaign, LinkError> {
    Campaign::link(definition, revision, sha256, &|spec| blocks::link(spec))
}
