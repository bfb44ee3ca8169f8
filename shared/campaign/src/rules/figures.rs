//! What each placeholder stands for: the one table of their names, and where in a definition each figure is.

use blocks::streak::Makeup;
use blocks::{chances, pack, raffle, streak, tasks, wheel};
use machine::expr::{BoolExpr, IntExpr};
use machine::model::{Action, Definition, Release, Reward, RewardKind};
use serde::de::DeserializeOwned;

use super::packs;
use super::tables;
use super::words::Words;

/// A placeholder of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placeholder {
    /// Its name; `odds.REWARD` is one per reward.
    pub name: &'static str,
    /// What it stands for.
    pub doc: &'static str,
    /// Whether it writes words of ours, and not a name, a figure or a date alone.
    pub sentence: bool,
}

const fn figure(name: &'static str, doc: &'static str) -> Placeholder {
    Placeholder {
        name,
        doc,
        sentence: false,
    }
}

const fn sentence(name: &'static str, doc: &'static str) -> Placeholder {
    Placeholder {
        name,
        doc,
        sentence: true,
    }
}

/// All of them.
pub const PLACEHOLDERS: &[Placeholder] = &[
    figure("title", "the campaign's title"),
    figure("organizer", "who runs it"),
    figure(
        "opens",
        "the first instant of play, with the timezone's name",
    ),
    figure("closes", "the first instant after play"),
    figure("claim_until", "the first instant after claims"),
    figure("timezone", "the timezone of all days"),
    figure("day_starts", "when a day begins"),
    sentence(
        "rewards",
        "a table of the rewards: odds, how many there are, worth, how many each person can have",
    ),
    sentence(
        "streak",
        "a list of what days give: each day, in a row, in all",
    ),
    sentence("choose", "the sentence about what is chosen of a pack"),
    sentence("stages", "a list of what each stage of a pack gives"),
    sentence(
        "windows",
        "a list of the windows of the day in which a pack can be claimed",
    ),
    sentence("tasks", "a list of the tasks, and what each earns"),
    figure("title.REWARD", "the reward's title"),
    figure(
        "odds.REWARD",
        "how likely a draw gives it, as an exact percentage",
    ),
    figure("stock.REWARD", "how many there are"),
    figure("value.REWARD", "what one is worth"),
    figure("amount.REWARD", "how much of it is given at once"),
    figure("per_user.REWARD", "how many each person can have"),
    sentence("expires.REWARD", "how long it can be used"),
    sentence(
        "release.REWARD",
        "the sentence that says when how many are set free",
    ),
    sentence(
        "release",
        "the same of every reward that is set free bit by bit",
    ),
    sentence(
        "when_gone.REWARD",
        "the sentence that says what stands in when it is gone",
    ),
    sentence("when_gone", "the same of every reward that can be gone"),
    sentence(
        "budget",
        "the sentence that says that prizes end with the budget, and what is given then",
    ),
    figure("budget.total", "the budget in all"),
    figure("budget.per_day", "the budget of a day"),
    sentence(
        "tiers",
        "a list of the odds that a participant's first draws have",
    ),
    sentence(
        "pity",
        "the sentences about draws without a win: what they lead to, what starts the count over, what becomes of it",
    ),
    figure(
        "pity.losses",
        "after how many draws without a win the next one wins",
    ),
    sentence("draws", "the sentence that says how often one may draw"),
    sentence("buy", "the sentence that says what a chance costs"),
    sentence(
        "not_for.REWARD",
        "the sentence that says that it is not for everybody",
    ),
    sentence(
        "not_for",
        "the same of every reward that is not for everybody",
    ),
    figure("chances.first_visit", "chances on the first visit"),
    figure("chances.each_day", "chances each day"),
    figure("chances.hold_at_most", "how many chances can be held"),
    sentence(
        "makeup",
        "the sentence about make-ups: how far back, how many, what they take",
    ),
    figure("makeup.days_back", "how many days back can be made up"),
    figure("makeup.at_most", "how many days can be made up in all"),
    figure("raffle.entries_close", "when the entries close"),
    figure("raffle.draw_at", "when the raffle is drawn"),
    figure("raffle.entries_each", "how often each person may enter"),
    figure("raffle.alternates", "how many alternates are drawn"),
    sentence("raffle.claim_within", "how long a winner has to claim"),
    figure("winners.REWARD", "how many win it in the raffle"),
    figure(
        "makeup.per_month",
        "how many days can be made up in a month",
    ),
    figure("makeup.cost", "how much a make-up costs"),
    sentence(
        "forgive",
        "the sentence about missed days that are forgiven",
    ),
    sentence(
        "freeze",
        "the sentence about cards that keep a streak over a missed day",
    ),
    sentence(
        "day_counts",
        "the sentence that says what makes a day count",
    ),
    figure("day_counts.at_least", "how much makes a day count"),
];

const OF_REWARD: &str = ".REWARD";

/// Whether this word wants a reward behind it, and can't stand alone.
pub(super) fn needs_reward(word: &str) -> bool {
    is_of_reward(word) && !PLACEHOLDERS.iter().any(|known| known.name == word)
}

/// Whether this word may have a reward behind it.
pub(super) fn is_of_reward(word: &str) -> bool {
    let names = PLACEHOLDERS.iter();
    let mut words = names.filter_map(|known| known.name.strip_suffix(OF_REWARD));
    words.any(|known| known == word)
}

/// Whether it writes words of ours.
pub(super) fn is_sentence(name: &str) -> bool {
    let word = name.split('.').next().unwrap_or(name);
    PLACEHOLDERS.iter().any(|known| {
        known.sentence && (known.name == name || known.name.strip_suffix(OF_REWARD) == Some(word))
    })
}

/// Their names, for who finds none.
pub(super) fn listed() -> String {
    let names: Vec<_> = PLACEHOLDERS.iter().map(|known| known.name).collect();
    names.join(", ")
}

/// What stands in a placeholder's place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Figure {
    /// Within a line.
    Words(String),
    /// Lines of their own.
    Lines(Vec<String>),
    /// The campaign has no such figure.
    None,
}

/// A campaign's figures in a language.
pub(super) struct Figures<'a> {
    definition: &'a Definition,
    language: &'a str,
    pub(super) words: Words,
    pub(super) wheel: Option<wheel::Params>,
    pub(super) streak: Option<streak::Params>,
    pub(super) pack: Option<pack::Params>,
    pub(super) tasks: Option<tasks::Params>,
    raffle: Option<raffle::Params>,
    chances: Option<(chances::Params, i64)>,
}

impl<'a> Figures<'a> {
    pub(super) fn new(definition: &'a Definition, language: &'a str) -> Self {
        let held = definition.vars.iter().find(|var| var.name == "chances");
        let chances = params(definition, chances::KIND);
        Self {
            definition,
            language,
            words: Words::of(language).unwrap_or(Words::Plain),
            wheel: params(definition, wheel::KIND),
            streak: params(definition, streak::KIND),
            pack: params(definition, pack::KIND),
            tasks: params(definition, tasks::KIND),
            raffle: params(definition, raffle::KIND),
            chances: chances.map(|chances| (chances, held.map_or(i64::MAX, |held| held.at_most))),
        }
    }

    pub(super) const fn language(&self) -> &'a str {
        self.language
    }

    pub(super) fn rewards(&self) -> impl Iterator<Item = &'a Reward> + use<'a> {
        self.definition.rewards.iter()
    }

    pub(super) fn reward_at(&self, place: u16) -> Option<&'a Reward> {
        self.definition.rewards.get(usize::from(place))
    }

    /// Every name that means something here.
    pub(super) fn names(&self) -> Vec<String> {
        let of = |known: &Placeholder| match known.name.strip_suffix(OF_REWARD) {
            Some(word) => self
                .rewards()
                .map(|reward| format!("{word}.{}", reward.id))
                .collect(),
            None => vec![known.name.to_owned()],
        };
        PLACEHOLDERS.iter().flat_map(of).collect()
    }

    /// What a placeholder stands for; nothing if there is none of this name.
    pub(super) fn of(&self, name: &str) -> Option<Figure> {
        if PLACEHOLDERS.iter().any(|known| known.name == name) {
            return Some(self.own(name));
        }
        let (word, id) = name.split_once('.')?;
        if !is_of_reward(word) {
            return None;
        }
        let (place, reward) = (0_u16..)
            .zip(self.rewards())
            .find(|(_, reward)| *reward.id == *id)?;
        Some(self.of_reward(word, place, reward))
    }

    fn own(&self, name: &str) -> Figure {
        let (definition, words) = (self.definition, self.words);
        let time = |at| some(words.instant(&definition.calendar, at));
        let count = |number: i64| some(words.count(number));
        let budget = definition.budget.as_ref();
        let makeup = self.streak.as_ref().and_then(|streak| streak.makeup);
        let pity = self.wheel.as_ref().and_then(|wheel| wheel.pity);
        let found = match name {
            "title" => some(definition.title.pick(self.language, &definition.language)),
            "organizer" => {
                let organizer = definition
                    .organizer
                    .pick(self.language, &definition.language);
                (!organizer.is_empty()).then(|| organizer.to_owned())
            }
            "opens" => time(definition.window.opens),
            "closes" => time(definition.window.closes),
            "claim_until" => time(definition.window.claim_until),
            "timezone" => some(definition.calendar.timezone.name()),
            "day_starts" => some(Words::clock(i64::from(definition.calendar.day_starts_secs))),
            "rewards" => return tables::rewards(self),
            "streak" => return tables::streak(self),
            "stages" => return packs::stages(self),
            "windows" => return packs::windows(self),
            "tasks" => return packs::tasks(self),
            "choose" => packs::choose(self),
            "release" => self.every(|this, _, reward| this.release(reward)),
            "when_gone" => self.every(Self::when_gone),
            "budget" => self.budget(),
            "budget.total" => budget.map(|budget| self.money(budget.total)),
            "budget.per_day" => budget.and_then(|budget| Some(self.money(budget.per_day?))),
            "tiers" => return tables::tiers(self),
            "pity" => self.wheel.as_ref().and_then(|wheel| {
                let own = if words == Words::Plain {
                    "en"
                } else {
                    self.language
                };
                let said = wheel::contract::of(wheel, definition, own)?;
                Some(said)
            }),
            "draws" => self.draws(),
            "buy" => self.buy(),
            "not_for" => self.every(Self::not_for),
            "pity.losses" => pity.and_then(|pity| count(i64::from(pity.losses))),
            "chances.first_visit" => self.chances(|chances, _| Some(chances.first_visit)),
            "chances.each_day" => self.chances(|chances, _| Some(chances.each_day)),
            "chances.hold_at_most" => self.chances(|_, most| (most < i64::MAX).then_some(most)),
            "makeup.days_back" => makeup.and_then(|makeup| count(i64::from(makeup.days_back))),
            "makeup.at_most" => makeup
                .filter(|makeup| makeup.at_most != Makeup::WITHOUT_LIMIT)
                .and_then(|makeup| count(i64::from(makeup.at_most))),
            "makeup.per_month" => makeup.and_then(|makeup| count(i64::from(makeup.per_month?))),
            "makeup.cost" => makeup.and_then(|makeup| count(makeup.cost?.1)),
            "makeup" => makeup.map(|makeup| {
                let cost = makeup.cost.map(|(slot, amount)| self.cost(slot, amount));
                words.makeup(makeup, cost.as_deref())
            }),
            "forgive" => {
                let forgive = self.streak.as_ref().and_then(|streak| streak.forgive);
                forgive.map(|forgive| words.forgive(forgive))
            }
            "freeze" => {
                let cards = self.streak.as_ref().and_then(|streak| streak.freeze);
                cards.map(|cards| words.freeze(cards))
            }
            "day_counts" => self.measure().map(|measure| {
                let unit = measure.unit.pick(self.language, &definition.language);
                words.day_counts(measure.at_least, unit)
            }),
            "day_counts.at_least" => self.measure().and_then(|measure| count(measure.at_least)),
            _ => self.raffle.as_ref().and_then(|raffle| match name {
                "raffle.entries_close" => time(raffle.entries_close),
                "raffle.draw_at" => time(raffle.draw_at),
                "raffle.entries_each" => count(i64::from(raffle.entries_each)),
                "raffle.alternates" => count(i64::from(raffle.alternates)),
                "raffle.claim_within" => raffle.claim_within.map(|within| words.duration(within)),
                _ => None,
            }),
        };
        found.map_or(Figure::None, |words| Figure::Words(escaped(&words)))
    }

    fn of_reward(&self, word: &str, place: u16, reward: &Reward) -> Figure {
        let words = self.words;
        let found = match word {
            "title" => some(self.title(place)),
            "odds" => self.odds(place),
            "stock" => reward.stock.map(|stock| words.count(i64::from(stock))),
            "value" => (reward.value != 0).then(|| self.money(reward.value)),
            "amount" if reward.kind == RewardKind::Cash => Some(self.money(reward.amount)),
            "amount" => (reward.amount != 0).then(|| words.count(reward.amount)),
            "per_user" => self.per_user(reward),
            "not_for" => self.not_for(place, reward),
            "expires" => reward.expires.map(|expires| words.duration(expires)),
            "release" => self.release(reward),
            "when_gone" => self.when_gone(place, reward),
            "winners" => {
                let mut prizes = self.raffle.iter().flat_map(|raffle| &raffle.prizes);
                let prize = prizes.find(|prize| prize.reward == place);
                prize.map(|prize| words.count(i64::from(prize.winners)))
            }
            _ => None,
        };
        found.map_or(Figure::None, |words| Figure::Words(escaped(&words)))
    }

    fn chances(&self, figure: impl Fn(&chances::Params, i64) -> Option<i64>) -> Option<String> {
        let (chances, most) = self.chances.as_ref()?;
        Some(self.words.count(figure(chances, *most)?))
    }

    /// What every reward has to say, one after the other.
    fn every(&self, say: impl Fn(&Self, u16, &Reward) -> Option<String>) -> Option<String> {
        let rewards = (0_u16..).zip(self.rewards());
        let said: Vec<_> = rewards
            .filter_map(|(place, reward)| say(self, place, reward))
            .collect();
        (!said.is_empty()).then(|| said.join(self.words.between_sentences()))
    }

    /// What users call a balance: the reward that adds to it, or chances.
    pub(super) fn balance(&self, slot: u16) -> String {
        let all = (0_u16..).zip(self.rewards());
        let mut of_it = all.filter(|(_, reward)| reward.balance == Some(slot));
        match of_it.next() {
            Some((place, _)) => self.title(place),
            None => self.words.chances().to_owned(),
        }
    }

    /// A text in the language of the rules.
    pub(super) fn said(&self, text: &machine::Text) -> String {
        text.pick(self.language, &self.definition.language)
            .to_owned()
    }

    pub(super) fn title(&self, place: u16) -> String {
        let definition = self.definition;
        self.reward_at(place).map_or_else(String::new, |reward| {
            reward
                .title
                .pick(self.language, &definition.language)
                .to_owned()
        })
    }

    fn measure(&self) -> Option<&streak::Measure> {
        self.streak.as_ref()?.measure.as_ref()
    }

    /// So much of a balance, in the words of the reward that adds to it; else by the balance's name.
    fn cost(&self, slot: u16, amount: i64) -> String {
        let definition = self.definition;
        let mut rewards = (0_u16..).zip(self.rewards());
        let reward = rewards.find(|(_, reward)| reward.balance == Some(slot));
        let name = match reward {
            Some((place, reward)) if reward.amount == 1 => self.title(place),
            _ => {
                let var = definition.vars.get(usize::from(slot));
                var.map_or_else(String::new, |var| self.words.balance(&var.name))
            }
        };
        format!("{} {name}", self.words.count(amount))
    }

    /// The odds of the slice or the rest that a reward is; where no wheel has it, those of the only day's draw that does.
    pub(super) fn odds(&self, place: u16) -> Option<String> {
        let of_days = || {
            let lots = self.streak.iter().flat_map(|streak| &streak.lots);
            let mut found = lots.filter_map(|lot| {
                let mut shares = lot.odds.odds().parts().collect::<Vec<_>>().into_iter();
                let (_, parts) = shares.find(|(reward, _)| *reward == place)?;
                Some(Words::odds(parts, lot.odds.whole))
            });
            let first = found.next();
            first.filter(|_| found.next().is_none())
        };
        self.of_wheel(place).or_else(of_days)
    }

    fn of_wheel(&self, place: u16) -> Option<String> {
        let wheel = self.wheel.as_ref()?;
        let odds = wheel.odds();
        Some(Words::odds(odds.of(place)?, odds.whole))
    }

    /// The parts that no slice takes.
    pub(super) fn rest(&self) -> Option<u64> {
        Some(self.wheel.as_ref()?.odds().left())
    }

    /// How many of a reward each person can have, in all and by time.
    pub(super) fn per_user(&self, reward: &Reward) -> Option<String> {
        let within = reward.within.unwrap_or_default();
        self.words.limits(within.day, within.week, reward.per_user)
    }

    fn not_for(&self, place: u16, reward: &Reward) -> Option<String> {
        reward.not_for.as_ref()?;
        let instead = self.instead(reward.when_gone);
        Some(self.words.not_for(&self.title(place), instead.as_deref()))
    }

    fn draws(&self) -> Option<String> {
        let wheel = self.wheel.as_ref()?;
        let most = wheel.at_most;
        let limits = self.words.limits(most.day, most.week, most.edition);
        let at_once = wheel.at_once.map(|at_once| (at_once.times, at_once.price));
        self.words.draws(limits.as_deref(), at_once)
    }

    /// What a chance costs: read off the event that sells it.
    fn buy(&self) -> Option<String> {
        let definition = self.definition;
        let event = definition
            .events
            .iter()
            .position(|event| &*event.name == "buy-chance")?;
        let on = definition
            .machine
            .events
            .iter()
            .find(|on| usize::from(on.event) == event)?;
        let (mut prices, mut chances) = (Vec::new(), None);
        for action in &on.transitions.last()?.actions {
            match action {
                Action::Take(slot, IntExpr::Lit(price)) => {
                    let paid = definition
                        .rewards
                        .iter()
                        .position(|reward| reward.balance == Some(*slot));
                    let title = paid.map(|place| self.title(place as u16));
                    prices.push((*price, title.unwrap_or_default()));
                }
                Action::Add(_, IntExpr::Lit(bought)) => chances = Some(*bought),
                _ => {}
            }
        }
        let per_day = on
            .transitions
            .iter()
            .find_map(|transition| match &transition.when {
                Some(BoolExpr::Compare(_, IntExpr::CountToday(_), IntExpr::Lit(most))) => {
                    Some(*most)
                }
                _ => None,
            });
        Some(self.words.buy(chances?, &prices, per_day))
    }

    pub(super) fn money(&self, minor: i64) -> String {
        let currency = &self.definition.currency;
        self.words.money(&currency.decimal(minor), &currency.code)
    }

    /// What is given in a reward's place; nothing if that is nothing.
    fn instead(&self, place: Option<u16>) -> Option<String> {
        let place = place?;
        let reward = self.reward_at(place)?;
        (reward.kind != RewardKind::Nothing).then(|| self.title(place))
    }

    fn when_gone(&self, place: u16, reward: &Reward) -> Option<String> {
        let limited = reward.per_user.is_some() || reward.within.is_some();
        let can_be_gone = reward.stock.is_some() || limited || reward.when_gone.is_some();
        if !can_be_gone || reward.kind == RewardKind::Nothing {
            return None;
        }
        let instead = self.instead(reward.when_gone);
        Some(self.words.when_gone(
            &self.title(place),
            self.per_user(reward).as_deref(),
            instead.as_deref(),
        ))
    }

    fn release(&self, reward: &Reward) -> Option<String> {
        let Release { first, later } = reward.release.as_ref()?;
        let calendar = &self.definition.calendar;
        let title = reward.title.pick(self.language, &self.definition.language);
        Some(self.words.release(
            title,
            i64::from(*first),
            later,
            self.instead(reward.when_gone).as_deref(),
            calendar,
        ))
    }

    fn budget(&self) -> Option<String> {
        let budget = self.definition.budget.as_ref()?;
        let instead = self.instead(budget.when_spent);
        Some(
            self.words
                .budget(budget.per_day.is_some(), instead.as_deref()),
        )
    }
}

fn params<P: DeserializeOwned>(definition: &Definition, kind: &str) -> Option<P> {
    let spec = definition.blocks.iter().find(|spec| spec.kind == kind)?;
    serde_json::from_str(&spec.params).ok()
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "an arm of a match whose others may have nothing"
)]
fn some(words: impl Into<String>) -> Option<String> {
    Some(words.into())
}

/// Words of the campaign's file as Markdown shows them: no title makes a table's column, a link or a tag.
pub(super) fn escaped(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}
