//! Every key that Gala writes to Redis, built here and nowhere else: a type for each family, tied to one slot.
//!
//! All that a commit touches shares the hash tag `{tenant/campaign/shard}` and so one slot; a tenant's own things share
//! `{tenant}`. The name carries the layout's version (`v1`): a layout that changes writes other keys and reads both. Ids
//! are `[a-z0-9-]{1,64}`, so no id can hold a brace, a slash or a colon and move a key into another slot.
//!
//! | key | value |
//! |---|---|
//! | `gala/v1/store` | this store's id, made once |
//! | `gala/v1/campaigns` | set of `tenant/campaign/edition` |
//! | `gala/v1/changes` | counts what ops staff changed; also the channel that tells of it |
//! | `{T}/v1/secret`, `/audit`, `/answer/<hash>`, `/booked/<id>` | a tenant's secret, audit, admin answers, booked notes |
//! | `{T}/v1/pause`, `/blocks` | the tenant's pause; a hash of who is blocked: what each campaign's slot gets |
//! | `{T}/v1/parked`, `/parked/data`, `/parked/order`, `/parked/tally` | hashes of parked events and of what they say; sorted set of which came last; how many came, and how many were let go |
//! | `{T}/v1/codes`, `/codes/<version>` | hash of pools of codes; a segment's codes, a hash of chunks |
//! | `{T/C/0}/v1/<edition>/head` | epoch, newest and live revisions, pause |
//! | `.../halt`, `.../blocked` | the tenant's pause and its blocks, as commits look at them |
//! | `.../revision/<n>`, `.../rules`, `.../note` | a revision; the rules that have granted; a change not yet in the audit |
//! | `.../<lane>/setup`, `.../tally` | seed, clock; rows and participants |
//! | `.../<lane>/counters`, `.../c/<counter>` | their names; one counter |
//! | `.../<lane>/p/<pseudonym>` | a participant with the grants and where the remembered answers are |
//! | `.../<lane>/ledger`, `.../answers`, `.../timers` | streams of rows and of answers; sorted set of who is due when |
//! | `.../<lane>/marks` | hash: how far readers of the ledger have come |
//! | `.../<lane>/lease/<job>`, `.../lease/<job>/fence` | who does a job; the last fencing number |

use std::fmt;

use machine::ids::{CampaignKey, Lane, Pseudonym};
use machine::world::CounterKey;

/// The layout's version.
const V: &str = "v1";

/// The shard of every participant, until campaigns have several.
const SHARD: u32 = 0;

/// What all keys of an edition begin with, told from its note's.
pub(super) fn stem_of(note: &Key) -> Option<&str> {
    note.0.strip_suffix("note")
}

/// The test lane of the edition whose note this is.
pub(super) fn test_lane_of(note: &Key) -> Option<OfLane> {
    let stem = format!("{}{}", stem_of(note)?, Lane::Test);
    Some(OfLane { stem })
}

/// A key's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// One that the server named.
    pub(super) fn named(name: String) -> Self {
        Self(name)
    }

    /// As the server gets it.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl redis::ToRedisArgs for Key {
    fn write_redis_args<W: ?Sized + redis::RedisWrite>(&self, out: &mut W) {
        out.write_arg(self.as_bytes());
    }

    fn num_of_args(&self) -> usize {
        1
    }
}

impl redis::ToSingleRedisArg for Key {}

/// The store's id.
pub fn store() -> Key {
    Key(format!("gala/{V}/store"))
}

/// The set of all campaigns.
pub fn campaigns() -> Key {
    Key(format!("gala/{V}/campaigns"))
}

/// How often ops staff changed anything; also the channel on which a change is told.
pub fn changes() -> Key {
    Key(format!("gala/{V}/changes"))
}

/// A tenant's keys.
#[derive(Debug, Clone, Copy)]
pub struct OfTenant<'a>(pub &'a str);

impl OfTenant<'_> {
    fn key(self, rest: fmt::Arguments<'_>) -> Key {
        Key(format!("{{{}}}/{V}/{rest}", self.0))
    }

    /// What its pseudonyms are made with.
    pub fn secret(self) -> Key {
        self.key(format_args!("secret"))
    }

    /// Its audit, a list.
    pub fn audit(self) -> Key {
        self.key(format_args!("audit"))
    }

    /// The answer to an admin call; `hash` is of its idempotency key.
    pub fn answer(self, hash: &str) -> Key {
        self.key(format_args!("answer/{hash}"))
    }

    /// That a note of a campaign stands in the audit.
    pub fn booked(self, note: &str) -> Key {
        self.key(format_args!("booked/{note}"))
    }

    /// Its pause.
    pub fn pause(self) -> Key {
        self.key(format_args!("pause"))
    }

    /// Who is blocked, a hash by pseudonym.
    pub fn blocks(self) -> Key {
        self.key(format_args!("blocks"))
    }

    /// What is kept of parked events, a hash by name.
    pub fn parked(self) -> Key {
        self.key(format_args!("parked"))
    }

    /// What they say, a hash by name.
    pub fn parked_data(self) -> Key {
        self.key(format_args!("parked/data"))
    }

    /// Which came last, a sorted set of names.
    pub fn parked_order(self) -> Key {
        self.key(format_args!("parked/order"))
    }

    /// How many came, and how many were let go.
    pub fn parked_tally(self) -> Key {
        self.key(format_args!("parked/tally"))
    }

    /// The campaigns that have a draft, or had one, a set.
    pub fn drafts(self) -> Key {
        self.key(format_args!("drafts"))
    }

    /// A hash: which version each list is, by its name.
    pub fn lists(self) -> Key {
        self.key(format_args!("lists"))
    }

    /// A set: the members of a version of a list.
    pub fn list(self, version: &str) -> Key {
        self.key(format_args!("list/{version}"))
    }

    /// A hash: each pool of codes, by its name; and by no name how often codes were put.
    pub fn pools(self) -> Key {
        self.key(format_args!("codes"))
    }

    /// A hash: a segment's codes, by the number of their chunk.
    pub fn codes(self, version: &str) -> Key {
        self.key(format_args!("codes/{version}"))
    }

    /// A rate limit's state.
    pub fn rate(self, name: &str) -> Key {
        self.key(format_args!("rate/{name}"))
    }
}

/// The keys of a campaign's draft, which is of no edition. In the slot of the campaign, so that it is published and dropped
/// in one step.
#[derive(Debug, Clone)]
pub struct OfDraft {
    stem: String,
}

impl OfDraft {
    /// Those of this campaign.
    pub fn new(tenant: &str, campaign: &str) -> Self {
        Self {
            stem: format!("{{{tenant}/{campaign}/{SHARD}}}/{V}/draft"),
        }
    }

    /// Where it is, or was, a hash: all but what it says, and what it says.
    pub fn place(&self) -> Key {
        Key(self.stem.clone())
    }

    /// A deed that is done and not yet booked in the audit.
    pub fn note(&self) -> Key {
        Key(format!("{}/note", self.stem))
    }
}

/// The keys of one edition of a campaign.
#[derive(Debug, Clone)]
pub struct OfCampaign {
    stem: String,
}

impl OfCampaign {
    /// Those of this edition.
    pub fn new(tenant: &str, campaign: &str, edition: u32) -> Self {
        Self {
            stem: format!("{{{tenant}/{campaign}/{SHARD}}}/{V}/{edition}"),
        }
    }

    /// What every commit looks at.
    pub fn head(&self) -> Key {
        Key(format!("{}/head", self.stem))
    }

    /// The tenant's pause.
    pub fn halt(&self) -> Key {
        Key(format!("{}/halt", self.stem))
    }

    /// Until when whom of the tenant is blocked, a hash by pseudonym.
    pub fn blocked(&self) -> Key {
        Key(format!("{}/blocked", self.stem))
    }

    /// A published revision.
    pub fn revision(&self, number: u32) -> Key {
        Key(format!("{}/revision/{number}", self.stem))
    }

    /// The rules that have granted, a set.
    pub fn rules(&self) -> Key {
        Key(format!("{}/rules", self.stem))
    }

    /// A change that is made and not yet booked in the audit.
    pub fn note(&self) -> Key {
        Key(format!("{}/note", self.stem))
    }

    /// Where the campaign's draft is: [`OfDraft::place`].
    pub fn draft(&self) -> Key {
        let (campaign, _) = self.stem.rsplit_once('/').unwrap_or((&self.stem, ""));
        Key(format!("{campaign}/draft"))
    }

    /// The keys of one lane.
    pub fn lane(&self, lane: Lane) -> OfLane {
        OfLane {
            stem: format!("{}/{lane}", self.stem),
        }
    }
}

/// The keys of one lane of an edition.
#[derive(Debug, Clone)]
pub struct OfLane {
    stem: String,
}

impl OfLane {
    /// Those of this lane.
    pub fn new(key: &CampaignKey) -> Self {
        OfCampaign::new(&key.tenant, &key.campaign, key.edition).lane(key.lane)
    }

    /// Seed and clock.
    pub fn setup(&self) -> Key {
        Key(format!("{}/setup", self.stem))
    }

    /// How many rows and participants.
    pub fn tally(&self) -> Key {
        Key(format!("{}/tally", self.stem))
    }

    /// The names of its counters, a set.
    pub fn counters(&self) -> Key {
        Key(format!("{}/counters", self.stem))
    }

    /// A counter.
    pub fn counter(&self, counter: &CounterKey) -> Key {
        Key(format!("{}/c/{counter}", self.stem))
    }

    /// A counter by its name.
    pub(super) fn counter_named(&self, name: &str) -> Key {
        Key(format!("{}/c/{name}", self.stem))
    }

    /// What all of its keys begin with.
    pub(super) fn all(&self) -> String {
        format!("{}/", self.stem)
    }

    /// What the keys of its leases begin with.
    pub(super) fn leases(&self) -> String {
        format!("{}/lease/", self.stem)
    }

    /// A participant.
    pub fn participant(&self, user: &Pseudonym) -> Key {
        Key(format!("{}/p/{user}", self.stem))
    }

    /// What all participants' keys begin with.
    pub fn participants(&self) -> String {
        format!("{}/p/", self.stem)
    }

    /// The ledger, a stream.
    pub fn ledger(&self) -> Key {
        Key(format!("{}/ledger", self.stem))
    }

    /// The remembered answers, a stream.
    pub fn answers(&self) -> Key {
        Key(format!("{}/answers", self.stem))
    }

    /// Who is due when, a sorted set.
    pub fn timers(&self) -> Key {
        Key(format!("{}/timers", self.stem))
    }

    /// How far readers of the ledger have come, a hash by name.
    pub fn marks(&self) -> Key {
        Key(format!("{}/marks", self.stem))
    }

    /// Who does a job.
    pub fn lease(&self, job: &str) -> Key {
        Key(format!("{}/lease/{job}", self.stem))
    }

    /// The last fencing number of that job's leases.
    pub fn fence(&self, job: &str) -> Key {
        Key(format!("{}/lease/{job}/fence", self.stem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_well_and_never_change() {
        let key = CampaignKey {
            tenant: "acme".into(),
            campaign: "wheel".into(),
            edition: 2,
            lane: Lane::Test,
        };
        let lane = OfLane::new(&key);
        let rows = [
            (lane.tally(), "{acme/wheel/0}/v1/2/test/tally"),
            (
                lane.counter(&CounterKey::Stock("mug".into())),
                "{acme/wheel/0}/v1/2/test/c/stock/mug",
            ),
            (
                lane.counter(&CounterKey::BudgetDay(20_000)),
                "{acme/wheel/0}/v1/2/test/c/budget/2024-10-04",
            ),
            (
                lane.participant(&Pseudonym([0xab; 16])),
                "{acme/wheel/0}/v1/2/test/p/abababababababababababababababab",
            ),
            (OfTenant("acme").audit(), "{acme}/v1/audit"),
            (
                OfDraft::new("acme", "wheel").note(),
                "{acme/wheel/0}/v1/draft/note",
            ),
        ];
        for (key, name) in rows {
            assert_eq!(key.to_string(), name);
        }
    }
}
