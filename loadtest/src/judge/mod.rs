//! The independent judge: keeps books of every answer while a run is under way, and in the end holds them against the target's ledger.
//! It knows the contract (docs/HTTP.md) and none of the code that it judges.
//!
//! [`Book`] hears of answers; [`judge`] asks the target and reckons: [`truth::Truth`] is what must hold, [`odds::Odds`] whether draws came
//! up as they were said to.

mod books;
mod ledger;
pub mod odds;
mod promise;
mod reckon;
mod row;
pub mod truth;

use serde::{Deserialize, Serialize};

pub use books::Book;
pub use ledger::{StaffToken, UserToken};
pub use promise::Example;

use crate::scenario::Scenario;
use ledger::Target;
use odds::Odds;
use reckon::{Ended, Reckoning};
use truth::{Basis, Truth};

/// Whom the judge asks, and with which tokens.
pub struct Ask<'a> {
    /// The public address.
    pub target: &'a str,
    /// The admin address with its tokens; without it the judge has answers and `/grants` alone.
    pub admin: Option<(&'a str, StaffToken<'a>)>,
    /// Tokens of users, for `/grants`.
    pub user: UserToken<'a>,
    /// How many users' `/grants` are looked at for each campaign, where there is no admin address.
    pub sample: usize,
    /// When the run began, RFC 3339 ([`crate::run::Run::began_at`]).
    pub began_at: &'a str,
}

/// What the judge says.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// What must hold.
    pub truth: Truth,
    /// How draws came up.
    pub odds: Vec<Odds>,
    /// What was played.
    pub campaigns: Vec<Played>,
}

/// A campaign as it was played.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Played {
    /// `tenant/campaign`.
    pub campaign: String,
    /// Its revision.
    pub revision: u32,
    /// SHA-256 of that revision.
    pub digest: String,
}

/// Why the judge cannot judge.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No answer.
    #[error("{url} does not answer: {source}; the run's figures stand, its truth is not judged")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What went wrong.
        source: reqwest::Error,
    },
    /// An answer that is a no.
    #[error(
        "{url} answered {status} ({said}); the judge needs a token of the role `finance` or `support` for the admin address, \
         and users' tokens for the public one"
    )]
    Refused {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
        /// What it said.
        said: String,
    },
    /// An answer that is not what the contract says.
    #[error("{url} answered what the judge cannot read: {why}; is it Gala, of this version?")]
    Unread {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// A ledger that does not come to its end.
    #[error(
        "{url} was broken off again and again at row {row} of {rows}; the server's log says why"
    )]
    CutOff {
        /// What was asked for.
        url: String,
        /// The row that did not come.
        row: u64,
        /// How many there are.
        rows: u64,
    },
    /// A token could not be made.
    #[error("no token for {whom}: {why}")]
    Token {
        /// For whom.
        whom: String,
        /// Why not.
        why: String,
    },
    /// The run's beginning is no time.
    #[error("the run says it began at `{0}`, which is no RFC 3339 time")]
    Began(String),
}

/// Holds the books of a run against the target's. To be called when the run is over and nothing of it is under way any more.
pub fn judge(scenario: &Scenario, book: &Book, ask: &Ask<'_>) -> Result<Judged, Error> {
    let began = chrono::DateTime::parse_from_rfc3339(ask.began_at)
        .map_err(|_| Error::Began(ask.began_at.to_owned()))?;
    let target = Target::new(ask.target)?;
    let mut judged = Judged {
        truth: Truth::new(if ask.admin.is_some() {
            Basis::Ledger
        } else {
            Basis::Answers
        }),
        odds: Vec::new(),
        campaigns: Vec::new(),
    };
    let mut seen = Vec::new();
    for (campaign, pages) in scenario.campaigns.iter().zip(&book.pages) {
        let (tenant, name) = (&*campaign.tenant, &*campaign.campaign);
        let public = target.public(tenant, name)?;
        judged.campaigns.push(Played {
            campaign: pages.campaign.clone(),
            revision: public.revision,
            digest: public.config_hash.clone(),
        });
        judged.truth.heard(pages);
        let Some((address, token)) = ask.admin else {
            let grants = |user: u32| -> Result<Vec<String>, Error> {
                target.grants(tenant, name, &(ask.user)(tenant, u64::from(user))?)
            };
            reckon::sample(book, pages, ask.sample, grants, &mut judged.truth)?;
            continue;
        };
        // A scenario may name a campaign twice; its ledger must hold once.
        let first = !seen.contains(&(tenant, name));
        seen.push((tenant, name));
        let admin = Target::new(address)?;
        let (stats, _) = admin.stats(tenant, name, &token(tenant)?)?;
        let revision = admin.revision(tenant, name, stats.revision, &token(tenant)?)?;
        let mut reckoning = Reckoning::new(
            book,
            pages,
            began,
            revision.calendar.day_starts_secs,
            public.revision,
        );
        admin.ledger((tenant, name, stats.edition), token, &mut |row| {
            reckoning.row(row);
        })?;
        // After the ledger, so that counters are never behind it.
        let (_, lane) = admin.stats(tenant, name, &token(tenant)?)?;
        let ended = Ended {
            lane: &lane,
            whole: first,
        };
        let drawn = reckoning.end(&ended, &mut judged.truth);
        if first {
            judged
                .odds
                .extend(odds::judge(&pages.campaign, &public, &drawn));
        }
    }
    judged.truth.settle();
    Ok(judged)
}
