//! Who is on which of the tenant's lists. A list that staff put into the store stands above a file of the same name; what the store
//! does not say in time is unknown, and the campaign's declaration says what that means.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use machine::ids::Pseudonym;
use machine::input::{Facts, Known};
use machine::model::{Definition, FactKind};
use machine::world::List;
use parking_lot::Mutex;
use store::Store;

use crate::ask::Answers;
use crate::served::{Served, TenantShell};

/// How long a call waits for what lists say.
const PATIENCE: Duration = Duration::from_millis(500);

/// How many findings are remembered; then it begins anew.
const MOST: usize = 50_000;

/// A tenant's lists in the store.
#[derive(Debug, Default)]
pub struct Stored {
    /// By name.
    pub lists: HashMap<String, List>,
    /// What was found before. What a version says never changes, so nothing here is ever old.
    found: Arc<Mutex<Found>>,
}

/// Whether someone is in a version.
type Found = HashMap<(Arc<str>, Pseudonym), bool>;

impl Stored {
    /// These lists, with what was found of the ones before.
    pub fn after(before: Option<&Self>, lists: impl IntoIterator<Item = (Arc<str>, List)>) -> Self {
        Self {
            lists: lists
                .into_iter()
                .map(|(name, list)| (name.to_string(), list))
                .collect(),
            found: before.map_or_else(Arc::default, |before| before.found.clone()),
        }
    }

    fn recall(&self, version: &Arc<str>, user: Pseudonym) -> Option<bool> {
        self.found.lock().get(&(version.clone(), user)).copied()
    }

    fn remember(&self, version: &Arc<str>, user: Pseudonym, is_on: bool) {
        let mut found = self.found.lock();
        if found.len() >= MOST {
            found.clear();
        }
        found.insert((version.clone(), user), is_on);
    }
}

/// What the store says of the lists that a campaign asks for, of one user. Lists that it does not hold are not in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed(Vec<(String, Known)>);

impl Listed {
    fn of(&self, list: &str) -> Option<Known> {
        let mut all = self.0.iter();
        all.find_map(|(name, known)| (name == list).then(|| known.clone()))
    }
}

impl TenantShell {
    /// Looks a user up in the stored lists that any live revision of a campaign asks for: all of them at once, and none again that
    /// was looked up before.
    pub async fn listed(&self, store: &dyn Store, served: &Served, user: Pseudonym) -> Listed {
        let mut found: Vec<(String, Known)> = Vec::new();
        let mut open: Vec<(usize, Arc<str>)> = Vec::new();
        let facts = served.live.iter().flat_map(|(_, live)| &live.facts);
        for what in facts.map(|fact| &fact.what) {
            let FactKind::List(name) = what else {
                continue;
            };
            let Some(list) = self.stored.lists.get(name) else {
                continue;
            };
            if found.iter().any(|(known, _)| known == name) {
                continue;
            }
            let known = self.stored.recall(&list.version, user);
            if known.is_none() {
                open.push((found.len(), list.version.clone()));
            }
            found.push((name.clone(), known.map_or(Known::Unknown, yes_or_no)));
        }
        if open.is_empty() {
            return Listed(found);
        }
        let versions: Vec<Arc<str>> = open.iter().map(|(_, version)| version.clone()).collect();
        let look = store.listed(&self.tenant.id, &versions, user);
        match tokio::time::timeout(PATIENCE, look).await {
            Ok(Ok(said)) => {
                for ((place, version), is_on) in open.into_iter().zip(said) {
                    let (Some(is_on), Some(entry)) = (is_on, found.get_mut(place)) else {
                        continue;
                    };
                    entry.1 = yes_or_no(is_on);
                    if store.is_remote() {
                        self.stored.remember(&version, user, is_on);
                    }
                }
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, tenant = self.tenant.id, "who is on a list is unknown");
            }
            Err(_) => tracing::warn!(
                tenant = self.tenant.id,
                "who is on a list is unknown: the store did not say in time"
            ),
        }
        Listed(found)
    }

    /// What is known about a member for a campaign's facts where no service is asked.
    pub fn facts(&self, definition: &Definition, member: &str, listed: &Listed) -> Facts {
        self.facts_with(definition, member, listed, &Answers::default())
    }

    /// What is known about a member for a campaign's facts, with what services said.
    pub fn facts_with(
        &self,
        definition: &Definition,
        member: &str,
        listed: &Listed,
        answers: &Answers,
    ) -> Facts {
        let each = (0_u16..).zip(&definition.facts);
        let found = each.map(|(at, fact)| match &fact.what {
            FactKind::Asked(_)
            | FactKind::Team(_)
            | FactKind::Redeem(_)
            | FactKind::FirstSight(_) => answers.of(at),
            FactKind::List(list) => listed.of(list).unwrap_or_else(|| {
                let members = self.lists.get(list);
                members.map_or(Known::Unknown, |members| {
                    yes_or_no(members.contains(member))
                })
            }),
        });
        Facts::settle(&definition.facts, found)
    }
}

fn yes_or_no(is_on: bool) -> Known {
    if is_on { Known::Yes } else { Known::No }
}
