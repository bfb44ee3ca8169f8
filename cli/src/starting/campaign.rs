//! A new campaign from a template: its file, its stories and its rules.

use std::path::Path;
use std::sync::Arc;

use campaign::renew::{Original, Shift, renew};
use campaign::{Activity, Files, Severity};
use chrono::{Days, NaiveDate, Utc};
use chrono_tz::Tz;

use super::Made;
use super::files::Draft;
use super::sound::{self, Sound};
use super::template::{Blanks, is_chinese};
use crate::activities;
use crate::failure::Failure;

/// How long a new campaign is open, in days.
const OPEN_DAYS: u64 = 30;

/// The activities that there are templates for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    SignIn,
    GiftPack,
    Lottery,
    Custom,
}

impl Kind {
    fn of(activity: &str) -> Option<Self> {
        Some(match activity {
            "sign-in" => Self::SignIn,
            "gift-pack" => Self::GiftPack,
            "lottery" => Self::Lottery,
            "custom" => Self::Custom,
            _ => return None,
        })
    }

    /// The campaign, its stories, its rules in English and in Chinese.
    const fn templates(self) -> [&'static str; 4] {
        macro_rules! of {
            ($name:literal) => {
                [
                    include_str!(concat!("templates/", $name, ".yaml")),
                    include_str!(concat!("templates/", $name, ".stories.yaml")),
                    include_str!(concat!("templates/", $name, ".en.md")),
                    include_str!(concat!("templates/", $name, ".zh.md")),
                ]
            };
        }
        match self {
            Self::SignIn => of!("sign-in"),
            Self::GiftPack => of!("gift-pack"),
            Self::Lottery => of!("lottery"),
            Self::Custom => of!("custom"),
        }
    }
}

/// Makes a campaign of an activity, open from today on.
pub fn campaign(
    configs: &Path,
    (tenant, name): (&str, &str),
    activity: &str,
) -> Result<Made, Failure> {
    if !::campaign::document::is_id(name) || name == "tenant" {
        return Err(no_id("campaign", name));
    }
    let files = sound::read(configs)?;
    let before = Sound::of(configs, &files, &[]);
    let found = before
        .tenant(tenant)
        .ok_or_else(|| no_tenant(configs, tenant, &before))?;
    let opens = today(found.tenant.timezone);
    let folder = configs.join(tenant);
    let drafts = match (Kind::of(activity), own(activity)) {
        (Some(kind), _) => drafts(&folder, name, kind, &found.tenant.languages, opens),
        (None, Some(activity)) => from_example(&folder, name, activity, opens)?,
        (None, None) => return Err(no_activity(activity)),
    };
    let sound = Sound::of(configs, &files, &drafts);
    let path = folder.join(format!("{name}.yaml"));
    let path = path.display();
    finished(
        Made {
            look: sound.said(tenant),
            next: vec![
                format!("gala test {path}"),
                format!("gala simulate {path}"),
                format!("gala publish {path}"),
            ],
            notes: Vec::new(),
            drafts,
        },
        &sound,
        (tenant, name),
    )
}

/// Nothing is handed on that the check or a story refuses.
pub(super) fn finished(
    made: Made,
    sound: &Sound,
    (tenant, name): (&str, &str),
) -> Result<Made, Failure> {
    super::files::free(&made.drafts)?;
    let mut wrong = made.look.clone();
    wrong.extend(sound.played(tenant, name));
    let wrong = wrong.sorted();
    if !wrong.has_errors() {
        return Ok(made);
    }
    let errors = wrong.iter().filter(|each| each.severity == Severity::Error);
    let errors: Vec<_> = errors.map(crate::show::plain).collect();
    Err(Failure::check(
        "unsound",
        format!(
            "nothing was written, since the check would refuse it:\n{}",
            errors.concat().trim_end()
        ),
    ))
}

/// Today, where the tenant is.
pub(super) fn today(timezone: Tz) -> NaiveDate {
    Utc::now().with_timezone(&timezone).date_naive()
}

/// The files of a campaign from its template.
pub(super) fn drafts(
    folder: &Path,
    name: &str,
    kind: Kind,
    languages: &[String],
    opens: NaiveDate,
) -> Vec<Draft> {
    let later = |days| opens.checked_add_days(Days::new(days)).unwrap_or(opens);
    let eve = opens.checked_sub_days(Days::new(1)).unwrap_or(opens);
    let blanks = Blanks {
        values: vec![
            ("campaign", name.to_owned()),
            ("opens", opens.to_string()),
            ("second", later(1).to_string()),
            ("eve", eve.to_string()),
            ("closes", later(OPEN_DAYS).to_string()),
        ],
        languages: languages.to_vec(),
    };
    let [campaign, stories, english, chinese] = kind.templates();
    let mut drafts = vec![
        Draft::new(folder.join(format!("{name}.yaml")), blanks.fill(campaign)),
        Draft::new(
            folder.join("stories").join(format!("{name}.yaml")),
            blanks.fill(stories),
        ),
    ];
    drafts.extend(languages.iter().map(|language| {
        let text = if is_chinese(language) {
            chinese
        } else {
            english
        };
        let path = folder.join("rules").join(format!("{name}.{language}.md"));
        Draft::new(path, text.to_owned())
    }));
    drafts
}

/// An activity of this program that has no template here: its own example, opened today.
fn from_example(
    folder: &Path,
    name: &str,
    activity: &dyn Activity,
    today: NaiveDate,
) -> Result<Vec<Draft>, Failure> {
    let example = activity.stories().first().ok_or_else(|| {
        Failure::usage(format!(
            "the activity `{}` has no example to begin with",
            activity.id()
        ))
    })?;
    let files: Files = [
        ("example.yaml", example.campaign),
        ("stories/example.yaml", example.stories),
    ]
    .map(|(path, text)| (path.to_owned(), Arc::from(text)))
    .into();
    let opens = example
        .campaign
        .lines()
        .find_map(|line| line.strip_prefix("opens:"))
        .and_then(|text| text.trim().get(..10)?.parse::<NaiveDate>().ok());
    let days = opens.map_or(0, |opens| (today - opens).num_days());
    let original = Original {
        files: &files,
        folder: &folder.display().to_string(),
        campaign: "example",
    };
    let renewal = renew(&original, name, false, Shift::Days(days))
        .map_err(|wrong| Failure::check("unsound", wrong.lines()))?;
    let drafts = renewal.files.into_iter();
    Ok(drafts
        .map(|(path, text)| Draft::new(folder.join(path), text))
        .collect())
}

fn own(activity: &str) -> Option<&'static dyn Activity> {
    activities::ALL
        .iter()
        .copied()
        .find(|known| known.id() == activity)
}

fn no_activity(activity: &str) -> Failure {
    let known: Vec<_> = activities::ALL.iter().map(|known| known.id()).collect();
    let meant = ::campaign::diagnostic::did_you_mean(activity, known.iter().copied());
    Failure::usage(format!(
        "there is no activity `{activity}`; there are {}{}",
        known.join(", "),
        meant.map_or(String::new(), |near| format!(" (did you mean `{near}`?)"))
    ))
}

pub(super) fn no_id(what: &str, name: &str) -> Failure {
    Failure::usage(format!(
        "`{name}` can't be a {what}'s id: take 1 to 64 of the characters `a-z`, `0-9` and `-`"
    ))
}

pub(super) fn no_tenant(configs: &Path, tenant: &str, sound: &Sound) -> Failure {
    let wrong = sound.said(tenant);
    if wrong.has_errors() {
        let errors: String = wrong.iter().map(crate::show::plain).collect();
        return Failure::check(
            "unsound",
            format!("the tenant `{tenant}` is not sound:\n{}", errors.trim_end()),
        );
    }
    Failure::usage(format!(
        "there is no tenant `{tenant}` in {}: `gala new tenant {tenant}` makes one",
        configs.display()
    ))
}
