//! x
use std::sync::Arc;
use crate::diagnostic::Diagnostics;
use crate::document::Keys;
use crate::source::Source;
use crate::tenant::Tenant;
/// The keys of a `tenant.yaml`.
pub static KEYS: Keys = Keys { name: "tenant", doc: "A tenant.", keys: &[] };
/// Reads a `tenant.yaml`; `id` is the tenant's id: its folder's name.
pub fn read(_id: &str, _source: &Arc<Source>, _diagnostics: &mut Diagnostics) -> Option<Tenant> { None }
