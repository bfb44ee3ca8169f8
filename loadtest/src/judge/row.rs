//! The target's answers that the judge reads, as far as it needs them: ledger rows, a campaign's figures, its public page. The shapes are
//! the contract's (docs/HTTP.md, gateway/src/admin); what is not needed is passed over.

use std::borrow::Cow;

use serde::Deserialize;

/// A ledger row. Borrowed from its line.
#[derive(Debug, Deserialize)]
pub struct Row<'a> {
    /// Its number, from 0 without gaps.
    pub number: u64,
    /// The revision that decided.
    pub revision: u32,
    /// The pseudonym.
    #[serde(borrow)]
    pub user: Cow<'a, str>,
    /// Which event; none where only time passed.
    #[serde(borrow, default)]
    pub event: Option<Cow<'a, str>>,
    /// Who sent it: `user`, `backend`, `timer` or `campaign`.
    #[serde(borrow)]
    pub from: Cow<'a, str>,
    /// When it was decided, RFC 3339 in the campaign's timezone.
    #[serde(borrow)]
    pub at: Cow<'a, str>,
    /// The request's id: of a call of ours, its idempotency key.
    #[serde(borrow, default)]
    pub request_id: Cow<'a, str>,
    /// A reward that was given.
    #[serde(borrow, default)]
    pub grant: Option<Grant<'a>>,
    /// A draw that was made.
    #[serde(borrow, default)]
    pub draw: Option<Draw<'a>>,
}

/// A reward that was given.
#[derive(Debug, Deserialize)]
pub struct Grant<'a> {
    /// Its id.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// Under which rule.
    #[serde(borrow)]
    pub rule: Cow<'a, str>,
    /// Which reward.
    #[serde(borrow)]
    pub reward: Cow<'a, str>,
    /// Within which period the rule gives.
    #[serde(borrow)]
    pub period: Cow<'a, str>,
    /// The how-many-th within it.
    pub n: u32,
    /// What was booked against the budget, a decimal string.
    #[serde(borrow)]
    pub cost: Cow<'a, str>,
    /// Which unit of stock.
    #[serde(default)]
    pub serial: Option<u64>,
}

/// A draw that was made.
#[derive(Debug, Deserialize)]
pub struct Draw<'a> {
    /// The block that drew.
    #[serde(borrow)]
    pub purpose: Cow<'a, str>,
    /// The prize that came up, before anything was found to be gone or had.
    #[serde(borrow)]
    pub rolled: Cow<'a, str>,
    /// Whether pity decided, without a roll.
    pub pity: bool,
    /// Which tier's odds it had, from 1.
    #[serde(default)]
    pub tier: Option<u16>,
}

/// A campaign's figures.
#[derive(Debug, Clone, Deserialize)]
pub struct Stats {
    /// The edition that is played.
    pub edition: u32,
    /// Its newest revision.
    pub revision: u32,
    /// Its lanes.
    pub lanes: Vec<LaneStats>,
}

/// One lane's figures.
#[derive(Debug, Clone, Deserialize)]
pub struct LaneStats {
    /// `live` or `test`.
    pub lane: String,
    /// Limited rewards.
    pub stock: Vec<Stock>,
    /// The budget, if there is one.
    #[serde(default)]
    pub budget: Option<Budget>,
    /// The day's, if there is one.
    #[serde(default)]
    pub budget_today: Option<Budget>,
}

/// A reward's units.
#[derive(Debug, Clone, Deserialize)]
pub struct Stock {
    /// Which.
    pub reward: String,
    /// How many are gone, as its counter says.
    pub issued: i64,
    /// How many there are.
    pub ceiling: i64,
}

/// A budget, in decimal strings.
#[derive(Debug, Clone, Deserialize)]
pub struct Budget {
    /// What is spent, as its counter says.
    pub spent: String,
    /// The most that may be.
    pub ceiling: String,
}

/// What a revision says that figures do not.
#[derive(Debug, Clone, Deserialize)]
pub struct Revision {
    /// When days begin.
    pub calendar: Calendar,
}

/// When days begin.
#[derive(Debug, Clone, Deserialize)]
pub struct Calendar {
    /// Seconds after midnight.
    #[serde(default)]
    pub day_starts_secs: i64,
}

/// The page that anyone may see.
#[derive(Debug, Clone, Deserialize)]
pub struct Public {
    /// The published revision.
    pub revision: u32,
    /// Its digest.
    pub config_hash: String,
    /// The other fields: a wheel stands under its block's name.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

/// A wheel on the public page.
#[derive(Debug, Clone, Deserialize)]
pub struct Wheel {
    /// What it can end in.
    pub prizes: Vec<Prize>,
    /// Other odds for first draws.
    #[serde(default)]
    pub tiers: Vec<Tier>,
}

/// Something that a draw can come up with.
#[derive(Debug, Clone, Deserialize)]
pub struct Prize {
    /// The reward.
    pub reward: String,
    /// How likely; none in a wheel of tiers alone.
    #[serde(default)]
    pub odds: Option<Odds>,
}

/// Other odds for first draws.
#[derive(Debug, Clone, Deserialize)]
pub struct Tier {
    /// Each prize's.
    pub odds: Vec<TierPrize>,
}

/// A prize in a tier.
#[derive(Debug, Clone, Deserialize)]
pub struct TierPrize {
    /// The reward.
    pub reward: String,
    /// So many parts.
    pub parts: u64,
    /// Of so many.
    pub of: u64,
}

/// How likely: `parts` of `of`.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Odds {
    /// So many parts.
    pub parts: u64,
    /// Of so many.
    pub of: u64,
}

/// A page of a user's grants.
#[derive(Debug, Deserialize)]
pub struct Grants {
    /// Oldest first.
    pub grants: Vec<Shown>,
    /// What to pass as `after` for the next page.
    #[serde(default)]
    pub next: Option<String>,
}

/// One of them.
#[derive(Debug, Deserialize)]
pub struct Shown {
    /// Its id.
    pub id: String,
}
