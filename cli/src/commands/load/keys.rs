//! Tokens for a load test, from the tenants' keys: one minter for each tenant, made once.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use function::identity::{Minter, Role, Ticket};
use loadtest::engine::{self, Mint};
use loadtest::scenario::Scenario;
use serde_json::Value;

use crate::failure::Failure;
use crate::sign;

/// How long a token is good, in seconds: longer than any journey.
const TOKEN_SECS: i64 = 3600;

/// The users' keys of a scenario's tenants.
pub struct Keys(HashMap<String, Minter>);

impl Keys {
    /// The keys of `configs`, as far as this machine has them.
    pub fn of(configs: &Path, scenario: &Scenario) -> Result<Self, Failure> {
        minters(configs, scenario, |tenant| &tenant.keys).map(Self)
    }
}

impl Mint for Keys {
    fn token(
        &self,
        tenant: &str,
        member: &str,
        claims: &BTreeMap<String, Value>,
    ) -> Result<String, engine::Error> {
        let ticket = Ticket {
            ttl_secs: TOKEN_SECS,
            extra: claims.clone().into_iter().collect(),
            ..Ticket::user(tenant, member)
        };
        signed(&self.0, tenant, &ticket).map_err(|why| engine::Error::Mint {
            tenant: tenant.to_owned(),
            why,
        })
    }
}

/// The staff's keys of a scenario's tenants.
pub enum Staff {
    /// One token, given by hand: for scenarios of one tenant.
    Given(String),
    /// Made from the tenants' own keys.
    Made(HashMap<String, Minter>),
}

impl Staff {
    /// `token`, or the keys of `configs`.
    pub fn of(configs: &Path, scenario: &Scenario, token: Option<&str>) -> Result<Self, Failure> {
        match token {
            Some(token) => Ok(Self::Given(token.to_owned())),
            None => minters(configs, scenario, |tenant| &tenant.admin_keys).map(Self::Made),
        }
    }

    /// A token of this tenant's staff, who may read the ledger.
    pub fn token(&self, tenant: &str) -> Result<String, loadtest::judge::Error> {
        let made = match self {
            Self::Given(token) => return Ok(token.clone()),
            Self::Made(minters) => {
                let ticket = Ticket::admin(tenant, "load-test", Role::Finance);
                signed(minters, tenant, &ticket)
            }
        };
        made.map_err(|why| loadtest::judge::Error::Token {
            whom: format!("the staff of tenant `{tenant}`"),
            why,
        })
    }
}

fn minters(
    configs: &Path,
    scenario: &Scenario,
    keys: impl Fn(&campaign::tenant::Tenant) -> &Vec<campaign::tenant::KeySpec>,
) -> Result<HashMap<String, Minter>, Failure> {
    let mut minters = HashMap::new();
    for campaign in &scenario.campaigns {
        if !minters.contains_key(&campaign.tenant) {
            let tenant = sign::tenant(configs, &campaign.tenant)?;
            let minter = sign::signer(configs, &tenant.id, keys(&tenant))?;
            minters.insert(campaign.tenant.clone(), minter);
        }
    }
    Ok(minters)
}

fn signed(
    minters: &HashMap<String, Minter>,
    tenant: &str,
    ticket: &Ticket,
) -> Result<String, String> {
    let minter = minters
        .get(tenant)
        .ok_or_else(|| "it has no key here".to_owned())?;
    minter
        .sign(ticket, chrono::Utc::now().timestamp())
        .map_err(|error| error.to_string())
}
