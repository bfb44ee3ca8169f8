//! A wheel as clients see it: prizes with their exact odds, tiers, pity and what it promises, how often one may draw, what it looks
//! like.

use machine::Campaign;
use machine::block::Look;
use machine::model::Reward;
use serde_json::{Value as Json, json};

use super::{AtMost, Odds, Params, Tier, contract};
use crate::promise;

/// What a participant has drawn of it.
#[derive(Clone, Copy)]
pub(super) struct Drawn {
    /// Draws without a win in a row.
    pub misses: i64,
    /// Draws in all.
    pub made: u64,
    /// How many more there may be; none: nothing limits them.
    pub left: Option<i64>,
}

/// For one participant.
pub(super) fn view(params: &Params, look: &Look<'_>, drawn: Drawn, language: &str) -> Json {
    let Drawn { misses, made, left } = drawn;
    let campaign = look.campaign;
    let is_for = |reward: &Reward| {
        let guard = reward.not_for.as_ref()?;
        Some(guard.eval(look).is_ok_and(|excluded| !excluded))
    };
    let mut wheel = all(params, campaign, language, &is_for);
    wheel["misses"] = json!(misses);
    if !params.tiers.is_empty() {
        wheel["tier"] = json!(params.tier(made).map(|place| place + 1));
    }
    if has_draws(params) {
        wheel["draws"]["made"] = json!(made);
    }
    if let Some(left) = left {
        wheel["draws"]["left"] = json!(left);
    }
    wheel
}

/// For anybody.
pub(super) fn public(params: &Params, campaign: &Campaign, language: &str) -> Json {
    all(params, campaign, language, &|_| None)
}

fn has_draws(params: &Params) -> bool {
    params.at_once.is_some() || !params.at_most.is_free() || !params.tiers.is_empty()
}

fn all(
    params: &Params,
    campaign: &Campaign,
    language: &str,
    is_for: &dyn Fn(&Reward) -> Option<bool>,
) -> Json {
    let mut wheel = json!({ "prizes": prizes(params, campaign, language, is_for) });
    if !params.tiers.is_empty() {
        wheel["tiers"] = tiers(params, campaign);
    }
    if has_draws(params) {
        let mut draws = json!({});
        if let Some(at_once) = &params.at_once {
            draws["at_once"] = json!({ "draws": at_once.times, "for": at_once.price });
        }
        if !params.at_most.is_free() {
            draws["at_most"] = at_most(&params.at_most);
        }
        wheel["draws"] = draws;
    }
    if params.pity.is_some() {
        wheel["pity"] = pity(params, campaign, language);
    }
    if let Some(picture) = &params.picture {
        wheel["look"] = picture.shown(campaign);
    }
    wheel
}

fn prizes(
    params: &Params,
    campaign: &Campaign,
    language: &str,
    is_for: &dyn Fn(&Reward) -> Option<bool>,
) -> Json {
    let odds = params.odds();
    let mut all: Vec<(u16, u64)> = odds.parts().collect();
    // What only the first draws may win is a prize too.
    for (reward, _) in params
        .tiers
        .iter()
        .flat_map(|tier| tier.odds().parts().collect::<Vec<_>>())
    {
        if all.iter().all(|(known, _)| *known != reward) {
            all.push((reward, 0));
        }
    }
    let all = all.into_iter().map(|(place, parts)| {
        let mut prize = promise::shown(campaign, place, language);
        prize["odds"] = json!({ "parts": parts, "of": params.whole });
        let reward = campaign.rewards.get(usize::from(place));
        let instead =
            reward.and_then(|reward| campaign.rewards.get(usize::from(reward.when_gone?)));
        prize["instead"] = instead.map_or(Json::Null, |instead| json!(&*instead.id));
        if let Some(reward) = reward {
            limits(reward, is_for, &mut prize);
        }
        prize
    });
    all.collect()
}

/// How often one may have it, and whether everybody may.
fn limits(reward: &Reward, is_for: &dyn Fn(&Reward) -> Option<bool>, prize: &mut Json) {
    if let Some(within) = &reward.within {
        let most = AtMost {
            day: within.day,
            week: within.week,
            edition: reward.per_user,
        };
        prize["per_user"] = at_most(&most);
    }
    if reward.not_for.is_some() {
        prize["not_for_everybody"] = json!(true);
    }
    if let Some(is_for) = is_for(reward) {
        prize["for_you"] = json!(is_for);
    }
}

fn at_most(most: &AtMost) -> Json {
    let limits = [
        ("day", most.day),
        ("week", most.week),
        ("edition", most.edition),
    ];
    let mut shown = json!({});
    for (name, most) in limits {
        if let Some(most) = most {
            shown[name] = json!(most);
        }
    }
    shown
}

/// The odds of the first draws, draw by draw from 1.
fn tiers(params: &Params, campaign: &Campaign) -> Json {
    let mut from = 0;
    let tier = |tier: &Tier| {
        let shown = json!({
            "from_draw": from + 1,
            "to_draw": tier.first_draws,
            "odds": odds(&tier.odds(), campaign),
        });
        from = tier.first_draws;
        shown
    };
    params.tiers.iter().map(tier).collect()
}

fn odds(odds: &Odds<'_>, campaign: &Campaign) -> Json {
    let one = |(place, parts): (u16, u64)| {
        let reward = campaign.rewards.get(usize::from(place));
        let id = reward.map_or("", |reward| &reward.id);
        json!({ "reward": id, "parts": parts, "of": odds.whole })
    };
    odds.parts().map(one).collect()
}

fn pity(params: &Params, campaign: &Campaign, language: &str) -> Json {
    params.pity.as_ref().map_or(Json::Null, |pity| {
        json!({
            "losses_in_a_row": pity.losses,
            "then_give": campaign.rewards.get(usize::from(pity.reward)).map(|reward| &*reward.id),
            "starts_over_after": if pity.any_win { "any-win" } else { "this-reward" },
            "contract": contract::of(params, campaign, language),
        })
    })
}
