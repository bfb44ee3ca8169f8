//! A change of one campaign that ops staff ask for: which campaign and edition, and under which idempotency key.

use clap::Args;
use function::identity::Role;
use serde_json::Value as Json;

use crate::api::{Ask, Server};
use crate::failure::Failure;

/// Of which campaign, and where.
#[derive(Debug, Args)]
pub struct Change {
    /// The tenant's id
    pub tenant: String,
    /// The campaign's id
    pub campaign: String,
    /// The edition; without it the newest
    #[arg(long, value_name = "N")]
    pub edition: Option<u32>,
    /// The idempotency key
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

impl Change {
    /// Has the server make it: `what` is the last part of the path.
    pub fn make(&self, what: &str, body: &Json) -> Result<Json, Failure> {
        let api = self.server.connect(&self.tenant, Role::Publisher)?;
        let ask = Ask {
            path: &[&self.tenant, "campaigns", &self.campaign, what],
            query: &[("edition", self.edition.map(|edition| edition.to_string()))],
        };
        api.post(ask, self.key.as_deref(), body)
    }
}
