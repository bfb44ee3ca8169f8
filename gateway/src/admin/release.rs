//! A revision for a share of the users: made by a publish with a share, then given to more of them, to all, or taken back. What may
//! be live beside what is `function::registry`'s to judge.

use axum::response::Response;
use function::idempotency::Key;
use function::problem::{Code, Problem};
use function::registry::{self, Shift, Terms};
use machine::Definition;
use machine::world::WHOLE;
use serde::Deserialize;
use store::Published;

use super::gate::Visit;
use super::revise::{not_published, sound_reason};
use super::write::{asked, change_because, invalid};

/// What a share is written like.
const SHARE: &str =
    "a share of the users in percent, with at most two digits after the point: \"5%\"";

/// A publish for a share of the users.
#[derive(Debug)]
pub(super) struct Part {
    share: u32,
    one_way: bool,
}

impl Part {
    /// What the body asks for; none: for all. A share of 100 % is all.
    pub fn read(share: Option<&str>, one_way: bool) -> Result<Option<Self>, Problem> {
        let Some(text) = share else {
            if one_way {
                return Err(invalid("/one_way", "goes with a share"));
            }
            return Ok(None);
        };
        let share = parts(text)?;
        Ok((share < WHOLE).then_some(Self { share, one_way }))
    }

    /// Publishes for it.
    pub async fn publish(
        &self,
        visit: &Visit,
        key: &Key,
        definition: &Definition,
        known: Option<&Published>,
        terms: Terms<'_>,
        reason: Option<String>,
    ) -> Result<Response, Problem> {
        let Some(known) = known else {
            return Err(Problem::new(Code::NotPossible).with(
                "problem",
                "the first revision of an edition is for all users: there is nothing that the others could keep",
            ));
        };
        let asked = (self.share, self.one_way);
        let action = registry::release(visit.store(), definition, known, asked, terms, visit.now);
        let action = visit.soon(action).await?;
        let action = action.map_err(|no| not_published(&no))?;
        change_because(visit, key, "publish", action, reason).await
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    share: Option<String>,
    #[serde(default)]
    back: bool,
    reason: Option<String>,
}

/// Gives the newer of two live revisions more of the users, all of them, or takes it back.
pub(super) async fn share(visit: &Visit) -> Result<Response, Problem> {
    let (key, found) = asked(visit).await?;
    let Asked {
        share,
        back,
        reason,
    } = visit.body()?;
    let reason = sound_reason(reason)?;
    let to = match (share, back) {
        (Some(text), false) => Shift::To(parts(&text)?),
        (None, true) => Shift::Back,
        _ => return Err(invalid("/share", "either a share, or `back`")),
    };
    let action = visit
        .soon(registry::shift(visit.store(), &found, to, visit.now))
        .await?;
    let action = action.map_err(|no| not_published(&no))?;
    change_because(visit, &key, "share", action, reason).await
}

/// A share as parts of 10,000, read from its text: more than none, at most all.
fn parts(text: &str) -> Result<u32, Problem> {
    percent(text)
        .filter(|parts| (1..=WHOLE).contains(parts))
        .ok_or_else(|| invalid("/share", &format!("{SHARE}; more than 0, at most 100")))
}

fn percent(text: &str) -> Option<u32> {
    let figure = text.strip_suffix('%')?.trim_end_matches(' ');
    let (whole, rest) = figure.split_once('.').unwrap_or((figure, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(rest) || whole.len() > 3 || rest.len() > 2 {
        return None;
    }
    let whole: u32 = whole.parse().ok()?;
    let hundredths: u32 = format!("{rest:0<2}").parse().ok()?;
    Some(whole * 100 + hundredths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_read_from_its_text() {
        for (text, share) in [
            ("5%", 500),
            ("5 %", 500),
            ("0.01%", 1),
            ("0.5%", 50),
            ("99.99%", 9999),
            ("100%", 10_000),
            ("100.00%", 10_000),
        ] {
            assert_eq!(parts(text).ok(), Some(share), "{text}");
        }
        for bad in [
            "", "%", "5", "0%", "0.00%", "0.001%", "100.01%", "101%", "1000%", "-5%", "+5%", "5.%",
            ".5%", "5,5%", "5e1%", "５%", " 5%", "5%%",
        ] {
            assert!(parts(bad).is_err(), "{bad}");
        }
    }
}
