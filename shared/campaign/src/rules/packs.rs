//! What packs and tasks say to users: what is chosen from, what each stage gives, when in the day there is how much; what is
//! to be done for what.

use blocks::Promise;
use machine::model::Every;

use super::figures::{Figure, Figures, escaped};
use super::words::Words;

/// The sentence about what is chosen.
pub(super) fn choose(figures: &Figures<'_>) -> Option<String> {
    let choose = figures.pack.as_ref()?.choose.as_ref()?;
    let titles: Vec<String> = choose.of.iter().map(|at| figures.title(*at)).collect();
    let many = choose.how_many;
    Some(match figures.words {
        Words::Chinese => format!("每人可从以下奖品中任选 {many} 件：{}。", titles.join("、")),
        Words::English | Words::Plain => {
            format!("Each person chooses {many} of: {}.", titles.join(", "))
        }
    })
}

/// What each stage gives, and what becomes of one that is not claimed on its day.
pub(super) fn stages(figures: &Figures<'_>) -> Figure {
    let Some(stages) = figures.pack.as_ref().and_then(|pack| pack.stages.as_ref()) else {
        return Figure::None;
    };
    let mut lines: Vec<String> = stages
        .each
        .iter()
        .map(|stage| {
            let titles = titles(figures, &stage.gives);
            match figures.words {
                Words::Chinese => format!("- 第 {} 天：{titles}", stage.day),
                Words::English | Words::Plain => format!("- Day {}: {titles}", stage.day),
            }
        })
        .collect();
    lines.push(match (figures.words, stages.lost) {
        (Words::Chinese, true) => "- 首次领取为第 1 天；当天未领取即作废。".to_owned(),
        (Words::Chinese, false) => "- 首次领取为第 1 天；之后每个阶段到日子后随时可领。".to_owned(),
        (_, true) => {
            "- Day 1 is the day of the first claim. What is not claimed on its day is lost."
                .to_owned()
        }
        (_, false) => {
            "- Day 1 is the day of the first claim. Each part waits from its day on.".to_owned()
        }
    });
    Figure::Lines(lines)
}

/// The windows of a day, each with its stock.
pub(super) fn windows(figures: &Figures<'_>) -> Figure {
    let Some(flash) = figures.pack.as_ref().and_then(|pack| pack.flash.as_ref()) else {
        return Figure::None;
    };
    let clock = |secs: u32| Words::clock(i64::from(secs));
    let lines = flash.windows.iter().map(|window| {
        let (from, until) = (clock(window.from), clock(window.until));
        let stock = figures.words.count(i64::from(window.stock));
        match figures.words {
            Words::Chinese => format!("- {from} 至 {until}：{stock} 份"),
            Words::English | Words::Plain => format!("- {from} to {until}: {stock}"),
        }
    });
    Figure::Lines(lines.collect())
}

/// What is to be done, how often, and what it earns.
pub(super) fn tasks(figures: &Figures<'_>) -> Figure {
    let Some(tasks) = &figures.tasks else {
        return Figure::None;
    };
    let lines = tasks.tasks.iter().map(|task| {
        let words = figures.words;
        let mut earned: Vec<String> = task
            .earns
            .iter()
            .map(|(slot, amount)| {
                let balance = escaped(&figures.balance(*slot));
                match words {
                    Words::Chinese => format!("{balance} {}", words.count(*amount)),
                    Words::English | Words::Plain => format!("{} {balance}", words.count(*amount)),
                }
            })
            .collect();
        let given = task.gives.iter().map(|promise| figures.title(promise.reward));
        earned.extend(given.map(|title| escaped(&title)));
        let title = escaped(&figures.said(&task.title));
        let times = words.count(i64::from(task.times));
        let often = match (words, task.every) {
            (_, Every::Ever) => String::new(),
            (Words::Chinese, Every::Day) => format!("（每天 {times} 次）"),
            (Words::Chinese, Every::Week | Every::Month) => format!("（每周 {times} 次）"),
            (_, Every::Day) => format!(" ({times} a day)"),
            (_, Every::Week | Every::Month) => format!(" ({times} a week)"),
        };
        match (words, earned.is_empty()) {
            (_, true) => format!("- {title}{often}"),
            (Words::Chinese, false) => format!("- {title}{often}：{}", earned.join("、")),
            (_, false) => format!("- {title}{often}: {}", earned.join(", ")),
        }
    });
    Figure::Lines(lines.collect())
}

fn titles(figures: &Figures<'_>, gives: &[Promise]) -> String {
    let titles = gives.iter().map(|promise| figures.title(promise.reward));
    let titles: Vec<String> = titles.map(|title| escaped(&title)).collect();
    titles.join(match figures.words {
        Words::Chinese => "、",
        Words::English | Words::Plain => ", ",
    })
}
