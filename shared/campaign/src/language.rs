//! The languages that the check speaks to staff. Not those of a campaign's texts: these are the tenant's.

/// A language of diagnostics and explanations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English: what the check itself is written in.
    #[default]
    English,
    /// Chinese as it is written in mainland China.
    Chinese,
}

impl Language {
    /// Its tag: `en`, `zh-CN`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// The language of a tag or of a locale's name: `zh-CN`, `zh_CN.UTF-8`, `en`; `C` and `POSIX` are English. Nothing for
    /// any other: `de_DE`.
    pub fn of(tag: &str) -> Option<Self> {
        let language = tag.split(['-', '_', '.', '@']).next().unwrap_or("");
        match language.to_ascii_lowercase().as_str() {
            "zh" => Some(Self::Chinese),
            "en" | "c" | "posix" => Some(Self::English),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Language::{self, Chinese, English};

    #[test]
    fn tags_and_locales_name_a_language() {
        for (tag, language) in [
            ("zh-CN", Some(Chinese)),
            ("zh_CN.UTF-8", Some(Chinese)),
            ("ZH", Some(Chinese)),
            ("en_GB.UTF-8", Some(English)),
            ("C.UTF-8", Some(English)),
            ("POSIX", Some(English)),
            ("de_DE", None),
            ("", None),
        ] {
            assert_eq!(Language::of(tag), language, "{tag}");
        }
    }
}
