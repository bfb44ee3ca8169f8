//! What pity promises, in words: the one place where it is said, for the rules and for the page. English, Chinese, and English for
//! any other language.

use machine::model::{Definition, Reward, RewardKind};

use super::Params;

/// What pity promises, with the titles that users read.
#[derive(Debug, Clone, Copy)]
pub struct Contract<'a> {
    /// After so many draws.
    pub losses: u32,
    /// This is given.
    pub reward: &'a str,
    /// Whether any win starts the count over.
    pub any_win: bool,
    /// Whether what it gives can be gone by then; with what is given in its place, if anything is.
    pub gone: Option<Option<&'a str>>,
    /// Whether several draws can be made in one call.
    pub at_once: bool,
}

/// What a wheel's pity promises; none: it has none.
pub fn of(params: &Params, definition: &Definition, language: &str) -> Option<String> {
    let pity = params.pity?;
    let reward = definition.rewards.get(usize::from(pity.reward))?;
    let title = |reward: &Reward| {
        let title = reward.title.pick(language, &definition.language);
        title.to_owned()
    };
    let paid = definition.budget.as_ref().filter(|_| reward.cost > 0);
    let limited = reward.stock.is_some() || reward.per_user.is_some();
    let limited = limited || reward.within.is_some() || reward.not_for.is_some();
    let instead = reward
        .when_gone
        .filter(|_| limited)
        .or_else(|| paid.and_then(|budget| budget.when_spent));
    let instead = instead
        .and_then(|at| definition.rewards.get(usize::from(at)))
        .filter(|instead| instead.kind != RewardKind::Nothing)
        .map(title);
    let contract = Contract {
        losses: pity.losses,
        reward: &title(reward),
        any_win: pity.any_win,
        gone: (limited || paid.is_some()).then_some(instead.as_deref()),
        at_once: params.at_once.is_some(),
    };
    Some(contract.say(is_chinese(language)))
}

impl Contract<'_> {
    /// The sentences.
    pub fn say(&self, in_chinese: bool) -> String {
        if in_chinese {
            self.chinese()
        } else {
            self.english()
        }
    }

    fn english(&self) -> String {
        let (losses, reward) = (self.losses, self.reward);
        let (without, over) = if self.any_win {
            ("a win", "any win")
        } else {
            (reward, reward)
        };
        let only = if self.any_win { "" } else { "only " };
        let draws = if losses == 1 { "draw" } else { "draws" };
        let mut said = format!(
            "After {losses} {draws} in a row without {without} the next one gives {reward} for certain; {only}{over} starts the count over."
        );
        if self.at_once {
            said += " Draws made at once are counted one after the other.";
        }
        said += " The count goes on when the rules are changed, and does not go over into another edition.";
        match self.gone {
            None => {}
            Some(Some(instead)) => {
                said.extend([format!(
                    " If {reward} can no longer be given then, {instead} is given in its place if there is any, and the count starts over."
                )]);
            }
            Some(None) => {
                said.extend([format!(
                    " If {reward} can no longer be given then, that draw wins nothing, and the count starts over."
                )]);
            }
        }
        said
    }

    fn chinese(&self) -> String {
        let (losses, reward) = (self.losses, self.reward);
        let mut said = if self.any_win {
            format!("连续{losses}次未中奖，下一次必得{reward}；中奖后重新计数。")
        } else {
            format!("连续{losses}次未获得{reward}，下一次必得{reward}；获得{reward}后重新计数。")
        };
        if self.at_once {
            said += "连抽按先后顺序逐次计数。";
        }
        said += "规则更新后计数延续，不带入下一期活动。";
        match self.gone {
            None => {}
            Some(Some(instead)) => {
                said.extend([format!(
                    "届时{reward}已无法发放的，如仍有{instead}则改发{instead}，并重新计数。"
                )]);
            }
            Some(None) => {
                said.extend([format!(
                    "届时{reward}已无法发放的，该次不中奖，并重新计数。"
                )]);
            }
        }
        said
    }
}

/// Whether a language is Chinese as it is written in mainland China.
pub fn is_chinese(language: &str) -> bool {
    let tag = language.to_ascii_lowercase();
    ["zh", "zh-cn", "zh-hans", "zh-sg"].contains(&&*tag) || tag.starts_with("zh-hans-")
}
