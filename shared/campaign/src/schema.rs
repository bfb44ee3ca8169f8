//! JSON Schema from tables of keys, for editors.
use serde_json::Value as Json;
use crate::document::Keys;
/// The schema of a file whose keys are these.
pub fn of(_keys: &'static Keys) -> Json { Json::Null }
