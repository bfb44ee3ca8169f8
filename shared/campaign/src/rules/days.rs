//! Sentences about days: make-ups, forgiven and frozen days, what makes a day count, what days draw.

use std::fmt::Write as _;

use blocks::streak::{Cards, FREEZE_CARDS, Forgive, MAKEUP_CARDS, Makeup, Span};
use machine::Day;
use machine::calendar::date;

use super::words::Words;

impl Words {
    pub(super) fn on_date(self, day: Day, reward: &str) -> String {
        let day = date(day);
        match self {
            Self::Chinese => format!("- {day} 当天：{reward}"),
            Self::English | Self::Plain => format!("- on {day}: {reward}"),
        }
    }

    pub(super) fn one_of(self, each: &[String]) -> String {
        match self {
            Self::Chinese => format!("随机一种：{}", each.join("、")),
            Self::English | Self::Plain => format!("one of: {}", each.join(", ")),
        }
    }

    /// A balance by its name in the file.
    pub(super) fn balance(self, name: &str) -> String {
        let spoken = match (self, name) {
            (Self::Chinese, "points") => "积分",
            (Self::Chinese, "chances") => "次抽奖机会",
            (Self::Chinese, MAKEUP_CARDS) => "张补签卡",
            (Self::Chinese, FREEZE_CARDS) => "张冻结卡",
            _ => return name.replace('_', " "),
        };
        spoken.to_owned()
    }

    pub(super) fn makeup(self, makeup: Makeup, cost: Option<&str>) -> String {
        let back = i64::from(makeup.days_back);
        let in_all = (makeup.at_most != Makeup::WITHOUT_LIMIT).then_some(makeup.at_most);
        match self {
            Self::Chinese => {
                let mut said = format!("最近 {back} 天内漏签的日子可以补签");
                if let Some(most) = in_all {
                    let _ = write!(said, "，活动期间最多 {most} 次");
                }
                if let Some(most) = makeup.per_month {
                    let _ = write!(said, "，每月最多 {most} 次");
                }
                if makeup.cards.is_some() {
                    said.push_str("，每次用一张补签卡");
                }
                if let Some(cost) = cost {
                    let _ = write!(said, "，每次需要 {cost}");
                }
                said.push('。');
                said
            }
            Self::English | Self::Plain => {
                let mut said = format!("A missed day can be made up within {}", self.days(back));
                if let Some(most) = in_all {
                    let _ = write!(said, ", {most} in all");
                }
                if let Some(most) = makeup.per_month {
                    let _ = write!(said, ", {most} a month");
                }
                if makeup.cards.is_some() {
                    said.push_str("; each takes a make-up card");
                }
                if let Some(cost) = cost {
                    let _ = write!(said, "; each costs {cost}");
                }
                said.push('.');
                said
            }
        }
    }

    pub(super) fn forgive(self, forgive: Forgive) -> String {
        let many = i64::from(forgive.days);
        match (self, forgive.every) {
            (Self::Chinese, span) => {
                let span = match span {
                    Span::Month => "每个自然月".to_owned(),
                    Span::Week => "每周（周一起）".to_owned(),
                    Span::Days(days) => format!("从开始日起每 {days} 天"),
                };
                format!("{span}可有 {many} 天漏签不中断连续天数，也不计入天数。")
            }
            (Self::English | Self::Plain, span) => {
                let span = match span {
                    Span::Month => "each month".to_owned(),
                    Span::Week => "each week (from Monday)".to_owned(),
                    Span::Days(days) => {
                        format!("every {} from the opening on", self.days(i64::from(days)))
                    }
                };
                format!(
                    "{} missed in {span} is forgiven: it neither breaks a streak nor counts.",
                    self.days(many)
                )
            }
        }
    }

    pub(super) fn freeze(self, cards: Cards) -> String {
        let held = (cards.hold_at_most < i64::MAX).then_some(cards.hold_at_most);
        match self {
            Self::Chinese => {
                let held = held.map_or_else(String::new, |most| format!("最多持有 {most} 张，"));
                format!(
                    "漏签一天时自动用掉一张冻结卡，连续天数不中断，这一天不计入天数；{held}没有可保住的连续天数时不会用卡。"
                )
            }
            Self::English | Self::Plain => {
                let held =
                    held.map_or_else(String::new, |most| format!(" At most {most} can be held."));
                format!(
                    "A freeze card is used by itself for a day that is missed: the streak is kept, and the day does not count. No card is used where there is no streak to keep.{held}"
                )
            }
        }
    }

    pub(super) fn day_counts(self, at_least: i64, unit: &str) -> String {
        match self {
            Self::Chinese => format!(
                "一天满 {} {unit}才算签到，达标后自动签到。",
                self.count(at_least)
            ),
            Self::English | Self::Plain => format!(
                "A day counts once it has {} {unit}: it is signed by itself then.",
                self.count(at_least)
            ),
        }
    }
}
