//! What a participant's poster says: the values of the placeholders that its template names, as people read them, and the addresses of the
//! pictures at its places. Only what the participant may see anyway: their own claims, the variables that are shown, their own grants.

use std::collections::BTreeMap;

use campaign::posters::{address, instant, money, number, say};
use campaign::tenant::Tenant;
use machine::block::Look;
use machine::expr::Fault;
use machine::ids::{CampaignKey, Pseudonym, grant_id};
use machine::model::{Campaign, Poster, VarKind};
use machine::participant::{Grant, Status};
use machine::{Type, Value};
use poster::{Place, PlaceKind};

/// The longest text at a place, in characters: more is in nobody's name, and only takes time to lay out.
const MOST_CHARS: usize = 300;

/// What is put where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filled {
    /// Texts, and what codes say, by placeholder.
    pub texts: BTreeMap<String, String>,
    /// The addresses of pictures, by placeholder.
    pub pictures: BTreeMap<String, String>,
}

/// Whose poster it is, and which.
#[derive(Clone, Copy)]
pub struct Whose<'a> {
    /// The tenant.
    pub tenant: &'a Tenant,
    /// The campaign's lane.
    pub key: &'a CampaignKey,
    /// The user.
    pub user: &'a Pseudonym,
    /// The poster.
    pub poster: &'a Poster,
    /// The language.
    pub language: &'a str,
    /// The user's share id.
    pub share_id: &'a str,
    /// The grant it tells of: its place in the record.
    pub grant: Option<usize>,
}

/// The grant that is meant: the one of this id, or the newest. Their own only, and none that was taken back.
pub fn grant_of(
    look: &Look<'_>,
    key: &CampaignKey,
    user: &Pseudonym,
    id: Option<&str>,
) -> Option<usize> {
    let rules = &look.campaign.rules_of_giving;
    let is_it = |grant: &Grant| match id {
        None => true,
        Some(id) => {
            let rule = grant.rule_id(rules).unwrap_or("");
            grant_id(key, user, rule, grant.period, grant.n) == id
        }
    };
    let stands = |grant: &Grant| !matches!(grant.status, Status::Reversed | Status::Forfeited);
    let mut newest_first = look.grants.iter().enumerate().rev();
    newest_first
        .find(|(_, grant)| stands(grant) && is_it(grant))
        .map(|(at, _)| at)
}

impl Whose<'_> {
    /// Fills these places from a record that was brought up to now.
    pub fn fill(&self, look: &Look<'_>, places: &[Place]) -> Result<Filled, Fault> {
        let mut filled = Filled::default();
        for place in places {
            let path = &*place.path;
            let is_picture = place.kind == PlaceKind::Picture;
            let known = if is_picture {
                &filled.pictures
            } else {
                &filled.texts
            };
            if known.contains_key(path) {
                continue;
            }
            let Some(said) = self.value(look, path)? else {
                continue;
            };
            let (into, said) = if is_picture {
                (&mut filled.pictures, said)
            } else {
                let short = said.chars().take(MOST_CHARS).collect();
                (&mut filled.texts, short)
            };
            into.insert(path.to_owned(), said);
        }
        Ok(filled)
    }

    /// What a placeholder comes to; none: the template has its own way.
    fn value(&self, look: &Look<'_>, path: &str) -> Result<Option<String>, Fault> {
        let campaign = look.campaign;
        let Some((room, name)) = path.split_once('.') else {
            return Ok(None);
        };
        let say = |value: &Value, ty: Type| say(value, ty, campaign, self.language);
        Ok(match room {
            "user" => {
                let at = campaign.claims.iter().position(|decl| decl.name == name);
                let found = at.and_then(|at| look.user.claims.get(at).zip(campaign.claims.get(at)));
                found.map(|(value, decl)| say(value, decl.ty))
            }
            "context" => {
                let shown = campaign.vars.iter().zip(&look.core.vars);
                let mut shown = shown.filter(|(var, _)| var.show && var.kind != VarKind::Hidden);
                let found = shown.find(|(var, _)| var.name == name);
                found.map(|(var, value)| say(value, var.ty))
            }
            "figures" => {
                let figure = self.poster.figures.iter().find(|it| it.name == name);
                match figure {
                    Some(figure) => Some(say(&figure.program.eval(look)?, figure.ty)),
                    None => None,
                }
            }
            "words" => {
                let words = self.poster.words.get(name);
                words.map(|words| words.pick(self.language, &campaign.language).to_owned())
            }
            "pictures" => {
                let pattern = self.poster.pictures.get(name);
                pattern.map(|pattern| self.address(campaign, pattern))
            }
            "campaign" => self.of_campaign(campaign, name),
            "tenant" if name == "name" => {
                let fallback = self.tenant.language();
                Some(self.tenant.name.pick(self.language, fallback).to_owned())
            }
            "grant" => {
                let grant = self.grant.and_then(|at| look.grants.get(at));
                grant.and_then(|grant| self.of_grant(campaign, grant, name))
            }
            "share" => match name {
                "id" => Some(self.share_id.to_owned()),
                "url" => {
                    let share = campaign.posters.share.as_ref();
                    share.map(|share| self.address(campaign, &share.url))
                }
                _ => None,
            },
            _ => None,
        })
    }

    fn of_campaign(&self, campaign: &Campaign, name: &str) -> Option<String> {
        let text = |text: &machine::Text| text.pick(self.language, &campaign.language).to_owned();
        let at = |at| instant(at, campaign, self.language);
        Some(match name {
            "id" => campaign.campaign.to_string(),
            "title" => text(&campaign.title),
            "organizer" => text(&campaign.organizer),
            "opens" => at(campaign.window.opens),
            "closes" => at(campaign.window.closes),
            "claim_until" => at(campaign.window.claim_until),
            _ => return None,
        })
    }

    fn of_grant(&self, campaign: &Campaign, grant: &Grant, name: &str) -> Option<String> {
        let reward = campaign.rewards.get(usize::from(grant.reward))?;
        let at = |at| instant(at, campaign, self.language);
        match name {
            "title" => {
                let title = reward.title.pick(self.language, &campaign.language);
                Some(title.to_owned())
            }
            "amount" => (grant.amount != 0).then(|| number(grant.amount, self.language)),
            "value" => {
                let worth = reward.value != 0;
                worth.then(|| money(reward.value, &campaign.currency, self.language))
            }
            "at" => Some(at(grant.at)),
            "expires" => grant.expires.map(at),
            "image" => reward.image.clone(),
            _ => None,
        }
    }

    /// An address with what may stand in one.
    fn address(&self, campaign: &Campaign, pattern: &str) -> String {
        address(pattern, &|name| {
            Some(match name {
                "tenant" => self.key.tenant.to_string(),
                "campaign" => campaign.campaign.to_string(),
                "edition" => self.key.edition.to_string(),
                "poster" => self.poster.name.to_string(),
                "lang" => self.language.to_owned(),
                "share.id" => self.share_id.to_owned(),
                _ => return None,
            })
        })
    }
}
