//! In which language a command speaks to whoever runs it.

use campaign::Language;
use clap::Args;

use crate::out::Out;

/// The flag `--lang`.
#[derive(Debug, Args)]
pub struct Speak {
    /// zh-CN or en; as the environment says (`LC_ALL`, `LC_MESSAGES`, `LANG`) unless said, and English with --json
    #[arg(long, value_name = "LANG", value_parser = language)]
    lang: Option<Language>,
}

impl Speak {
    /// The language that was asked for. What a program reads is the same in every environment, unless it asks.
    pub fn language(&self, out: Out) -> Language {
        self.lang.unwrap_or_else(|| {
            if out.json {
                Language::English
            } else {
                of_locale(|name| std::env::var(name).ok())
            }
        })
    }
}

fn language(tag: &str) -> Result<Language, String> {
    Language::of(tag).ok_or_else(|| "the languages are zh-CN and en".to_owned())
}

/// The first of the variables that is set decides, as everywhere (`setlocale`).
fn of_locale(var: impl Fn(&str) -> Option<String>) -> Language {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| var(name).filter(|value| !value.is_empty()))
        .and_then(|value| Language::of(&value))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_which() {
        let rows: [(&[(&str, &str)], Language); 5] = [
            (&[], Language::English),
            (&[("LANG", "zh_CN.UTF-8")], Language::Chinese),
            (
                &[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C.UTF-8")],
                Language::English,
            ),
            (
                &[
                    ("LANG", "en_US.UTF-8"),
                    ("LC_MESSAGES", "zh_CN.UTF-8"),
                    ("LC_ALL", ""),
                ],
                Language::Chinese,
            ),
            (&[("LANG", "de_DE.UTF-8")], Language::English),
        ];
        for (set, language) in rows {
            let var = |name: &str| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(of_locale(var), language, "{set:?}");
        }
    }
}
