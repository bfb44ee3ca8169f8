//! How dates, figures and sentences are said to users: in English, in Chinese, and plainly in any other language.

use chrono::{DateTime, Timelike as _};
use chrono_tz::Tz;
use machine::calendar::{Calendar, HOUR_MS, Millis};

use crate::changes::odds::percent;

/// The most releases that are told one by one.
const TOLD: usize = 12;

/// The words of a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// English.
    English,
    /// Chinese as it is written in mainland China.
    Chinese,
    /// Figures that every language reads; sentences in English.
    Plain,
}

/// The heads of the table of rewards, and what stands in its cells.
pub(super) struct Table {
    pub reward: &'static str,
    pub odds: &'static str,
    pub stock: &'static str,
    pub value: &'static str,
    pub per_user: &'static str,
    pub no_limit: &'static str,
    pub no_prize: &'static str,
}

impl Words {
    /// Those of a text's language, where it has any.
    pub(super) fn of(language: &str) -> Option<Self> {
        let tag = language.to_ascii_lowercase();
        if tag == "en" || tag.starts_with("en-") {
            Some(Self::English)
        } else if ["zh", "zh-cn", "zh-hans", "zh-sg"].contains(&&*tag)
            || tag.starts_with("zh-hans-")
        {
            Some(Self::Chinese)
        } else {
            None
        }
    }

    pub(super) const fn between_sentences(self) -> &'static str {
        match self {
            Self::Chinese => "",
            Self::English | Self::Plain => " ",
        }
    }

    /// What chances are called.
    pub(super) const fn chances(self) -> &'static str {
        match self {
            Self::Chinese => "抽奖机会",
            Self::English | Self::Plain => "chances",
        }
    }

    /// A whole number.
    pub(super) fn count(self, number: i64) -> String {
        match self {
            Self::English => grouped(&number.to_string()),
            Self::Chinese | Self::Plain => number.to_string(),
        }
    }

    /// An amount of money, from its decimal form and the currency's code.
    pub(super) fn money(self, decimal: &str, code: &str) -> String {
        match self {
            Self::English => format!("{code} {}", grouped(decimal)),
            Self::Chinese if code == "CNY" => format!("{decimal}元"),
            Self::Chinese | Self::Plain => format!("{decimal} {code}"),
        }
    }

    /// Odds to the last digit; the same in every language.
    pub(super) fn odds(parts: u64, whole: u64) -> String {
        let text = percent(parts, whole).replace(' ', "");
        // What has no end as a percentage is a fraction, and people read the shortest one.
        let (mut a, mut b) = (parts, whole);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        if text.contains('/') && a > 1 {
            format!("{}/{}", parts / a, whole / a)
        } else {
            text
        }
    }

    /// A time of day, from its seconds.
    pub(super) fn clock(secs: i64) -> String {
        let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
        if secs == 0 {
            format!("{hours:02}:{minutes:02}")
        } else {
            format!("{hours:02}:{minutes:02}:{secs:02}")
        }
    }

    /// A point in time, with the timezone it is told in.
    pub(super) fn instant(self, calendar: &Calendar, at: Millis) -> String {
        let zone = calendar.timezone.name();
        match self {
            Self::Chinese => format!("{}（{zone}）", self.moment(calendar, at)),
            Self::English | Self::Plain => format!("{} ({zone})", self.moment(calendar, at)),
        }
    }

    /// A point in time without its timezone.
    fn moment(self, calendar: &Calendar, at: Millis) -> String {
        let local = local(calendar, at);
        let clock = Self::clock(i64::from(local.num_seconds_from_midnight()));
        match self {
            Self::English => format!("{}, {clock}", local.format("%-d %B %Y")),
            Self::Chinese => format!("{} {clock}", local.format("%Y年%-m月%-d日")),
            Self::Plain => format!("{} {clock}", local.format("%Y-%m-%d")),
        }
    }

    /// A length of time, in the largest unit that it is a whole number of.
    pub(super) fn duration(self, millis: i64) -> String {
        let units = [
            (24 * HOUR_MS, "day", "天"),
            (HOUR_MS, "hour", "小时"),
            (HOUR_MS / 60, "minute", "分钟"),
        ];
        let fits = units.iter().find(|(unit, ..)| millis % unit == 0);
        let (unit, english, chinese) = fits.copied().unwrap_or((1000, "second", "秒"));
        let number = millis / unit;
        match self {
            Self::Chinese => format!("{number}{chinese}"),
            Self::English | Self::Plain => {
                let s = if number == 1 { "" } else { "s" };
                format!("{} {english}{s}", self.count(number))
            }
        }
    }

    pub(super) const fn table(self) -> Table {
        match self {
            Self::Chinese => Table {
                reward: "奖品",
                odds: "中奖概率",
                stock: "数量",
                value: "价值",
                per_user: "每人最多",
                no_limit: "不限",
                no_prize: "未中奖",
            },
            Self::English | Self::Plain => Table {
                reward: "Reward",
                odds: "Odds",
                stock: "How many",
                value: "Worth",
                per_user: "Each person at most",
                no_limit: "no limit",
                no_prize: "No prize",
            },
        }
    }

    pub(super) fn each_day(self, reward: &str) -> String {
        match self {
            Self::Chinese => format!("- 每天：{reward}"),
            Self::English | Self::Plain => format!("- each day: {reward}"),
        }
    }

    pub(super) fn days_in_a_row(self, days: i64, reward: &str) -> String {
        match self {
            Self::Chinese => format!("- 连续{days}天：{reward}"),
            Self::English | Self::Plain => format!("- {} in a row: {reward}", self.days(days)),
        }
    }

    pub(super) fn days_in_all(self, days: i64, reward: &str) -> String {
        match self {
            Self::Chinese => format!("- 累计{days}天：{reward}"),
            Self::English | Self::Plain => format!("- {} in all: {reward}", self.days(days)),
        }
    }

    pub(super) fn days(self, days: i64) -> String {
        self.duration(days.saturating_mul(24 * HOUR_MS))
    }

    /// How often, by day, week and in all; none: without limit.
    pub(super) fn limits(
        self,
        day: Option<u32>,
        week: Option<u32>,
        edition: Option<u32>,
    ) -> Option<String> {
        let by_time = day.is_some() || week.is_some();
        let say = |most: Option<u32>, english: &str, chinese: &str| {
            let most = self.count(i64::from(most?));
            Some(match self {
                Self::Chinese => format!("{chinese}{most}"),
                Self::English | Self::Plain => format!("{most}{english}"),
            })
        };
        let in_all = if by_time {
            (" in all", "共")
        } else {
            ("", "")
        };
        let all = [
            say(day, " a day", "每天"),
            say(week, " a week (Monday to Sunday)", "每周（周一至周日）"),
            say(edition, in_all.0, in_all.1),
        ];
        let all: Vec<String> = all.into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join(self.between_items()))
    }

    const fn between_items(self) -> &'static str {
        match self {
            Self::Chinese => "、",
            Self::English | Self::Plain => ", ",
        }
    }

    /// How often one may draw, and several times at once for so many chances.
    pub(super) fn draws(self, limits: Option<&str>, at_once: Option<(i64, i64)>) -> Option<String> {
        let limits = limits.map(|limits| match self {
            Self::Chinese => format!("抽奖次数上限：{limits}次。"),
            Self::English | Self::Plain => format!("Draws at most: {limits}."),
        });
        let at_once = at_once.map(|(times, price)| {
            let (times, price) = (self.count(times), self.count(price));
            match self {
                Self::Chinese => {
                    format!("一次连抽{times}次，消耗{price}个机会；与逐次抽取的概率和结果规则完全相同。")
                }
                Self::English | Self::Plain => format!(
                    "{times} draws can be made at once for {price} chances, with the same odds as one by one."
                ),
            }
        });
        let all: Vec<String> = [limits, at_once].into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join(self.between_sentences()))
    }

    /// What chances cost.
    pub(super) fn buy(
        self,
        chances: i64,
        prices: &[(i64, String)],
        per_day: Option<i64>,
    ) -> String {
        let chances = self.count(chances);
        let price = |(price, title): &(i64, String)| match self {
            Self::Chinese => format!("{}{title}", self.count(*price)),
            Self::English | Self::Plain => format!("{} {title}", self.count(*price)),
        };
        let prices: Vec<String> = prices.iter().map(price).collect();
        let prices = prices.join(self.between_items());
        match self {
            Self::Chinese => {
                let most = per_day.map_or(String::new(), |most| format!("，每天最多{most}次"));
                format!("{prices}可兑换{chances}次抽奖机会{most}。")
            }
            Self::English | Self::Plain => {
                let most = per_day.map_or(String::new(), |most| {
                    format!(", at most {} times a day", self.count(most))
                });
                format!("Chances to draw can be bought: {chances} for {prices}{most}.")
            }
        }
    }

    /// That a reward is not for everybody.
    pub(super) fn not_for(self, reward: &str, instead: Option<&str>) -> String {
        match self {
            Self::Chinese => {
                let then = instead.map_or("该次不中奖".to_owned(), |instead| {
                    format!("改发{instead}")
                });
                format!(
                    "部分用户（例如往期中奖者）不能获得{reward}，抽中时{then}；各奖品概率对所有人相同。"
                )
            }
            Self::English | Self::Plain => {
                let then = instead.map_or("wins nothing".to_owned(), |instead| {
                    format!("gives {instead} instead")
                });
                format!(
                    "{reward} is not for everybody (those who won it before, for example): their draw of it {then}. The odds are the same for all."
                )
            }
        }
    }

    /// A reward in the odds of a tier.
    pub(super) fn of_tier(self, reward: &str, odds: &str) -> String {
        match self {
            Self::Chinese => format!("{reward}{odds}"),
            Self::English | Self::Plain => format!("{reward} {odds}"),
        }
    }

    /// The odds of the draws from one to another.
    pub(super) fn tier(self, from: u64, to: u64, odds: &[String]) -> String {
        let odds = odds.join(self.between_items());
        match (self, from == to) {
            (Self::Chinese, true) => format!("- 第{from}抽：{odds}"),
            (Self::Chinese, false) => format!("- 第{from}至{to}抽：{odds}"),
            (Self::English | Self::Plain, true) => format!("- draw {from}: {odds}"),
            (Self::English | Self::Plain, false) => format!("- draws {from} to {to}: {odds}"),
        }
    }

    /// What stands in for a reward that is gone, or that someone has had.
    pub(super) fn when_gone(
        self,
        reward: &str,
        per_user: Option<&str>,
        instead: Option<&str>,
    ) -> String {
        match self {
            Self::Chinese => {
                let had = per_user.map_or(String::new(), |most| format!("，或您已获得{most}份"));
                let then = instead.map_or(
                    "不再发放，也不改发其他奖品".to_owned(),
                    |instead| format!("改发{instead}"),
                );
                format!("{reward}发完{had}后，{then}。")
            }
            Self::English | Self::Plain => {
                let had = per_user.map_or(String::new(), |most| {
                    format!(", or you have had {most} of it")
                });
                let then = instead.map_or("nothing is given in its place".to_owned(), |instead| {
                    format!("{instead} is given instead")
                });
                format!("When {reward} is gone{had}, {then}.")
            }
        }
    }

    /// When how many units of a reward are set free, and what is given while there are none.
    pub(super) fn release(
        self,
        reward: &str,
        first: i64,
        later: &[(Millis, u32)],
        instead: Option<&str>,
        calendar: &Calendar,
    ) -> String {
        let total = later.last().map_or(first, |(_, units)| i64::from(*units));
        let steps = self.steps(first, later, calendar);
        match self {
            Self::Chinese => {
                let then = instead.map_or(
                    "不发放该奖品，也不改发其他奖品".to_owned(),
                    |instead| format!("改发{instead}"),
                );
                format!("{reward}共{total}份，分批放出：{steps}。没有可发放的{reward}时，{then}。")
            }
            Self::English | Self::Plain => {
                let then = instead.map_or("nothing is given in its place".to_owned(), |instead| {
                    format!("{instead} is given instead")
                });
                format!(
                    "{reward}: {} in all, set free bit by bit: {steps}. While there are none, {then}.",
                    self.count(total)
                )
            }
        }
    }

    fn steps(self, first: i64, later: &[(Millis, u32)], calendar: &Calendar) -> String {
        let mut so_far = first;
        let more: Vec<(Millis, i64)> = later
            .iter()
            .map(|(at, units)| {
                let units = i64::from(*units);
                let step = (*at, units - so_far);
                so_far = units;
                step
            })
            .collect();
        let mut told = Vec::new();
        if first > 0 {
            told.push(match self {
                Self::Chinese => format!("活动开始时{first}份"),
                Self::English | Self::Plain => format!("{} from the opening", self.count(first)),
            });
        }
        let one = |(at, units): &(Millis, i64)| match self {
            Self::Chinese => format!("{}起{units}份", self.moment(calendar, *at)),
            Self::English | Self::Plain => {
                format!("{} from {}", self.count(*units), self.moment(calendar, *at))
            }
        };
        match more.split_first() {
            Some((start, rest)) if more.len() > TOLD => {
                // Day by day, the last one with what is left: what `release` makes.
                told.push(one(start));
                let (each, days) = rest.first().map_or((0, 0), |(_, each)| (*each, rest.len()));
                let until = rest.last().map_or(start.0, |(at, _)| *at);
                let until = self.moment(calendar, until);
                told.push(match self {
                    Self::Chinese => format!("此后每天同一时间{each}份，共{days}天，至{until}放完"),
                    Self::English | Self::Plain => format!(
                        "then {} each day at the same time, until the last ones on {until}",
                        self.count(each)
                    ),
                });
            }
            _ => told.extend(more.iter().map(one)),
        }
        told.join(match self {
            Self::Chinese => "，",
            Self::English | Self::Plain => "; ",
        })
    }

    pub(super) fn budget(self, has_days: bool, instead: Option<&str>) -> String {
        match self {
            Self::Chinese => {
                let day = if has_days { "和每日预算" } else { "" };
                let then = instead.map_or(
                    "不再发放计入预算的奖品，也不改发其他奖品".to_owned(),
                    |instead| format!("改发{instead}"),
                );
                let back = if has_days {
                    "；当日预算用完的，次日恢复发放"
                } else {
                    ""
                };
                format!("奖品发放以活动总预算{day}为限，预算用完后{then}{back}。")
            }
            Self::English | Self::Plain => {
                let day = if has_days {
                    ", and within one for each day"
                } else {
                    ""
                };
                let then = instead.map_or(
                    "what is paid for from it is no longer given, and nothing in its place"
                        .to_owned(),
                    |instead| format!("{instead} is given instead"),
                );
                let back = if has_days {
                    "; when only the day's is spent, prizes come back the next day"
                } else {
                    ""
                };
                format!(
                    "Prizes are given within the campaign's budget{day}. When it is spent, {then}{back}."
                )
            }
        }
    }
}

fn local(calendar: &Calendar, at: Millis) -> DateTime<Tz> {
    DateTime::from_timestamp_millis(at)
        .unwrap_or_default()
        .with_timezone(&calendar.timezone)
}

/// A decimal number with its thousands set apart by commas.
fn grouped(decimal: &str) -> String {
    let (whole, part) = decimal
        .split_once('.')
        .map_or((decimal, None), |(whole, part)| (whole, Some(part)));
    let (sign, digits) = whole
        .strip_prefix('-')
        .map_or(("", whole), |digits| ("-", digits));
    let mut out = sign.to_owned();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(part) = part {
        out.push('.');
        out += part;
    }
    out
}
