//! What a world keeps so that events reach whom they are for: how far a reader has come (marks), and what could not be
//! delivered (parked events). None of it decides anything: to lose a mark costs work, and a parked event has had no effect.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::state::World;
use crate::calendar::Millis;
use crate::ids::{CampaignKey, hex};

/// How many parked events of a tenant are kept: the newest.
pub const PARKED_MOST: usize = 1000;

/// How much of a parked event's data is kept, in bytes.
pub const PARKED_DATA_BYTES: usize = 64 << 10;

/// How much of each of its texts is kept, in bytes.
const TEXT_BYTES: usize = 1024;

/// The longest name of a mark, in bytes.
const NAME_BYTES: usize = 200;

/// A change of what is kept for deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keep {
    /// How far a reader of a lane's ledger has come.
    Mark {
        /// Whose ledger.
        campaign: CampaignKey,
        /// Which reader.
        name: Arc<str>,
        /// How far; a lower one than before changes nothing.
        at: u64,
    },
    /// An event that could not be delivered.
    Park {
        /// Whose.
        tenant: Arc<str>,
        /// Which.
        parked: Box<Parked>,
    },
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is kept. Of a mark: where it stands; of an event: how often it was parked.
    Done(u64),
    /// A mark was as far already, and stands there.
    Already(u64),
    /// There is no such lane, or no such tenant.
    Nowhere,
}

/// Whether this can name a mark: 1 to 200 bytes, printable ASCII without spaces.
pub fn is_mark(name: &str) -> bool {
    (1..=NAME_BYTES).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Who could not deliver an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParkedFrom {
    /// A host's trigger: a queue, a bucket, a call of the tenant's own systems.
    Trigger,
    /// What takes one campaign's events to another.
    Relay,
}

/// An event that could not be delivered, as staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// Its name: [`Parked::id_of`] its source and id.
    pub id: Arc<str>,
    /// Where it comes from.
    pub source: Arc<str>,
    /// What names it there.
    pub event_id: Arc<str>,
    /// Of which kind it is.
    pub kind: Arc<str>,
    /// When it happened, in the words of its source.
    pub time: Option<Arc<str>>,
    /// When it was parked first.
    pub at: Millis,
    /// When it was parked last.
    pub last_at: Millis,
    /// How often it was parked.
    pub times: u64,
    /// Why, in one word; of the last time.
    pub code: Arc<str>,
    /// Why exactly; of the last time.
    pub detail: Arc<str>,
    /// Who could not deliver it.
    pub from: ParkedFrom,
    /// The campaign that it is for, where it says so.
    pub campaign: Option<Arc<str>>,
    /// What it says, or the beginning of it. A list of several events leaves this out.
    pub data: Arc<[u8]>,
    /// How many bytes it says in all.
    pub bytes: u64,
}

impl Parked {
    /// An event that is parked now. Texts and data are cut to what is kept.
    pub fn new(from: ParkedFrom, source: &str, event_id: &str, at: Millis) -> Self {
        Self {
            id: Self::id_of(source, event_id).into(),
            source: short(source),
            event_id: short(event_id),
            kind: "".into(),
            time: None,
            at,
            last_at: at,
            times: 1,
            code: "".into(),
            detail: "".into(),
            from,
            campaign: None,
            data: Arc::from([]),
            bytes: 0,
        }
    }

    /// Of this kind, and when it happened.
    #[must_use]
    pub fn of_kind(mut self, kind: &str, time: Option<&str>) -> Self {
        self.kind = short(kind);
        self.time = time.map(short);
        self
    }

    /// Why it can't be delivered: one word, and particulars.
    #[must_use]
    pub fn because(mut self, code: &str, detail: &str) -> Self {
        self.code = short(code);
        self.detail = short(detail);
        self
    }

    /// For this campaign.
    #[must_use]
    pub fn meant_for(mut self, campaign: Option<&str>) -> Self {
        self.campaign = campaign.map(short);
        self
    }

    /// Saying this.
    #[must_use]
    pub fn saying(mut self, data: &[u8]) -> Self {
        self.bytes = data.len() as u64;
        self.data = data
            .get(..PARKED_DATA_BYTES.min(data.len()))
            .unwrap_or_default()
            .into();
        self
    }

    /// The name of the event with this source and id: 32 hexadecimal digits. The same event has the same one wherever it
    /// is parked, and however often.
    pub fn id_of(source: &str, event_id: &str) -> String {
        let mut hash = Sha256::new();
        for part in [source, event_id] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hex(&hash.finalize()[..16])
    }

    /// Whether its data is longer than what is kept: such an event can't be told again from here.
    pub fn is_cut(&self) -> bool {
        self.bytes > PARKED_DATA_BYTES as u64
    }
}

/// The beginning of a text, without half a character at its end.
fn short(text: &str) -> Arc<str> {
    text.get(..text.floor_char_boundary(TEXT_BYTES))
        .unwrap_or_default()
        .into()
}

/// A tenant's parked events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parking {
    /// Those that are kept, the one that was parked last at the end.
    pub events: VecDeque<Parked>,
    /// How many were let go because newer ones came.
    pub dropped: u64,
}

impl Parking {
    /// Keeps one more, or counts one that is kept.
    fn park(&mut self, parked: &Parked) -> u64 {
        let mut new = parked.clone();
        if let Some(old) = self.take(&parked.id) {
            new.at = old.at;
            new.times = old.times.saturating_add(1);
        }
        let times = new.times;
        self.events.push_back(new);
        while self.events.len() > PARKED_MOST {
            self.events.pop_front();
            self.dropped = self.dropped.saturating_add(1);
        }
        times
    }

    /// Takes one away.
    pub(super) fn take(&mut self, id: &str) -> Option<Parked> {
        let place = self.events.iter().position(|known| *known.id == *id)?;
        self.events.remove(place)
    }

    /// One of them.
    pub fn find(&self, id: &str) -> Option<&Parked> {
        self.events.iter().find(|known| *known.id == *id)
    }

    /// All of them without what they say.
    #[must_use]
    pub fn outline(&self) -> Self {
        let events = self.events.iter().map(|parked| Parked {
            data: Arc::from([]),
            ..parked.clone()
        });
        Self {
            events: events.collect(),
            dropped: self.dropped,
        }
    }
}

/// Keeps something for deliveries, or says why not.
pub fn apply_keep(world: &mut World, keep: &Keep) -> Kept {
    match keep {
        Keep::Mark { campaign, name, at } => {
            let found = world.campaigns.get_mut(&(
                campaign.tenant.clone(),
                campaign.campaign.clone(),
                campaign.edition,
            ));
            found.map_or(Kept::Nowhere, |found| {
                mark(&mut found.lane_mut(campaign.lane).marks, name, *at)
            })
        }
        Keep::Park { tenant, parked } => world
            .tenants
            .get_mut(tenant)
            .map_or(Kept::Nowhere, |known| {
                Kept::Done(known.parking.park(parked))
            }),
    }
}

fn mark(marks: &mut BTreeMap<Arc<str>, u64>, name: &Arc<str>, at: u64) -> Kept {
    match marks.get_mut(name) {
        Some(stands) if *stands >= at => Kept::Already(*stands),
        Some(stands) => {
            *stands = at;
            Kept::Done(at)
        }
        None => {
            marks.insert(name.clone(), at);
            Kept::Done(at)
        }
    }
}
