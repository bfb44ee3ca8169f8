//! A ledger row as JSON: the one shape of the ledger, a user's history and exports. `gala verify` and `docs/FAIRNESS.md`
//! are written against it; a field may be added, none may change its meaning.

use std::collections::BTreeMap;

use campaign::verify::{Entry, Raffle};
use machine::calendar::{Calendar, date};
use machine::ids::{Lane, grant_id};
use machine::input::Used;
use machine::ledger::{AmendedRow, DrawRow, GrantRow, HandRow, MessageRow, Row};
use machine::model::{Currency, Reward, RewardKind, Sender};
use machine::participant::Status;
use machine::world::Attribution;
use machine::{Definition, Millis, Type, Value};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use store::LedgerRow;

/// A row. Times are RFC 3339 in the campaign's timezone, money decimal strings.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    /// Its number in the ledger of its campaign, edition and lane, from 0 without gaps.
    pub number: u64,
    /// Whose.
    pub tenant: &'a str,
    /// Which campaign.
    pub campaign: &'a str,
    /// Its edition.
    pub edition: u32,
    /// `live` or `test`.
    pub lane: Lane,
    /// The revision that decided.
    pub revision: u32,
    /// The pseudonym, 32 hexadecimal digits.
    pub user: String,
    /// Which event; null where only time passed.
    pub event: Option<&'a str>,
    /// Who sent it: `user`, `backend`, `timer` or `campaign`.
    pub from: Sender,
    /// When it was decided.
    pub at: String,
    /// The request's id.
    pub request_id: &'a str,
    /// The channel that the client named.
    pub channel: Option<&'a str>,
    /// The scene that the client named.
    pub scene: Option<&'a str>,
    /// Whose link or poster brought this user: the first 18 digits of that one's `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_by: Option<&'a str>,
    /// The arm of an experiment, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<&'a str>,
    /// When it happened, as the tenant's back end says.
    pub occurred_at: Option<String>,
    /// What was looked up for the decision and used, by name: `facts.newcomer`, `list vip`. What nobody asked for is not here.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub facts: Map<String, Json>,
    /// Which of them were unknown: their value is what the campaign declares for that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// `grant`, `draw`, `message`, `hand`, `amended`, `entry` or `raffle`; the field of that name holds the rest.
    pub r#type: &'static str,
    /// A reward that was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant<'a>>,
    /// A draw that was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draw: Option<Draw<'a>>,
    /// A message that went out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Message<'a>>,
    /// For which ticket the grants before this row were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hand: Option<&'a HandRow>,
    /// What became of a grant that stands in an earlier row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amended: Option<Amended<'a>>,
    /// An entry for a draw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<Entry>,
    /// A draw that was made from all who entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raffle: Option<Raffle>,
}

/// What staff made of a grant.
#[derive(Debug, Serialize)]
pub struct Amended<'a> {
    /// Its id.
    pub grant: String,
    /// Under which rule it was given.
    pub rule: &'a str,
    /// Which reward.
    pub reward: &'a str,
    /// Its status before.
    pub was: Status,
    /// Its status from now on: `held`, `pending` (let go on), `reversed`.
    pub now: Status,
    /// How much was taken out of the user's balance again.
    pub taken: i64,
    /// By whom.
    pub by: &'a str,
    /// Why.
    pub why: &'a str,
}

/// A reward that was given.
#[derive(Debug, Serialize)]
pub struct Grant<'a> {
    /// Its stable id.
    pub id: String,
    /// Under which rule.
    pub rule: &'a str,
    /// Which reward.
    pub reward: &'a str,
    /// What it is.
    pub kind: RewardKind,
    /// Its title in each language, as of that revision.
    pub title: BTreeMap<&'a str, &'a str>,
    /// The address of its picture.
    pub image: Option<&'a str>,
    /// Within which period the rule gives: `ever`, a day, `week-` and its Monday, a month, `draw-` and its index.
    pub period: String,
    /// The how-many-th within it, from 1.
    pub n: u32,
    /// How much: a count; where `kind` is `cash`, minor units of the currency (the reward's own figure, as draws are
    /// verified against it).
    pub amount: i64,
    /// What it is worth.
    pub value: String,
    /// What was booked against the budget.
    pub cost: String,
    /// What money is counted in.
    pub currency: &'a str,
    /// Who hands it over.
    pub deliver: Option<Deliver<'a>>,
    /// Until when it can be used.
    pub expires: Option<String>,
    /// Which unit of stock, from 0.
    pub serial: Option<u64>,
}

/// Who hands a reward over.
#[derive(Debug, Serialize)]
pub struct Deliver<'a> {
    /// The tenant's connector.
    pub connector: &'a str,
    /// What the connector calls the reward.
    pub reference: &'a str,
}

/// A draw, with everything that is needed to make it again.
#[derive(Debug, Serialize)]
pub struct Draw<'a> {
    /// The participant's draw index, from 0 without gaps.
    pub index: u64,
    /// What it was for: the block's name.
    pub purpose: &'a str,
    /// The number drawn, in `[0, of)`; 0 of 0 where pity decided.
    pub pick: u64,
    /// Below what.
    pub of: u64,
    /// The reward that the number stands for.
    pub rolled: &'a str,
    /// Whether pity decided.
    pub pity: bool,
    /// Draws without a win in a row before this one.
    pub misses: i64,
    /// What was given in the end; null: missed.
    pub given: Option<&'a str>,
    /// Which counters were exhausted: `stock/<reward>`, `budget`, `budget/<day>`.
    pub exhausted: Vec<String>,
    /// Rewards passed over because this participant had had theirs.
    pub had: Vec<&'a str>,
    /// Which tier's odds it had, from 1; absent: those after all tiers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<u16>,
    /// The calendar day it counts on, where something is limited by the day or week.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// Rewards passed over because they are not for this participant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<&'a str>,
    /// How many draws the participant had made of this wheel before it; absent: as many as its index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made: Option<u64>,
}

/// A message that went out.
#[derive(Debug, Serialize)]
pub struct Message<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its fields.
    pub fields: Map<String, Json>,
}

impl<'a> Line<'a> {
    /// A row with the definition of its revision; without one (this program cannot read it) titles and the like are
    /// missing, and money is in minor units.
    pub fn new(row: &'a LedgerRow, definition: Option<&'a Definition>) -> Self {
        let (mut grant, mut draw, mut message) = (None, None, None);
        let (mut hand, mut amended) = (None, None);
        let (mut entry, mut raffle) = (None, None);
        let kind = match &row.row {
            Row::Grant(given) => {
                grant = Some(Grant::new(
                    given,
                    row.grant_id().unwrap_or_default(),
                    definition,
                ));
                "grant"
            }
            Row::Draw(made) => {
                draw = Some(Draw::new(made));
                "draw"
            }
            Row::Message(sent) => {
                message = Some(Message::new(sent));
                "message"
            }
            Row::Hand(given) => {
                hand = Some(given);
                "hand"
            }
            Row::Amended(made) => {
                amended = Some(Amended::new(row, made));
                "amended"
            }
            Row::Entry(made) => {
                entry = Some(Entry::of(made));
                "entry"
            }
            Row::Raffle(made) => {
                raffle = Some(Raffle::of(made));
                "raffle"
            }
        };
        let calendar = definition.map(|definition| &definition.calendar);
        let (facts, unknown) = used(&row.attribution.facts, definition);
        Self {
            facts,
            unknown,
            number: row.number,
            tenant: &row.campaign.tenant,
            campaign: &row.campaign.campaign,
            edition: row.campaign.edition,
            lane: row.campaign.lane,
            revision: row.revision,
            user: row.user.to_string(),
            event: row.event.as_deref(),
            from: row.sender,
            at: rfc3339(calendar, row.at),
            request_id: &row.attribution.request_id,
            channel: row.attribution.channel.as_deref(),
            scene: row.attribution.scene.as_deref(),
            shared_by: shared_by(&row.attribution),
            variant: row.attribution.variant.as_deref(),
            occurred_at: row.attribution.occurred_at.map(|at| rfc3339(calendar, at)),
            r#type: kind,
            grant,
            draw,
            message,
            hand,
            amended,
            entry,
            raffle,
        }
    }
}

/// Who brought the user of a row.
fn shared_by(attribution: &Attribution) -> Option<&str> {
    let mut subjects = attribution.subjects.iter();
    let sharer = subjects.find(|(kind, _)| &**kind == function::poster::share::SUBJECT);
    sharer.map(|(_, who)| &**who)
}

/// What was used of the facts of a revision, and the names of those that were unknown.
fn used(facts: &[Used], definition: Option<&Definition>) -> (Map<String, Json>, Vec<String>) {
    let (mut found, mut unknown) = (Map::new(), Vec::new());
    let declared = definition.map_or(&[][..], |definition| &definition.facts);
    for (fact, used) in declared.iter().zip(facts) {
        let Some(value) = used.value() else {
            continue;
        };
        let calendar = definition.map(|definition| &definition.calendar);
        found.insert(fact.name(), json_of(calendar, fact.ty(), value));
        if matches!(used, Used::Declared(_)) {
            unknown.push(fact.name());
        }
    }
    (found, unknown)
}

impl<'a> Amended<'a> {
    fn new(row: &LedgerRow, made: &'a AmendedRow) -> Self {
        Self {
            grant: grant_id(&row.campaign, &row.user, &made.rule, made.period, made.n),
            rule: &made.rule,
            reward: &made.reward,
            was: made.was,
            now: made.now,
            taken: made.taken,
            by: &made.by,
            why: &made.why,
        }
    }
}

impl<'a> Grant<'a> {
    fn new(row: &'a GrantRow, id: String, definition: Option<&'a Definition>) -> Self {
        let reward = definition.and_then(|definition| reward(definition, &row.reward));
        let currency = definition.map(|definition| &definition.currency);
        let title = reward.into_iter().flat_map(|reward| &reward.title.0);
        Self {
            id,
            rule: &row.rule,
            reward: &row.reward,
            kind: row.kind,
            title: title
                .map(|(language, words)| (language.as_str(), words.as_str()))
                .collect(),
            image: reward.and_then(|reward| reward.image.as_deref()),
            period: row.period.to_string(),
            n: row.n,
            amount: row.amount,
            value: money(currency, row.value),
            cost: money(currency, row.cost),
            currency: currency.map_or("", |currency| &currency.code),
            deliver: reward.map(|reward| Deliver {
                connector: &reward.deliver.connector,
                reference: &reward.deliver.reference,
            }),
            expires: row
                .expires
                .map(|at| rfc3339(definition.map(|definition| &definition.calendar), at)),
            serial: row.serial,
        }
    }
}

impl<'a> Draw<'a> {
    fn new(row: &'a DrawRow) -> Self {
        Self {
            index: row.index,
            purpose: &row.purpose,
            pick: row.rolled.pick,
            of: row.rolled.of,
            rolled: &row.rolled.reward,
            pity: row.rolled.pity,
            misses: row.misses,
            given: row.given.as_deref(),
            exhausted: row.exhausted.iter().map(ToString::to_string).collect(),
            had: row.had.iter().map(|reward| &**reward).collect(),
            tier: row.terms.tier,
            day: row.terms.day.map(|day| date(day).to_string()),
            excluded: row.terms.excluded.iter().map(|reward| &**reward).collect(),
            made: row.terms.made,
        }
    }
}

impl<'a> Message<'a> {
    fn new(row: &'a MessageRow) -> Self {
        // The row keeps values and not their types: dates and times stay the numbers that they are.
        let fields = row
            .fields
            .iter()
            .map(|(name, value)| (name.to_string(), json_of(None, Type::Int, value)));
        Self {
            name: &row.message,
            fields: fields.collect(),
        }
    }
}

/// Money as a decimal string.
pub(super) fn money(currency: Option<&Currency>, minor: i64) -> String {
    currency.map_or_else(|| minor.to_string(), |currency| currency.decimal(minor))
}

/// A time in the campaign's timezone; in UTC where that is not known.
pub(super) fn rfc3339(calendar: Option<&Calendar>, at: Millis) -> String {
    calendar.map_or_else(|| utc(at), |calendar| calendar.rfc3339(at))
}

/// A time in UTC, to the millisecond.
pub(super) fn utc(at: Millis) -> String {
    let at = chrono::DateTime::from_timestamp_millis(at).unwrap_or_default();
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// A value of the record as JSON.
pub(super) fn json_of(calendar: Option<&Calendar>, ty: Type, value: &Value) -> Json {
    match (ty, value) {
        (Type::Date, Value::Int(day)) => {
            i32::try_from(*day).map_or(Json::Null, |day| json!(date(day).to_string()))
        }
        (Type::Time, Value::Int(at)) => json!(rfc3339(calendar, *at)),
        (Type::Duration, Value::Int(span)) => json!(span / 1000),
        (_, Value::Int(number)) => json!(number),
        (_, Value::Bool(flag)) => json!(flag),
        (_, Value::Str(text)) => json!(&**text),
        (_, Value::Strs(items)) => items.iter().map(|item| json!(&**item)).collect(),
        (_, Value::Days(days)) => days
            .iter()
            .map(|day| json!(date(day).to_string()))
            .collect(),
    }
}

fn reward<'a>(definition: &'a Definition, id: &str) -> Option<&'a Reward> {
    definition.rewards.iter().find(|reward| *reward.id == *id)
}
