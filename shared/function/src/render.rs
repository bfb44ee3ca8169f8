//! Answers: what a decision, a view, a list of grants look like as JSON. The shapes are in `shapes`; here they are filled.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use machine::block::Look;
use machine::calendar::{Calendar, date};
use machine::ids::{CampaignKey, Pseudonym, grant_id, hex};
use machine::input::Payload;
use machine::ledger::{DrawRow, Row};
use machine::luck::NoDraws;
use machine::luck::Seed;
use machine::model::{Campaign, EventDecl, Phase, RewardKind, VarKind};
use machine::participant::{Grant, Participant};
use machine::step::{Call, Decision, Rejection};
use machine::turn::shown_for;
use machine::view::{Possible, view};
use machine::world::{Notice, Pause};
use machine::{Fault, Millis, Type, Value};
use serde_json::{Map, Value as Json, json};

use crate::poster::Offer;
use crate::problem::Code;
use crate::raffle::Drawn;

mod parts;
mod shapes;
pub use shapes::{
    DrawView, Eligible, EventAnswer, EventView, GrantView, GrantsAnswer, PublicAnswer, ViewAnswer,
};

/// What staff have done about a campaign or a user, as far as users are shown it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standing<'a> {
    /// A stop.
    pub pause: Option<&'a Pause>,
    /// Whether the user is kept from taking part.
    pub blocked: bool,
    /// What users are told without a stop.
    pub notice: Option<&'a Notice>,
    /// A draw from entries, once it was made.
    pub drawn: Option<&'a Drawn>,
    /// To whom posters are offered; none: to nobody.
    pub posters: Option<&'a Offer<'a>>,
}

impl Standing<'_> {
    /// A block's part of a page with what is known of its draw: how many entries there were, and the hash of their list. Whoever
    /// entered and was not drawn is told so.
    fn drawn(
        &self,
        name: &str,
        mut part: Json,
        user: Option<&Pseudonym>,
        calendar: &Calendar,
    ) -> Json {
        let Some(drawn) = self.drawn.filter(|drawn| name == &*drawn.row.draw) else {
            return part;
        };
        part["drawn"] = json!({
            "at": calendar.rfc3339(drawn.at),
            "entries": drawn.row.entries,
            "sha256": hex(&drawn.row.sha256),
        });
        let out = user.is_some_and(|user| !drawn.places.contains_key(user));
        if out && part["state"] == "entered" {
            part["state"] = json!("not-won");
        }
        part
    }

    /// What users are told: of a stop before all else.
    fn told(&self, campaign: &Campaign, now: Millis, language: &str) -> Option<String> {
        let of_pause = self.pause.and_then(|pause| pause.notice.clone());
        of_pause.or_else(|| {
            let notice = self.notice.filter(|notice| notice.is_shown(now))?;
            Some(notice.text.pick(language, &campaign.language).to_owned())
        })
    }
}

/// The codes of a participant's grants, by their place in the record.
pub type Codes = HashMap<usize, Arc<str>>;

/// The answer to a decision. It has no codes: its bytes are part of what is committed, and only the commit says which unit was given;
/// nor should a code lie in a store a second time, where answers are remembered.
pub fn event_answer<'a>(
    call: &Call<'a>,
    decision: &Decision,
    pause: Option<&Pause>,
    key: &CampaignKey,
    user: &Pseudonym,
    event: &'a str,
    language: &str,
) -> Result<Vec<u8>, Fault> {
    let campaign = call.campaign;
    let mut grants = Vec::with_capacity(call.participant.grants.len() + decision.grants.len());
    grants.extend(
        call.participant
            .grants
            .iter()
            .chain(&decision.grants)
            .cloned(),
    );
    let after = Participant {
        core: decision.core.clone(),
        grants,
        heard: decision.heard.clone(),
    };
    // No look evaluates a draw.
    let seen = view(&Call {
        participant: &after,
        event: None,
        draws: &NoDraws,
        exhausted: &[],
        ..*call
    })?;
    let answer = EventAnswer {
        campaign: &campaign.campaign,
        event,
        state: state_name(campaign, seen.turn.core.state),
        context: context(&seen.turn.look()),
        events: events(campaign, &seen.events, pause, language),
        grants: decision
            .grants
            .iter()
            .map(|grant| grant_view(campaign, grant, key, user, language, None))
            .collect(),
        draws: draws(campaign, decision, language),
        outcome: decision.outcome,
        version: decision.core.version,
        lane: key.lane,
    };
    // Maps keyed by strings and plain values: nothing here can fail to serialise.
    Ok(serde_json::to_vec(&answer).unwrap_or_default())
}

/// The draws of a decision, in their order.
fn draws<'a>(campaign: &'a Campaign, decision: &Decision, language: &str) -> Vec<DrawView<'a>> {
    let drawn = decision.rows.iter().filter_map(|row| match row {
        Row::Draw(draw) => Some(draw),
        _ => None,
    });
    let view = |draw: &DrawRow| {
        let place = shown_for(campaign, draw);
        let reward = place.and_then(|place| campaign.definition().rewards.get(usize::from(place)));
        DrawView {
            index: draw.index,
            reward: reward.map(|reward| &*reward.id),
            title: reward.map(|reward| reward.title.pick(language, &campaign.language)),
            image: reward.and_then(|reward| reward.image.as_deref()),
            won: draw.given.is_some(),
            pity: draw.rolled.pity,
        }
    };
    drawn.map(view).collect()
}

/// A participant's view, with the grants in these places of the record.
pub fn view_answer(
    call: &Call<'_>,
    standing: Standing<'_>,
    key: &CampaignKey,
    user: &Pseudonym,
    language: &str,
    (codes, shown): (&Codes, Range<usize>),
) -> Result<Vec<u8>, Fault> {
    let campaign = call.campaign;
    let pause = standing.pause;
    let seen = view(call)?;
    let look = seen.turn.look();
    let blocks = campaign
        .blocks
        .iter()
        .filter_map(|block| block.view(&look, language));
    let calendar = &campaign.calendar;
    let answer = ViewAnswer {
        campaign: &campaign.campaign,
        edition: key.edition,
        lane: key.lane,
        activity: &campaign.activity,
        title: campaign.title.pick(language, &campaign.language),
        now: calendar.rfc3339(call.now),
        phase: phase(campaign, call.now, pause),
        notice: standing.told(campaign, call.now, language),
        opens: calendar.rfc3339(campaign.window.opens),
        closes: calendar.rfc3339(campaign.window.closes),
        claim_until: calendar.rfc3339(campaign.window.claim_until),
        eligible: match (standing.blocked, seen.eligible) {
            (true, _) => Eligible::no(Code::RiskRefused),
            (false, false) => Eligible::no(Code::NotEligible),
            (false, true) => Eligible {
                ok: true,
                code: None,
            },
        },
        state: state_name(campaign, seen.turn.core.state),
        context: context(&look),
        events: if standing.blocked {
            refused(campaign, &seen.events, language)
        } else {
            events(campaign, &seen.events, pause, language)
        },
        earlier_grants: shown.start,
        grants: look
            .grants
            .iter()
            .enumerate()
            .skip(shown.start)
            .map(|(at, grant)| grant_view(campaign, grant, key, user, language, codes.get(&at)))
            .collect(),
        version: call.participant.core.version,
        posters: standing.posters.map_or_else(Vec::new, |offer| {
            offer.posters(&look, call.participant.core.version)
        }),
        blocks: blocks
            .map(|(name, part)| {
                (
                    name.to_owned(),
                    standing.drawn(name, part, Some(user), calendar),
                )
            })
            .collect(),
    };
    Ok(serde_json::to_vec(&answer).unwrap_or_default())
}

/// The page that anyone may see.
pub fn public_answer(
    campaign: &Campaign,
    key: &CampaignKey,
    seed: &Seed,
    revealed: bool,
    standing: Standing<'_>,
    now: Millis,
    language: &str,
) -> Vec<u8> {
    let calendar = &campaign.calendar;
    let blocks = campaign
        .blocks
        .iter()
        .filter_map(|block| block.public(campaign, language));
    let rules_url = (!campaign.rules.is_empty())
        .then(|| format!("/v1/{}/{}/rules?lang={language}", key.tenant, key.campaign));
    let answer = PublicAnswer {
        tenant: &key.tenant,
        campaign: &key.campaign,
        edition: key.edition,
        activity: &campaign.activity,
        title: campaign.title.pick(language, &campaign.language),
        organizer: campaign.organizer.pick(language, &campaign.language),
        phase: phase(campaign, now, standing.pause),
        notice: standing.told(campaign, now, language),
        opens: calendar.rfc3339(campaign.window.opens),
        closes: calendar.rfc3339(campaign.window.closes),
        claim_until: calendar.rfc3339(campaign.window.claim_until),
        timezone: calendar.timezone.name(),
        rules_url,
        rewards: rewards(campaign, language),
        seed_hash: hex(&seed.commitment()),
        seed: revealed.then(|| hex(&seed.0)),
        revision: campaign.revision,
        config_hash: hex(&campaign.sha256),
        blocks: blocks
            .map(|(name, part)| (name.to_owned(), standing.drawn(name, part, None, calendar)))
            .collect(),
    };
    serde_json::to_vec(&answer).unwrap_or_default()
}

/// The rewards that a campaign can give.
fn rewards(campaign: &Campaign, language: &str) -> Vec<Json> {
    let given = (0_u16..).zip(&campaign.rewards);
    given
        .filter(|(_, reward)| reward.kind != RewardKind::Nothing)
        .map(|(place, _)| blocks::promise::shown(campaign, place, language))
        .collect()
}

/// One page of a user's grants: those at these places in the record, of which all are there.
pub fn grants_answer(
    campaign: &Campaign,
    grants: &[Grant],
    places: Range<usize>,
    key: &CampaignKey,
    user: &Pseudonym,
    language: &str,
    codes: &Codes,
) -> Vec<u8> {
    let end = places.end;
    let shown = grants.get(places.clone()).unwrap_or_default();
    let answer = GrantsAnswer {
        grants: places
            .zip(shown)
            .map(|(at, grant)| grant_view(campaign, grant, key, user, language, codes.get(&at)))
            .collect(),
        next: (end < grants.len()).then(|| end.to_string()),
    };
    serde_json::to_vec(&answer).unwrap_or_default()
}

/// A rejection in the user's language: the campaign's own words for the code, else ours.
pub fn message(campaign: &Campaign, rejection: &Rejection, language: &str) -> String {
    let code = rejection.code();
    if let Some(words) = campaign.messages.get(code) {
        return words.pick(language, &campaign.language).to_owned();
    }
    Code::parse(code)
        .unwrap_or(Code::NotPossible)
        .words()
        .pick(language)
        .to_owned()
}

fn phase(campaign: &Campaign, now: Millis, pause: Option<&Pause>) -> Phase {
    match campaign.window.phase(now) {
        Phase::Open if pause.is_some_and(|pause| pause.event.is_none()) => Phase::Paused,
        phase => phase,
    }
}

fn state_name(campaign: &Campaign, state: u16) -> &str {
    campaign
        .machine
        .states
        .get(usize::from(state))
        .map_or("", |state| &state.name)
}

fn context(look: &Look<'_>) -> Map<String, Json> {
    let campaign = look.campaign;
    let shown = campaign.vars.iter().zip(&look.core.vars);
    shown
        .filter(|(var, _)| var.show && var.kind != VarKind::Hidden)
        .map(|(var, value)| (var.name.clone(), json_of(campaign, var.ty, value)))
        .collect()
}

fn json_of(campaign: &Campaign, ty: Type, value: &Value) -> Json {
    match (ty, value) {
        (Type::Date, Value::Int(day)) => {
            i32::try_from(*day).map_or(Json::Null, |day| json!(date(day).to_string()))
        }
        (Type::Time, Value::Int(at)) => json!(campaign.calendar.rfc3339(*at)),
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

fn events<'a>(
    campaign: &'a Campaign,
    events: &[Possible],
    pause: Option<&Pause>,
    language: &str,
) -> Vec<EventView<'a>> {
    let shown = events.iter().filter_map(|possible| {
        let declared = campaign.events.get(usize::from(possible.event))?;
        let rfc3339 = |at| campaign.calendar.rfc3339(at);
        let payload = payload(declared);
        let event = &*declared.name;
        // A pause stops what the window and the rules would allow.
        Some(
            match (&possible.no, pause.filter(|pause| pause.stops(Some(event)))) {
                (Some(no @ (Rejection::NotOpen | Rejection::Closed)), _) | (Some(no), None) => {
                    EventView {
                        event,
                        possible: false,
                        code: Some(no.code().to_owned()),
                        message: Some(message(campaign, no, language)),
                        next_at: possible.next_at.map(rfc3339),
                        payload,
                    }
                }
                (_, Some(pause)) => EventView {
                    event,
                    possible: false,
                    code: Some(Code::Paused.as_str().to_owned()),
                    message: Some(
                        pause
                            .notice
                            .clone()
                            .unwrap_or_else(|| Code::Paused.words().pick(language).to_owned()),
                    ),
                    next_at: pause.until.map(rfc3339),
                    payload,
                },
                (None, None) => EventView {
                    event,
                    possible: true,
                    code: None,
                    message: None,
                    next_at: None,
                    payload,
                },
            },
        )
    });
    shown.collect()
}

/// The events of a user who is kept from all of them.
fn refused<'a>(campaign: &'a Campaign, events: &[Possible], language: &str) -> Vec<EventView<'a>> {
    let code = Code::RiskRefused;
    let shown = events.iter().filter_map(|possible| {
        let declared = campaign.events.get(usize::from(possible.event))?;
        Some(EventView {
            event: &declared.name,
            possible: false,
            code: Some(code.as_str().to_owned()),
            message: Some(code.words().pick(language).to_owned()),
            next_at: None,
            payload: payload(declared),
        })
    });
    shown.collect()
}

fn payload(declared: &EventDecl) -> Option<Map<String, Json>> {
    if declared.payload.is_empty() {
        return None;
    }
    let fields = declared.payload.iter().map(|field| {
        let mut shape =
            json!({ "type": field.ty.to_string(), "required": field.default.is_none() });
        if field.ty == Type::Int && field.at_least != i64::MIN {
            shape["at_least"] = json!(field.at_least);
        }
        if field.ty == Type::Int && field.at_most != i64::MAX {
            shape["at_most"] = json!(field.at_most);
        }
        if field.ty == Type::Str {
            shape["max_length"] = json!(field.max_length);
        }
        if let Some(choice) = &field.choice {
            shape["one_of"] = json!(choice.of);
            shape["how_many"] = json!(choice.how_many);
        }
        (field.name.clone(), shape)
    });
    Some(fields.collect())
}

fn grant_view<'a>(
    campaign: &'a Campaign,
    grant: &Grant,
    key: &CampaignKey,
    user: &Pseudonym,
    language: &str,
    code: Option<&Arc<str>>,
) -> GrantView<'a> {
    let reward = campaign.rewards.get(usize::from(grant.reward));
    let rule = grant.rule_id(&campaign.rules_of_giving).unwrap_or("");
    GrantView {
        id: grant_id(key, user, rule, grant.period, grant.n),
        rule,
        reward: reward.map_or("", |reward| &reward.id),
        kind: reward.map_or(Json::Null, |reward| json!(reward.kind)),
        title: reward.map_or("", |reward| reward.title.pick(language, &campaign.language)),
        amount: (grant.amount != 0).then_some(grant.amount),
        code: code.cloned(),
        status: grant.status,
        at: campaign.calendar.rfc3339(grant.at),
        expires: grant.expires.map(|at| campaign.calendar.rfc3339(at)),
    }
}

/// An empty payload, for looks that no event accompanies.
pub const NO_PAYLOAD: &Payload = &Payload { fields: Vec::new() };
