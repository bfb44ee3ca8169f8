//! What a process serves at a moment: tenants with their keys and lists, campaigns with their live revisions. Built by
//! [`crate::registry`], looked at by every request, never changed: a new one takes its place.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use axum::http::HeaderValue;
use campaign::tenant::Tenant;
use limit::{Limiter, Shared, Tries};
use machine::expr::Fault;
use machine::ids::{CampaignKey, Lane, Pseudonym};
use machine::luck::{Seed, Seeded, Source};
use machine::migrate::migrate;
use machine::model::Durability;
use machine::participant::Participant;
use machine::world::{Live, Notice, Pause, arm};
use machine::{Campaign, Definition, Millis};

use crate::ask::Services;
use crate::client::TrustedProxies;
use crate::cors::Origins;
use crate::identity::Verifier;
use crate::lists::Stored;
use crate::poster::scenes::TenantFonts;
use crate::poster::storage::Storage;
use crate::redeem::Digests;
use crate::telemetry::RouteMetrics;

/// A limiter keyed by text.
pub type SharedLimiter = Limiter<str>;

/// All tenants.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// By id.
    pub tenants: HashMap<String, Arc<TenantShell>>,
}

impl Snapshot {
    /// The tenant that a path names: `/v1/{tenant}/...`.
    pub fn of_path(&self, path: &str) -> Option<&Arc<TenantShell>> {
        let mut parts = path.split('/').skip(1);
        match (parts.next(), parts.next()) {
            (Some("v1"), Some(tenant)) => self.tenants.get(tenant),
            _ => None,
        }
    }
}

/// A tenant as a process needs it.
pub struct TenantShell {
    /// Its settings.
    pub tenant: Tenant,
    /// Checks users' tokens.
    pub users: Arc<Verifier>,
    /// Checks admins' tokens.
    pub admins: Arc<Verifier>,
    /// Checks its back ends' tokens.
    pub services: Arc<Verifier>,
    /// The web pages that may call.
    pub origins: Origins,
    /// The proxies whose word on the client's address is believed.
    pub proxies: TrustedProxies,
    /// What pseudonyms are made with.
    pub secret: Seed,
    /// The member ids on each list of the folder.
    pub lists: HashMap<String, HashSet<String>>,
    /// The codes on those of them that campaigns take codes from.
    pub codes: Digests,
    /// How many wrong codes are borne.
    pub tries: Arc<Tries>,
    /// The lists in the store, which stand above those.
    pub stored: Stored,
    /// Its own services, which are asked for facts.
    pub asked: Services,
    /// The fonts that its posters may be written in, beside ours.
    pub fonts: TenantFonts,
    /// Where its posters are put, if it says so.
    pub storage: Option<Arc<Storage>>,
    /// How often each user may call.
    pub user_limit: Option<Arc<SharedLimiter>>,
    /// That limit as `RateLimit-Policy` says it, written once.
    pub user_policy: Option<HeaderValue>,
    /// How often all of it may be called: over all processes where the store is shared.
    pub tenant_limit: Option<Arc<Shared>>,
    /// The campaigns, by id.
    pub campaigns: HashMap<String, Arc<Served>>,
    /// All editions of its campaigns that the store holds, served here or not.
    pub editions: Vec<(Arc<str>, u32)>,
}

impl fmt::Debug for TenantShell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantShell")
            .field("id", &self.tenant.id)
            .field("campaigns", &self.campaigns.len())
            .finish_non_exhaustive()
    }
}

impl TenantShell {
    /// A member's pseudonym.
    pub fn pseudonym(&self, member: &str) -> Pseudonym {
        Pseudonym::of(&self.secret.0, member)
    }
}

/// A campaign as a process serves it.
#[derive(Debug)]
pub struct Served {
    /// The tenant's id.
    pub tenant: Arc<str>,
    /// The campaign's id.
    pub campaign: Arc<str>,
    /// The edition.
    pub edition: u32,
    /// The live revisions with their shares, never empty.
    pub live: Vec<(Live, Arc<Campaign>)>,
    /// All revisions' definitions, for records that were written under them.
    pub revisions: BTreeMap<u32, Arc<Definition>>,
    /// SHA-256 of the newest revision.
    pub newest_sha256: [u8; 32],
    /// Whether the live lane is stopped, by itself or with all of its tenant.
    pub pause: Option<Pause>,
    /// What users are told without a stop.
    pub notice: Option<Notice>,
    /// Whether the store has lost it since this process first served it: it is shown as it was, and takes no events.
    pub lost: bool,
    /// The live lane's secret and the test lane's.
    pub seeds: (Seed, Seed),
    /// Where the two lanes' draws come from: the seeds, keyed once.
    pub sources: (Source, Source),
    /// How far the test lane's clock is moved, in milliseconds.
    pub test_clock_offset: i64,
    /// What is counted about its calls.
    pub metrics: CampaignMetrics,
}

/// The metrics of a campaign's routes.
#[derive(Debug)]
pub struct CampaignMetrics {
    /// `POST .../events/{event}`, by users and back ends.
    pub event: RouteMetrics,
    /// `GET` of the participant's view.
    pub view: RouteMetrics,
    /// `GET .../grants`.
    pub grants: RouteMetrics,
    /// `GET .../public`.
    pub public: RouteMetrics,
    /// `GET .../poster/{template}`.
    pub poster: RouteMetrics,
}

impl CampaignMetrics {
    /// Those of a campaign.
    pub fn new(tenant: &str, campaign: &str) -> Self {
        let of = |route| RouteMetrics::new(tenant, campaign, route);
        Self {
            event: of("event"),
            view: of("view"),
            grants: of("grants"),
            public: of("public"),
            poster: of("poster"),
        }
    }
}

impl Served {
    /// The key of one lane.
    pub fn key(&self, lane: Lane) -> CampaignKey {
        CampaignKey {
            tenant: self.tenant.clone(),
            campaign: self.campaign.clone(),
            edition: self.edition,
            lane,
        }
    }

    /// The same campaign as the store no longer has it.
    #[must_use]
    pub fn as_lost(&self) -> Self {
        Self {
            tenant: self.tenant.clone(),
            campaign: self.campaign.clone(),
            edition: self.edition,
            live: self.live.clone(),
            revisions: self.revisions.clone(),
            newest_sha256: self.newest_sha256,
            pause: self.pause.clone(),
            notice: self.notice.clone(),
            lost: true,
            seeds: self.seeds.clone(),
            sources: self.sources.clone(),
            test_clock_offset: self.test_clock_offset,
            metrics: CampaignMetrics::new(&self.tenant, &self.campaign),
        }
    }

    /// What a `yes` promises: the most that any live revision declares.
    pub fn durability(&self) -> Durability {
        let mut live = self.live.iter();
        if live.any(|(_, campaign)| campaign.durability == Durability::Strict) {
            Durability::Strict
        } else {
            Durability::Standard
        }
    }

    /// The newest live revision: what anyone is shown who is not yet a participant.
    pub fn newest(&self) -> Option<&Arc<Campaign>> {
        self.live.last().map(|(_, campaign)| campaign)
    }

    /// The live revision of a user: always the same one while the live set stays as it is.
    pub fn revision_of(&self, user: &Pseudonym) -> Option<&Arc<Campaign>> {
        if let [(_, only)] = self.live.as_slice() {
            return Some(only);
        }
        let live: Vec<Live> = self.live.iter().map(|(live, _)| *live).collect();
        let own = arm(&live, &self.key(Lane::Live), user)?;
        let mut live = self.live.iter();
        live.find_map(|(live, campaign)| (live.revision == own).then_some(campaign))
    }

    /// Whether `campaign` is the user's own revision by what the store says is live.
    pub fn is_own(&self, live: &[Live], user: &Pseudonym, campaign: &Campaign) -> bool {
        arm(live, &self.key(Lane::Live), user) == Some(campaign.revision)
    }

    /// How the ledger names the arm that a step is made under, where several revisions are live.
    pub fn variant(&self, revision: u32) -> Option<Arc<str>> {
        (self.live.len() > 1).then(|| format!("r{revision}").into())
    }

    /// A record as `campaign` understands it; a newcomer's where there is none.
    pub fn record(
        &self,
        known: Option<&Arc<Participant>>,
        campaign: &Campaign,
        now: Millis,
    ) -> Result<Arc<Participant>, Fault> {
        match known {
            None => Ok(Arc::new(Participant::new(campaign, now))),
            Some(record) if record.core.revision == campaign.revision => Ok(record.clone()),
            Some(record) => {
                let old = self.revisions.get(&record.core.revision);
                let old = old.ok_or(Fault::Mismatch("the record's revision is not known here"))?;
                Ok(Arc::new(migrate(record, old, campaign)))
            }
        }
    }

    /// Whether the live lane's seed may be shown: by no revision, live or not, can a draw be made any more.
    pub fn revealed(&self, now: Millis) -> bool {
        self.revisions
            .values()
            .all(|revision| revision.drawn_until() <= now)
    }

    /// The draws of one participant.
    pub fn draws(&self, lane: Lane, user: &Pseudonym) -> Seeded {
        match lane {
            Lane::Live => self.sources.0.of(user),
            Lane::Test => self.sources.1.of(user),
        }
    }
}
