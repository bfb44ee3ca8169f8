//! What the tenant's own services are asked about a member before a step: one signed call a service, for all that is wanted
//! of it, within the time its connector declares. What it does not say in time is unknown, and the campaign says what that
//! counts as. Which facts an event needs is known from the check; nothing here decides anything.
//!
//! `docs/FACTS.md` is the contract that services are written against.

mod breaker;
pub(crate) mod dial;
mod first_sight;
mod service;
mod sign;
mod team;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use campaign::tenant::{Alg, KeySpec, Tenant};
use futures_util::future::join_all;
use machine::ids::{CampaignKey, Pseudonym};
use machine::input::{Known, User};
use machine::model::{Asked, FactDecl};
use machine::{Campaign, Millis, Type};
use store::Store;

use self::service::{Member, Service};
use crate::redeem::Typed;
use crate::registry::connector_secret;
use crate::served::TenantShell;

pub use sign::{SIGNATURE, Signer, TIME};

/// A tenant's services, by the names of their connectors.
#[derive(Debug, Default)]
pub struct Services(BTreeMap<String, Arc<Service>>);

impl Services {
    /// Those of a tenant; one that is as it was keeps its connections, what it said, and its failures. A service whose secret
    /// can't be had is told by `problem`, and not asked.
    pub fn after(
        before: Option<&Self>,
        tenant: &Tenant,
        keys: &Path,
        problem: &mut dyn FnMut(String),
    ) -> Self {
        let mut services = BTreeMap::new();
        for (name, connector) in &tenant.connectors {
            let Some(http) = &connector.http else {
                continue;
            };
            let spec = KeySpec {
                kid: format!("connector-{name}"),
                alg: Alg::HS256,
                source: http.secret.clone(),
            };
            let secret = match connector_secret(keys, &tenant.id, &spec) {
                Ok(secret) => secret,
                Err(error) => {
                    problem(format!("connector `{name}`: {error}"));
                    continue;
                }
            };
            let kept = before.and_then(|before| before.0.get(name));
            let service = match kept.filter(|kept| kept.is(http, &secret)) {
                Some(kept) => kept.clone(),
                None => Arc::new(Service::new(&tenant.id, name, http.clone(), secret)),
            };
            services.insert(name.clone(), service);
        }
        Self(services)
    }
}

/// Whom is asked about, and where.
#[derive(Clone, Copy)]
pub struct Whom<'a> {
    /// The store, which knows teams' tallies, lists of codes, and who has been here before.
    pub store: &'a dyn Store,
    /// The campaign's lane.
    pub key: &'a CampaignKey,
    /// The member id.
    pub member: &'a str,
    /// Its pseudonym.
    pub user: Pseudonym,
    /// Their claims.
    pub claims: &'a User,
    /// The clock, of this lane.
    pub now: Millis,
    /// The code that they handed in, where they did.
    pub code: Option<&'a Typed>,
}

/// Why it is not said what a code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// There were too many wrong ones; after how long one may be tried again.
    TooMany(Duration),
    /// The store did not say.
    Slow,
}

/// What services said of one member, by the facts' places in a definition. Facts that are not in it were not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    facts: BTreeMap<u16, Known>,
    /// Set where nothing may be decided, since it is not known what a code is.
    pub no: Option<NoAnswer>,
}

impl Answers {
    /// What was said of a fact.
    pub fn of(&self, fact: u16) -> Known {
        self.facts.get(&fact).cloned().unwrap_or(Known::NotAsked)
    }

    /// Those of these facts that were not asked for; none after a no.
    pub fn without(&self, mut wanted: BTreeSet<u16>) -> BTreeSet<u16> {
        wanted.retain(|fact| self.no.is_none() && !self.facts.contains_key(fact));
        wanted
    }

    /// Takes in what more was said.
    pub fn extend(&mut self, more: Self) {
        self.facts.extend(more.facts);
        self.no = self.no.take().or(more.no);
    }
}

impl TenantShell {
    /// Asks for these facts of a member: every service once, all of them at the same time.
    pub async fn ask(
        &self,
        definition: &Campaign,
        wanted: &BTreeSet<u16>,
        who: &Whom<'_>,
    ) -> Answers {
        let (member, user) = (who.member, who.user);
        let mut by_service: BTreeMap<&str, Vec<(u16, &Asked)>> = BTreeMap::new();
        for fact in wanted {
            let declared = definition.facts.get(usize::from(*fact));
            if let Some(asked) = declared.and_then(|declared| declared.asked()) {
                let of = by_service.entry(&asked.connector).or_default();
                of.push((*fact, asked));
            }
        }
        let about = &Member { id: member, user };
        let calls = by_service.into_iter().map(|(name, facts)| async move {
            let questions: Vec<(&str, Type)> = facts
                .iter()
                .map(|(_, asked)| (asked.field.as_str(), asked.ty))
                .collect();
            let said = match self.asked.0.get(name) {
                Some(service) if !member.is_empty() => service.ask(about, &questions).await,
                _ => vec![Known::Unknown; questions.len()],
            };
            let facts = facts.into_iter().map(|(fact, _)| fact);
            facts.zip(said).collect::<Vec<_>>()
        });
        let mut answers: BTreeMap<u16, Known> =
            join_all(calls).await.into_iter().flatten().collect();
        for fact in wanted {
            let declared = definition.facts.get(usize::from(*fact));
            if let Some(team) = declared.and_then(FactDecl::team) {
                let said = self.team(who, definition, team).await;
                answers.insert(*fact, said);
            }
            if let Some(first) = declared.and_then(FactDecl::first_sight) {
                answers.insert(*fact, self.first_sight(who, first).await);
            }
        }
        let mut no = None;
        let code = definition.redeem();
        if let Some((fact, redeem)) = code.filter(|(fact, _)| wanted.contains(fact)) {
            match self.handed(who, redeem).await {
                Ok(said) => {
                    answers.insert(fact, said);
                }
                Err(why) => no = Some(why),
            }
        }
        Answers { facts: answers, no }
    }
}
