//! Computes every draw of a ledger again from the revealed seed, and says what differs.
//!
//! What can be known from the ledger, the definitions and the seed alone is checked: that the seed and the definitions
//! are those that were promised; that no row and no draw is missing, doubled or moved; what came up, the pity count,
//! where the `when_gone` chain ended; that what is said to be gone can be gone; that each win has its grant and each
//! grant of a draw its draw. `docs/FAIRNESS.md` says the same to someone without this code.

mod checks;
mod days;
mod finding;
mod raffle;
mod row;

use std::collections::BTreeMap;
use std::sync::Arc;

use blocks::odds::{self, Odds};
use blocks::wheel;
use machine::block::Redrawn;
use machine::ids::{Pseudonym, hex};
use machine::luck::{Draws, Seed, Seeded};
use machine::model::Campaign;
use sha2::{Digest, Sha256};

pub use finding::{Finding, Kind, Report};
pub use row::{Draw, Entry, Grant, Prize, Raffle, Row, What};

use self::checks::Found;
use self::days::Days;
use self::raffle::Raffles;
use crate::codec::{decode, link};

/// A revision as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The SHA-256 that was published with it.
    pub sha256: [u8; 32],
    /// The definition's bytes.
    pub definition: Vec<u8>,
}

/// What a ledger is held against.
#[derive(Debug, Clone)]
pub struct Promise<'a> {
    /// The revisions, by their numbers.
    pub revisions: &'a BTreeMap<u32, Published>,
    /// The seed, as revealed.
    pub seed: &'a Seed,
    /// The SHA-256 of the seed that was published before the window opened.
    pub commitment: [u8; 32],
    /// Whether the rows are a whole ledger, and not some participants' rows only. Only then can a missing row at a
    /// participant's end be found, and a false claim that stock or budget had run out.
    pub whole: bool,
}

/// Verifies rows, in the order of their numbers.
pub fn verify(promise: &Promise<'_>, rows: impl IntoIterator<Item = Row>) -> Report {
    let mut verifier = Verifier::new(promise);
    for row in rows {
        verifier.row(&row);
    }
    verifier.finish()
}

/// A verification under way, row by row: a ledger need not fit into memory.
#[derive(Debug)]
pub struct Verifier<'a> {
    promise: &'a Promise<'a>,
    revisions: BTreeMap<u32, Revision>,
    /// Whether all of them mean the same by a day.
    one_calendar: bool,
    players: BTreeMap<Pseudonym, Player>,
    raffles: Raffles,
    lane: Option<String>,
    next: Option<u64>,
    /// Units given of each reward, and the cost of all, so far.
    units: BTreeMap<String, i64>,
    spent: i64,
    report: Report,
}

/// A revision that can compute.
#[derive(Debug)]
struct Revision {
    campaign: Campaign,
    wheels: BTreeMap<Arc<str>, (usize, wheel::Params)>,
    raffle: Option<(String, blocks::raffle::Params)>,
    /// The odds of what days draw, by the purpose of their draws. No pity counts there.
    lots: BTreeMap<String, Odds>,
}

/// What is known of a participant so far.
#[derive(Debug)]
struct Player {
    draws: Option<Seeded>,
    next: u64,
    /// The pity count of each wheel, and the revision it was last counted under.
    misses: BTreeMap<String, (i64, u32)>,
    /// How many draws were made of each wheel, and the revision they were last counted under.
    made: BTreeMap<String, (u64, u32)>,
    given: BTreeMap<String, i64>,
    days: Days,
    /// Grants of draws whose draw row has not come yet.
    open: BTreeMap<u64, (u64, Grant)>,
}

impl<'a> Verifier<'a> {
    /// Looks at the seed and the definitions.
    pub fn new(promise: &'a Promise<'a>) -> Self {
        let mut report = Report::default();
        let mut note = |kind, message| {
            report.add(Finding {
                row: None,
                user: None,
                kind,
                message,
            });
        };
        let found = promise.seed.commitment();
        if found != promise.commitment {
            let (published, found) = (hex(&promise.commitment), hex(&found));
            note(
                Kind::Seed,
                format!(
                    "the seed is not the promised one: its SHA-256 is {found}, published was {published}"
                ),
            );
        }
        let mut revisions = BTreeMap::new();
        for (number, published) in promise.revisions {
            let found: [u8; 32] = Sha256::digest(&published.definition).into();
            if found != published.sha256 {
                let (was, found) = (hex(&published.sha256), hex(&found));
                note(
                    Kind::Config,
                    format!(
                        "revision {number} is not what was published: its SHA-256 is {found}, published was {was}"
                    ),
                );
            }
            match Revision::read(*number, &published.definition) {
                Ok(revision) => {
                    revisions.insert(*number, revision);
                }
                Err(why) => note(Kind::Config, format!("revision {number}: {why}")),
            }
        }
        let mut calendars = revisions.values().map(|revision| {
            let calendar = &revision.campaign.calendar;
            (calendar.timezone, calendar.day_starts_secs)
        });
        let first = calendars.next();
        let one_calendar = calendars.all(|calendar| Some(calendar) == first);
        Self {
            promise,
            one_calendar,
            revisions,
            players: BTreeMap::new(),
            raffles: Raffles::default(),
            lane: None,
            next: promise.whole.then_some(0),
            units: BTreeMap::new(),
            spent: 0,
            report,
        }
    }

    /// Looks at the next row.
    pub fn row(&mut self, row: &Row) {
        self.report.rows += 1;
        let mut found = Found {
            row,
            report: &mut self.report,
        };
        match self.next {
            Some(next) if row.number != next && self.promise.whole => {
                found.note(Kind::Number, format!("row {next} was to come next"));
            }
            Some(next) if row.number < next => {
                found.note(Kind::Number, format!("comes after row {}", next - 1));
            }
            _ => {}
        }
        self.next = Some(row.number.saturating_add(1));
        let Some(revision) = self.revisions.get(&row.revision) else {
            found.note(
                Kind::Config,
                format!("revision {} is not known", row.revision),
            );
            return;
        };
        let campaign = &revision.campaign;
        let lane = self.lane.get_or_insert_with(|| row.lane.clone());
        if (row.tenant.as_str(), row.campaign.as_str(), row.edition)
            != (&*campaign.tenant, &*campaign.campaign, campaign.edition)
            || row.lane != *lane
        {
            found.note(
                Kind::Foreign,
                "belongs to another campaign, edition or lane".to_owned(),
            );
            return;
        }
        let Ok(user) = row.user.parse::<Pseudonym>() else {
            found.note(Kind::Foreign, format!("`{}` is no pseudonym", row.user));
            return;
        };
        match &row.what {
            What::Message => {}
            // Some participants' rows are no list.
            What::Entry { .. } | What::Raffle { .. } if !self.promise.whole => {}
            What::Entry { entry } => {
                let raffle = revision.raffle.as_ref();
                self.raffles.entry(entry, user, raffle, &mut found);
                self.report.entries += 1;
            }
            What::Raffle { raffle } => {
                let (own, seed) = (revision.raffle.as_ref(), self.promise.seed);
                self.raffles.drawn(raffle, own, campaign, seed, &mut found);
                self.report.raffles += 1;
            }
            What::Grant { grant } => {
                let player = self.players.entry(user).or_insert_with(Player::new);
                found.grant(grant, campaign, player);
                if self.promise.whole {
                    let own = revision.raffle.as_ref();
                    self.raffles.given(grant, user, own, campaign, &mut found);
                }
                *self.units.entry(grant.reward.clone()).or_default() += 1;
                self.spent = self.spent.saturating_add(cost(campaign, &grant.reward));
            }
            What::Draw { draw } => {
                let player = self.players.entry(user).or_insert_with(Player::new);
                let seeded = player.draws.get_or_insert_with(|| {
                    Seeded::new(self.promise.seed, &campaign.path(), campaign.edition, &user)
                });
                let came_up = revision.wheels.get(&*draw.purpose).and_then(|(place, _)| {
                    let mut luck = seeded.at(draw.index, &draw.purpose);
                    let block = campaign.blocks.get(*place)?;
                    block.redraw(&mut luck, draw.made(), draw.misses)
                });
                let came_up = came_up.or_else(|| {
                    let lot = revision.lots.get(&*draw.purpose)?;
                    let mut luck = seeded.at(draw.index, &draw.purpose);
                    let (rolled, _) = lot.roll(&mut luck);
                    Some(Redrawn { rolled, tier: None })
                });
                found.index(draw, player);
                let own = found.its_grant(draw, revision, player);
                match came_up {
                    None => found.note(
                        Kind::Purpose,
                        format!("revision {} has no wheel `{}`", row.revision, draw.purpose),
                    ),
                    Some(came_up) => {
                        let Redrawn { rolled, tier } = came_up;
                        let same = (draw.pick, draw.of, draw.pity, draw.tier)
                            == (rolled.pick, rolled.of, rolled.pity, tier)
                            && draw.rolled == *rolled.reward;
                        if !same {
                            found.note(
                                Kind::Rolled,
                                format!(
                                    "draw {}: the row says {}, the seed gives {}",
                                    draw.index,
                                    roll(draw.pick, draw.of, &draw.rolled, draw.pity, draw.tier),
                                    roll(rolled.pick, rolled.of, &rolled.reward, rolled.pity, tier),
                                ),
                            );
                        }
                        found.chain(draw, &rolled.reward, campaign, player);
                        found.days(draw, &self.revisions, player, self.one_calendar);
                    }
                }
                found.misses(draw, &self.revisions, player);
                found.made(draw, &self.revisions, player);
                if self.promise.whole {
                    // What this draw gave itself is not yet gone when it is made.
                    let mine = own.as_deref();
                    found.plausible(
                        draw,
                        campaign,
                        &self.revisions,
                        &self.units,
                        mine,
                        self.spent,
                    );
                }
                player.days.drew(draw, row.revision);
                if let Some(reward) = own {
                    *player.given.entry(reward).or_default() += 1;
                }
                self.report.draws += 1;
                self.report.wins += u64::from(draw.given.is_some());
            }
        }
    }

    /// What the end of the ledger tells, and the report.
    pub fn finish(mut self) -> Report {
        for (user, player) in &self.players {
            self.report.participants += u64::from(player.next > 0);
            for (index, (row, grant)) in &player.open {
                self.report.add(Finding {
                    row: Some(*row),
                    user: Some(user.to_string()),
                    kind: Kind::Grant,
                    message: format!(
                        "`{}` was given for draw {index}, which the ledger does not have",
                        grant.reward
                    ),
                });
            }
        }
        self.report.findings.sort_by_key(|finding| finding.row);
        self.report
    }
}

impl Revision {
    fn read(number: u32, bytes: &[u8]) -> Result<Self, String> {
        let definition = decode(bytes).map_err(|error| error.to_string())?;
        let mut wheels = BTreeMap::new();
        for (place, spec) in definition
            .blocks
            .iter()
            .enumerate()
            .filter(|(_, spec)| spec.kind == wheel::KIND)
        {
            let params = serde_json::from_str(&spec.params).map_err(|error| error.to_string())?;
            wheels.insert(spec.name.clone(), (place, params));
        }
        let raffle = blocks::raffle::of(&definition);
        let raffle = raffle.map(|(params, spec)| (spec.name.to_string(), params));
        let lots = odds::lots(&definition).into_iter();
        let lots = lots.collect();
        let campaign = link(definition, number).map_err(|error| error.to_string())?;
        Ok(Self {
            campaign,
            wheels,
            raffle,
            lots,
        })
    }

    /// The rule under which a draw's grant stands.
    fn rule(&self, draw: &Draw) -> Option<&str> {
        if let Some(lot) = self.lots.get(&*draw.purpose) {
            let reward = self.campaign.reward(&draw.rolled)?;
            let rule = lot.odds().rule(reward)?;
            let rule = self.campaign.rules_of_giving.get(usize::from(rule));
            return rule.map(|rule| &*rule.id);
        }
        let (_, params) = self.wheels.get(&*draw.purpose)?;
        let reward = self.campaign.reward(&draw.rolled)?;
        let tier = params.tier(draw.made());
        let tier = tier.and_then(|place| params.tiers.get(place));
        let odds = tier.map_or_else(|| params.odds(), wheel::Tier::odds);
        let rule = match &params.pity {
            Some(pity) if draw.pity => Some(pity.rule),
            _ => odds.rule(reward),
        };
        self.campaign
            .rules_of_giving
            .get(usize::from(rule?))
            .map(|rule| &*rule.id)
    }
}

impl Player {
    fn new() -> Self {
        Self {
            draws: None,
            next: 0,
            misses: BTreeMap::new(),
            made: BTreeMap::new(),
            given: BTreeMap::new(),
            days: Days::default(),
            open: BTreeMap::new(),
        }
    }
}

fn cost(campaign: &Campaign, id: &str) -> i64 {
    campaign
        .reward(id)
        .and_then(|reward| campaign.rewards.get(usize::from(reward)))
        .map_or(0, |reward| reward.cost)
}

fn roll(pick: u64, of: u64, reward: &str, pity: bool, tier: Option<u16>) -> String {
    let reward = if reward.is_empty() { "nothing" } else { reward };
    let tier = tier.map_or_else(String::new, |tier| format!(" in tier {tier}"));
    if pity {
        format!("{reward} by pity{tier}")
    } else {
        format!("{reward} by {pick} of {of}{tier}")
    }
}
