//! A forecast as text.

use std::fmt::Write as _;

use campaign::simulate::Forecast;

use super::figures::{Section, assumptions, sections};
use super::words::{Clock, count, range, sentence};

/// A forecast as text: what it is, what it comes to in sentences, then the figures, then what was assumed.
pub fn table(forecast: &Forecast) -> String {
    let mut text = head(forecast);
    text.push('\n');
    let sentences: Vec<String> = forecast
        .rewards
        .iter()
        .filter_map(|reward| sentence(reward, forecast))
        .collect();
    for sentence in &sentences {
        line(&mut text, sentence);
    }
    if !sentences.is_empty() {
        text.push('\n');
    }
    for part in sections(forecast) {
        section(&mut text, &part);
    }
    line(
        &mut text,
        "Assumed (change it with --profile, or measure it with --fit)",
    );
    for said in assumptions(forecast) {
        line(&mut text, &format!("  {said}"));
    }
    text
}

/// What is forecast: the campaign, the people, the days.
pub fn head(forecast: &Forecast) -> String {
    let plan = &forecast.plan;
    let definition = &plan.definition;
    let clock = Clock(forecast);
    let title = definition.title.pick("en", &definition.language);
    let days = forecast.days.len();
    let days = if days == 1 {
        "1 day".to_owned()
    } else {
        format!("{days} days")
    };
    let runs = if plan.runs == 1 {
        "1 run".to_owned()
    } else {
        format!("{} runs", plan.runs)
    };
    format!(
        "{}/{} ({title}), edition {}\n{} people, {days}: {} to {} ({}); {runs}, seed {}; {}\n",
        definition.tenant,
        definition.campaign,
        definition.edition,
        count(u64::from(plan.users)),
        clock.long(forecast.from),
        clock.long(forecast.until),
        definition.calendar.timezone.name(),
        plan.seed,
        range(plan.runs),
    )
}

/// A section with its columns lined up.
pub fn section(text: &mut String, section: &Section) {
    line(text, &section.title);
    let all = || std::iter::once(&section.head).chain(&section.rows);
    let widths: Vec<usize> = (0..section.head.len())
        .map(|place| {
            all()
                .filter_map(|row| row.get(place))
                .map(|cell| width(cell))
                .max()
                .unwrap_or(0)
        })
        .collect();
    for row in all() {
        let mut out = String::new();
        for (cell, wide) in row.iter().zip(&widths) {
            let room = wide.saturating_sub(width(cell));
            let _ = write!(out, "  {cell}{:room$}", "");
        }
        line(text, &out);
    }
    if let Some(note) = &section.note {
        line(text, &format!("  ({note})"));
    }
    text.push('\n');
}

fn line(text: &mut String, words: &str) {
    text.push_str(words.trim_end());
    text.push('\n');
}

/// How many columns a terminal gives a text: two for each East Asian wide character.
fn width(text: &str) -> usize {
    let wide = |letter: char| {
        matches!(letter, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
            | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}'
            | '\u{20000}'..='\u{3fffd}')
    };
    text.chars()
        .map(|letter| if wide(letter) { 2 } else { 1 })
        .sum()
}
