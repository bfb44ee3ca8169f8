//! The next revision of a campaign, whoever asks for it: a changed file, `publish`, `rollback`. Here is decided whether it
//! may follow the one before; the store then makes it so.

use std::sync::Arc;

use blocks::stranded;
use campaign::changes::{Change, changes, rewords, worse};
use campaign::law::Law;
use machine::luck::Seed;
use machine::migrate::Stranded;
use machine::model::Phase;
use machine::world::{Action, Publication, Refused};
use machine::{Definition, Millis};
use rand::TryRng;
use store::{Published, Store};

use crate::pools;

/// Why a checked campaign was not published.
#[derive(Debug, thiserror::Error)]
pub enum NotPublished {
    /// It would strand participants or lose promises.
    #[error("it can't follow revision {revision}: {}", list(.against))]
    Stranded {
        /// The revision before.
        revision: u32,
        /// All that stands against it.
        against: Vec<Stranded>,
    },
    /// It gives users less than they were promised, while they can rely on it.
    #[error("{}", worsens(*.revision, .changes, *.law))]
    Worsens {
        /// The revision before.
        revision: u32,
        /// What would be less.
        changes: Vec<Change>,
        /// The law that forbids it; none: a reason is asked for.
        law: Option<Law>,
    },
    /// Two revisions that are live at once would tell users different things.
    #[error(
        "revisions that are live at once must promise the same, and it differs from revision {revision} in what users are told: {}", told(.changes)
    )]
    Apart {
        /// The revision that is live.
        revision: u32,
        /// Where it differs from it.
        changes: Vec<Change>,
    },
    /// A release that could not be taken back, and nobody said that this is meant.
    #[error(
        "it could not be taken back to revision {revision}: {}. Give that revision a place for it first, or say that you mean it (`gala publish --one-way`)",
        list(.against)
    )]
    OneWay {
        /// The revision that is live.
        revision: u32,
        /// All that would stand against it.
        against: Vec<Stranded>,
    },
    /// A release can't be taken back: the revision before has no place for what participants are in by now.
    #[error(
        "it can't be taken back to revision {revision}: {}. Give it to all (`--all`), pause, or publish a revision that follows both",
        list(.against)
    )]
    NoWayBack {
        /// The revision to go back to.
        revision: u32,
        /// All that stands against it.
        against: Vec<Stranded>,
    },
    /// A changed file would end a release that staff have under way.
    #[error(
        "revisions {older} and {newer} are live, each for its share of the users: the file waits until the release is finished or taken back (`gala release`)"
    )]
    Shared {
        /// The older live revision.
        older: u32,
        /// The newer one.
        newer: u32,
    },
    /// Staff took back the release of what the file says.
    #[error(
        "the file is revision {0}, which was released to a share of the users and taken back: change the file, or have it published (`gala publish`)"
    )]
    TakenBack(u32),
    /// It words the rules anew that users rely on, and nobody says that they lose nothing by it.
    #[error(
        "the rules that users were shown by revision {revision} read differently; under the law of {} that needs a reason while the campaign is open (`gala publish --reason`), which the audit keeps",
        .law.as_str()
    )]
    Rewords {
        /// The revision before.
        revision: u32,
        /// Which texts.
        changes: Vec<Change>,
        /// The law that asks.
        law: Law,
    },
    /// The revision before, or the one to go back to, can't be read.
    #[error("the revision before can't be read: {0}")]
    Before(#[from] campaign::codec::DecodeError),
    /// It is in a bundle of another version.
    #[error("what the bundle has can't be read: {0}")]
    Unreadable(campaign::codec::DecodeError),
    /// The store refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The system's random source failed, and a campaign without a secret seed can't be.
    #[error("the system gives no random numbers")]
    NoRandomness,
    /// Staff have put another revision in the file's place.
    #[error(
        "the file is revision {then}, and {by} has made revision {newest} live since: change the file, or have it published (`gala publish`)"
    )]
    Replaced {
        /// The revision that the file is.
        then: u32,
        /// The newest revision.
        newest: u32,
        /// Who made that.
        by: Arc<str>,
    },
    /// There is no code in a pool, so that nothing would be given of a reward.
    #[error(
        "there are no codes in {}: put some first (`gala codes put`)",
        .0.iter().map(|pool| format!("pool `{pool}`")).collect::<Vec<_>>().join(", ")
    )]
    EmptyPools(Vec<Arc<str>>),
    /// The tenant's changes are reviewed, and nobody has approved of what a file says.
    #[error(
        "changes of this tenant are reviewed (`review` in its tenant.yaml), and a file is approved by nobody: `gala draft` makes it a draft, which {0} must approve"
    )]
    Unreviewed(u32),
}

fn list(stranded: &[Stranded]) -> String {
    stranded
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

fn told(changes: &[Change]) -> String {
    let what: Vec<&str> = changes.iter().map(|change| &*change.en).collect();
    what.join("; ")
}

fn worsens(revision: u32, changes: &[Change], law: Option<Law>) -> String {
    let what = told(changes);
    let way_out = law.map_or_else(
        || "publish it with a reason (`gala publish --reason`), which the audit keeps".to_owned(),
        |law| {
            format!(
                "under the law of {} it may not while the campaign is open: pause it, or publish these in an edition to come",
                law.as_str()
            )
        },
    );
    format!("users were promised more by revision {revision} ({what}): {way_out}")
}

/// Under what a revision that gives users less may follow.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terms<'a> {
    /// The tenant's law.
    pub law: Option<&'a str>,
    /// Why, in the words of whoever publishes.
    pub reason: Option<&'a str>,
    /// Whether there must be codes in all pools that it names.
    pub full_pools: bool,
}

/// The edition that a definition is of, if it is published.
pub fn edition<'a>(
    published: &'a [Published],
    tenant: &str,
    definition: &Definition,
) -> Option<&'a Published> {
    edition_of(published, tenant, &definition.campaign, definition.edition)
}

/// This edition, if it is published.
pub(super) fn edition_of<'a>(
    published: &'a [Published],
    tenant: &str,
    campaign: &str,
    edition: u32,
) -> Option<&'a Published> {
    published.iter().find(|known| {
        *known.tenant == *tenant && *known.campaign == *campaign && known.edition == edition
    })
}

/// The revision that a definition makes, if it may follow what is published of its edition (`known`). For one that is
/// live already, too: the store then says so, or answers a repeat as it answered before.
pub async fn publication(
    store: &dyn Store,
    definition: &Definition,
    known: Option<&Published>,
    terms: Terms<'_>,
    now: Millis,
) -> Result<Result<Publication, NotPublished>, store::Error> {
    if let Some(known) = known
        && let Err(no) = follows(store, known, definition, terms, now).await?
    {
        return Ok(Err(no));
    }
    let (Ok(live), Ok(test)) = (seed(), seed()) else {
        return Ok(Err(NotPublished::NoRandomness));
    };
    let stock = match pools::stock(store, definition).await? {
        Ok(stock) => stock,
        Err(no) => return Ok(Err(no.into())),
    };
    if terms.full_pools {
        let missing = pools::missing(store, definition).await?;
        if !missing.is_empty() {
            return Ok(Err(NotPublished::EmptyPools(missing)));
        }
    }
    Ok(Ok(Publication {
        campaign: definition.campaign.clone(),
        edition: definition.edition,
        definition: campaign::encode(definition).into(),
        stock,
        budget: definition.budget.as_ref().map(|budget| budget.total),
        seeds: (live, test),
    }))
}

/// The change that makes revision `to` the next one, if it may follow the newest.
pub async fn rollback(
    store: &dyn Store,
    known: &Published,
    to: u32,
    terms: Terms<'_>,
    now: Millis,
) -> Result<Result<Action, NotPublished>, store::Error> {
    let found = store
        .revision(&known.tenant, &known.campaign, known.edition, to)
        .await?;
    let Some(found) = found else {
        return Ok(Err(
            Refused::NoSuchRevision(known.campaign.clone(), to).into()
        ));
    };
    let definition = match campaign::decode(&found.definition) {
        Ok(definition) => definition,
        Err(error) => return Ok(Err(error.into())),
    };
    if let Err(no) = follows(store, known, &definition, terms, now).await? {
        return Ok(Err(no));
    }
    let stock = match pools::stock(store, &definition).await? {
        Ok(stock) => stock,
        Err(no) => return Ok(Err(no.into())),
    };
    Ok(Ok(Action::Rollback {
        campaign: known.campaign.clone(),
        edition: known.edition,
        to,
        stock,
        budget: definition.budget.as_ref().map(|budget| budget.total),
    }))
}

/// Whether a definition may follow what is live.
pub(super) async fn follows(
    store: &dyn Store,
    known: &Published,
    definition: &Definition,
    terms: Terms<'_>,
    now: Millis,
) -> Result<Result<(), NotPublished>, store::Error> {
    let judged = match judge(store, known, definition, terms.law, now).await? {
        Ok(judged) => judged,
        Err(error) => return Ok(Err(error.into())),
    };
    let revision = known.newest;
    if !judged.against.is_empty() {
        let against = judged.against;
        return Ok(Err(NotPublished::Stranded { revision, against }));
    }
    if judged.forbids.is_some() || (!judged.worse.is_empty() && terms.reason.is_none()) {
        return Ok(Err(NotPublished::Worsens {
            revision,
            changes: judged.worse,
            law: judged.forbids,
        }));
    }
    if let (Some(law), None) = (judged.binds, terms.reason)
        && !judged.rewords.is_empty()
    {
        return Ok(Err(NotPublished::Rewords {
            revision,
            changes: judged.rewords,
            law,
        }));
    }
    Ok(Ok(()))
}

/// What there is to say of a definition that would follow the newest revision of its edition.
#[derive(Debug, Default)]
pub struct Judged {
    /// What it changes.
    pub changes: Vec<Change>,
    /// Why it can't follow, whatever the reason.
    pub against: Vec<Stranded>,
    /// What it takes from users that they rely on: what they were told, from when the campaign opens until the last claim.
    pub worse: Vec<Change>,
    /// The law that forbids to take it.
    pub forbids: Option<Law>,
    /// What words the rules anew that users rely on, where a law asks who says that they lose nothing by it: [`Self::binds`].
    pub rewords: Vec<Change>,
    /// The law that asks.
    pub binds: Option<Law>,
}

/// Judges a definition by what is live, under the tenant's law: by the newest live revision, and where another is live too, or a
/// release was taken back whose participants were not touched since, by what it says of states and rules as well. Nothing to say
/// where the store has no such revision; the inner error is of a revision that this program can't read.
pub async fn judge(
    store: &dyn Store,
    known: &Published,
    definition: &Definition,
    law: Option<&str>,
    now: Millis,
) -> Result<Result<Judged, campaign::codec::DecodeError>, store::Error> {
    let main = known.live.last().map_or(known.newest, |live| live.revision);
    let mut others: Vec<u32> = known.live.iter().map(|live| live.revision).collect();
    others.push(known.newest);
    others.retain(|other| *other != main);
    others.dedup();
    let old = match stored(store, known, main).await? {
        None => return Ok(Ok(Judged::default())),
        Some(Ok(old)) => old,
        Some(Err(error)) => return Ok(Err(error)),
    };
    let mut against = stranded(&old, definition, &known.granted_rules, now);
    for other in others {
        match stored(store, known, other).await? {
            None => {}
            Some(Ok(other)) => {
                let more = stranded(&other, definition, &known.granted_rules, now);
                against.extend(
                    more.into_iter()
                        .filter(|one| !against.contains(one))
                        .collect::<Vec<_>>(),
                );
            }
            Some(Err(error)) => return Ok(Err(error)),
        }
    }
    let changes = changes(&old, definition);
    let relied_on = match old.window.phase(now) {
        Phase::Open | Phase::Paused | Phase::Claiming => &changes[..],
        Phase::Preview | Phase::Ended => &[],
    };
    let worse = worse(relied_on);
    let law = law.and_then(Law::of);
    let binds = law.filter(|law| !law.lets_rules_be_reworded());
    let law = law.filter(|law| !law.lets_terms_worsen());
    Ok(Ok(Judged {
        against,
        forbids: law.filter(|_| !worse.is_empty()),
        rewords: binds.map_or_else(Vec::new, |_| rewords(relied_on)),
        binds,
        worse,
        changes,
    }))
}

/// A revision's definition, if the store has it.
pub(super) async fn stored(
    store: &dyn Store,
    known: &Published,
    revision: u32,
) -> Result<Option<Result<Definition, campaign::codec::DecodeError>>, store::Error> {
    let found = store
        .revision(&known.tenant, &known.campaign, known.edition, revision)
        .await?;
    Ok(found.map(|found| campaign::decode(&found.definition)))
}

/// A secret from the system's random source.
pub(super) fn seed() -> Result<Seed, rand::rngs::SysError> {
    let mut bytes = [0; 32];
    rand::rngs::SysRng.try_fill_bytes(&mut bytes)?;
    Ok(Seed(bytes))
}
