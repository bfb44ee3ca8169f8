//! What stands on a poster that nobody has yet: the longest that may come, for the check, and an ordinary day's, for a look.

use std::collections::BTreeMap;

use machine::Type;
use machine::model::{Definition, Poster};

use super::placeholders::{Holds, NAME_CHARS, SHARE_ID_CHARS, placeholders};
use super::say::{instant, money, number};

/// The largest number that is reckoned with where nothing says less.
pub const LARGEST: i64 = 9_999_999;

/// 30 September of some year, at 20:58: nothing that a clock says is longer.
const LATE: i64 = 1_790_772_480_000;

/// The longest texts that a poster is reckoned with, by placeholder: those of users have 20 letters of full width, numbers 7
/// digits or as many as their balance holds; what the campaign writes is taken as it is. `tenant` is the tenant's name.
pub fn longest(
    definition: &Definition,
    poster: &Poster,
    tenant: &str,
    language: &str,
) -> BTreeMap<String, String> {
    let most = |path: &str| {
        let name = path.strip_prefix("context.");
        let var = definition
            .vars
            .iter()
            .find(|var| Some(&*var.name) == name)
            .map_or(LARGEST, |var| var.at_most);
        most_of(var)
    };
    all(definition, poster, language, &|path, holds| match holds {
        Holds::Said | Holds::Value(Type::Str) => "国".repeat(NAME_CHARS),
        Holds::Value(Type::Int) if path == "grant.amount" => {
            let amounts = definition.rewards.iter().map(|reward| reward.amount);
            number(amounts.max().unwrap_or(0), language)
        }
        Holds::Value(Type::Int) => number(most(path), language),
        Holds::Value(ty) => long(ty, definition, language),
        Holds::Money => {
            let values = definition.rewards.iter().map(|reward| reward.value);
            money(values.max().unwrap_or(0), &definition.currency, language)
        }
        Holds::Written if path == "grant.title" => {
            let titles = definition.rewards.iter();
            let titles = titles.map(|reward| reward.title.pick(language, &definition.language));
            titles
                .max_by_key(|title| width(title))
                .unwrap_or("")
                .to_owned()
        }
        Holds::Written if path == "share.id" => "W".repeat(SHARE_ID_CHARS),
        _ => written(path, definition, poster, tenant, language),
    })
}

/// What an ordinary participant's poster says, by placeholder.
pub fn sample(
    definition: &Definition,
    poster: &Poster,
    tenant: &str,
    language: &str,
) -> BTreeMap<String, String> {
    let chinese = language.starts_with("zh");
    let reward = definition
        .rewards
        .iter()
        .filter(|reward| {
            !reward.title.is_empty() && reward.kind != machine::model::RewardKind::Nothing
        })
        .max_by_key(|reward| reward.value.max(reward.cost));
    all(definition, poster, language, &|path, holds| match holds {
        Holds::Said if path.ends_with("avatar") || path.ends_with("picture") => String::new(),
        Holds::Said | Holds::Value(Type::Str) => {
            if chinese { "林小满" } else { "Mia Chen" }.to_owned()
        }
        Holds::Value(Type::Int) if path == "grant.amount" => {
            number(reward.map_or(0, |reward| reward.amount), language)
        }
        Holds::Value(Type::Int) => number(7, language),
        Holds::Value(ty) => long(ty, definition, language),
        Holds::Money => money(
            reward.map_or(0, |reward| reward.value),
            &definition.currency,
            language,
        ),
        Holds::Written if path == "grant.title" => reward
            .map_or("", |reward| {
                reward.title.pick(language, &definition.language)
            })
            .to_owned(),
        Holds::Written if path == "share.id" => "k7Qm2xW9".to_owned(),
        _ => written(path, definition, poster, tenant, language),
    })
}

/// What is the same for all participants.
fn written(
    path: &str,
    definition: &Definition,
    poster: &Poster,
    tenant: &str,
    language: &str,
) -> String {
    let pick = |text: &machine::Text| text.pick(language, &definition.language).to_owned();
    match path {
        "campaign.id" => definition.campaign.to_string(),
        "campaign.title" => pick(&definition.title),
        "campaign.organizer" => pick(&definition.organizer),
        "tenant.name" => tenant.to_owned(),
        "share.url" => definition
            .posters
            .share
            .as_ref()
            .map_or_else(String::new, |share| {
                super::address(&share.url, &|name| {
                    Some(match name {
                        "tenant" => definition.tenant.to_string(),
                        "campaign" => definition.campaign.to_string(),
                        "edition" => definition.edition.to_string(),
                        "poster" => poster.name.to_string(),
                        "lang" => language.to_owned(),
                        _ => "k7Qm2xW9aB3dE5fG".to_owned(),
                    })
                })
            }),
        _ => path
            .strip_prefix("words.")
            .and_then(|name| poster.words.get(name))
            .map_or_else(String::new, pick),
    }
}

/// All that is no picture.
fn all(
    definition: &Definition,
    poster: &Poster,
    language: &str,
    say: &dyn Fn(&str, Holds) -> String,
) -> BTreeMap<String, String> {
    let window = definition.window;
    let known = placeholders(definition, poster).into_iter();
    let texts = known.filter(|each| each.holds.is_text());
    texts
        .map(|each| {
            let said = match &*each.path {
                "campaign.opens" => instant(window.opens, definition, language),
                "campaign.closes" => instant(window.closes, definition, language),
                "campaign.claim_until" => instant(window.claim_until, definition, language),
                path => say(path, each.holds),
            };
            (each.path, said)
        })
        .collect()
}

/// A balance that holds at most so many, as far as it is reckoned with.
fn most_of(at_most: i64) -> i64 {
    if (1..LARGEST).contains(&at_most) {
        at_most
    } else {
        LARGEST
    }
}

fn long(ty: Type, definition: &Definition, language: &str) -> String {
    let value = match ty {
        Type::Bool => machine::Value::Bool(true),
        Type::Date => machine::Value::Int(LATE / 86_400_000),
        Type::Duration => machine::Value::Int(9_999 * 60_000),
        _ => machine::Value::Int(LATE),
    };
    super::say(&value, ty, definition, language)
}

/// About how wide a text is: letters of full width count twice.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| if u32::from(c) > 0x2e7f { 2 } else { 1 })
        .sum()
}
