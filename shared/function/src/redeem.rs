//! Codes that users hand in: sealed as they come in, and looked up before a step.
//!
//! From [`seal`] on a body holds a code's digest in place of the code, and everything that is made of the body (its fingerprint, the
//! payload of the step, what is parked) with it. The text itself goes along in [`Typed`], which no log can print, and ends with the call.
//!
//! Who guesses is stopped by tries, which are taken before anybody looks and given back for what was right: see [`limit::Tries`]. A code
//! whose check symbol is wrong takes none, for nothing is looked up and whoever guesses can count it out as well as we can.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;
use limit::Allowance;
use machine::ids::Pseudonym;
use machine::input::Known;
use machine::redeem::{FIELD, Handed, RedeemFact, Standing, digest};
use serde_json::{Map, Value as Json};

use crate::ask::{NoAnswer, Whom};
use crate::served::{Served, TenantShell};

/// How long a call waits for what lists say.
const PATIENCE: Duration = Duration::from_millis(1500);

/// A code as somebody typed it.
pub struct Typed {
    text: String,
    digest: Pseudonym,
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Typed").finish_non_exhaustive()
    }
}

/// Puts the digest of the code that an event brings in its place; none where this is no event with which codes come, or brings none.
pub fn seal(
    tenant: &TenantShell,
    served: &Served,
    event: &str,
    body: &mut Map<String, Json>,
) -> Option<Typed> {
    let mut live = served.live.iter().filter_map(|(_, live)| live.redeem());
    live.find(|(_, redeem)| *redeem.event == *event)?;
    let code = body.get_mut(FIELD)?;
    let text = code.as_str()?.to_owned();
    let secret = &tenant.secret.0;
    // What can be no code stays apart from what can: another fingerprint, and no list has it.
    let digest = digest(secret, &text)
        .unwrap_or_else(|| Pseudonym::of(secret, &format!("\0no-code\0{text}")));
    *code = Json::String(digest.to_string());
    Some(Typed { text, digest })
}

/// The codes of a folder's lists, by their digests.
pub type Digests = HashMap<String, Arc<HashSet<Pseudonym>>>;

/// The digests of the lists of the folder that campaigns take codes from; those of a list that is as it was are kept.
#[expect(
    clippy::implicit_hasher,
    reason = "the lists of a folder, and nobody else's"
)]
pub fn digests<'a>(
    campaigns: impl Iterator<Item = &'a Arc<Served>>,
    lists: &HashMap<String, HashSet<String>>,
    secret: &[u8; 32],
    known: Option<&TenantShell>,
) -> Digests {
    let live = campaigns.flat_map(|served| &served.live);
    let redeems = live.filter_map(|(_, live)| live.redeem());
    let wanted: BTreeSet<&str> = redeems
        .flat_map(|(_, redeem)| redeem.lists().map(|(_, list)| &**list))
        .collect();
    let mut found = Digests::new();
    for list in wanted {
        let Some(members) = lists.get(list) else {
            continue;
        };
        let kept = known.filter(|known| known.lists.get(list) == Some(members));
        let kept = kept.and_then(|known| known.codes.get(list)).cloned();
        let made = || {
            let digests = members.iter().filter_map(|code| digest(secret, code));
            Arc::new(digests.collect())
        };
        found.insert(list.to_owned(), kept.unwrap_or_else(made));
    }
    found
}

impl TenantShell {
    /// What the code is that somebody handed in.
    pub(crate) async fn handed(
        &self,
        who: &Whom<'_>,
        redeem: &RedeemFact,
    ) -> Result<Known, NoAnswer> {
        // It was sealed under what was live when it came in; where codes have come with this event only since, it comes again.
        let Some(typed) = who.code else {
            return Err(NoAnswer::Slow);
        };
        let known = |is| {
            let code = typed.digest;
            Ok(Known::Handed(Handed { code, is }))
        };
        let at_sight = redeem.at_sight(&who.key.tenant, &who.key.campaign, &typed.text);
        if at_sight == Some(Standing::Mistyped) {
            return known(Standing::Mistyped);
        }
        self.take_a_try(who, redeem).await?;
        let is = match at_sight {
            Some(word) => word,
            None => self.on_lists(who, redeem, typed.digest).await?,
        };
        if is != Standing::Unknown {
            self.give_it_back(who, redeem).await;
        }
        known(is)
    }

    /// Of which kind a code is, as the lists say: all of them are looked at, whichever has it.
    async fn on_lists(
        &self,
        who: &Whom<'_>,
        redeem: &RedeemFact,
        code: Pseudonym,
    ) -> Result<Standing, NoAnswer> {
        let lists: Vec<(&Arc<str>, &Arc<str>)> = redeem.lists().collect();
        let stored = |list: &str| Some(self.stored.lists.get(list)?.version.clone());
        let versions: Vec<Arc<str>> = lists.iter().filter_map(|(_, list)| stored(list)).collect();
        let mut said = Vec::new();
        if !versions.is_empty() {
            let look = who.store.listed(&self.tenant.id, &versions, code);
            said = match tokio::time::timeout(PATIENCE, look).await {
                Ok(Ok(said)) => said,
                Ok(Err(error)) => {
                    tracing::warn!(%error, tenant = self.tenant.id, "what a code is is unknown");
                    return Err(NoAnswer::Slow);
                }
                Err(_) => return Err(NoAnswer::Slow),
            };
        }
        let mut said = said.into_iter();
        let mut found = Standing::Unknown;
        for (kind, list) in lists {
            let has = if self.stored.lists.contains_key(&**list) {
                // A list whose codes are lost is none without codes.
                said.next().flatten().ok_or(NoAnswer::Slow)?
            } else {
                let file = self.codes.get(&**list);
                file.is_some_and(|codes| codes.contains(&code))
            };
            if has && found == Standing::Unknown {
                found = Standing::Of(kind.clone());
            }
        }
        Ok(found)
    }

    async fn take_a_try(&self, who: &Whom<'_>, redeem: &RedeemFact) -> Result<(), NoAnswer> {
        let tenant = &*self.tenant.id;
        let (own, all) = (self.own_tries(who, redeem), self.all_tries(who, redeem));
        let taken = join(
            self.tries.take(tenant, &own.0, own.1),
            self.tries.take(tenant, &all.0, all.1),
        );
        let lost = |error: store::Error| {
            tracing::warn!(%error, tenant, "how many wrong codes there were is unknown");
            NoAnswer::Slow
        };
        let (of_own, of_all) = taken.await;
        let (of_own, of_all) = (of_own.map_err(lost)?, of_all.map_err(lost)?);
        // What the other gave is not kept for a look that nobody makes.
        let back = match (&of_own, &of_all) {
            (Ok(()), Ok(())) => return Ok(()),
            (Ok(()), Err(_)) => Some(&own),
            (Err(_), Ok(())) => Some(&all),
            (Err(_), Err(_)) => None,
        };
        if let Some((name, allowance)) = back {
            let given = self.tries.give_back(tenant, name, *allowance).await;
            given.map_err(lost)?;
        }
        let waits = [of_own.err(), of_all.err()].into_iter().flatten();
        Err(NoAnswer::TooMany(waits.max().unwrap_or_default()))
    }

    async fn give_it_back(&self, who: &Whom<'_>, redeem: &RedeemFact) {
        let tenant = &*self.tenant.id;
        let (own, all) = (self.own_tries(who, redeem), self.all_tries(who, redeem));
        let given = join(
            self.tries.give_back(tenant, &own.0, own.1),
            self.tries.give_back(tenant, &all.0, all.1),
        );
        let (of_own, of_all) = given.await;
        for error in [of_own.err(), of_all.err()].into_iter().flatten() {
            // It costs a try, and nothing else.
            tracing::debug!(%error, tenant, "a right code took a try with it");
        }
    }

    fn own_tries(&self, who: &Whom<'_>, redeem: &RedeemFact) -> (String, Allowance) {
        let name = self.bucket(who, &who.user.to_string());
        let tries = &redeem.tries;
        (name, allowance(tries.per_user, tries.per_secs))
    }

    fn all_tries(&self, who: &Whom<'_>, redeem: &RedeemFact) -> (String, Allowance) {
        let tries = &redeem.tries;
        (
            self.bucket(who, ""),
            allowance(tries.in_all, tries.per_secs),
        )
    }

    /// The name of a bucket: it has room for 64 characters, and a campaign's name may take all of them.
    fn bucket(&self, who: &Whom<'_>, whose: &str) -> String {
        let text = format!("\0tries\0{}\0{whose}", who.key);
        format!("tries-{}", Pseudonym::of(&self.secret.0, &text))
    }
}

fn allowance(at_once: u32, per_secs: u32) -> Allowance {
    Allowance {
        at_once,
        per: Duration::from_secs(per_secs.into()),
    }
}
