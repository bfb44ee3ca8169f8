//! Texts with blanks: `{{opens}}` is filled in, `<<A coupon|优惠券>>` becomes a text in each of the tenant's languages.

/// What the blanks are.
#[derive(Debug, Default)]
pub(super) struct Blanks {
    /// The values, by name.
    pub values: Vec<(&'static str, String)>,
    /// The tenant's languages.
    pub languages: Vec<String>,
}

impl Blanks {
    /// Fills a template in.
    pub(super) fn fill(&self, template: &str) -> String {
        let mut text = template.to_owned();
        for (name, value) in &self.values {
            text = text.replace(&format!("{{{{{name}}}}}"), value);
        }
        let mut made = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("<<") {
            made.push_str(before);
            let Some((words, after)) = after.split_once(">>") else {
                made.push_str("<<");
                rest = after;
                continue;
            };
            let (english, chinese) = words.split_once('|').unwrap_or((words, words));
            made.push_str(&self.words(english, chinese));
            rest = after;
        }
        made + rest
    }

    /// One text, or one for each language. Of a language that we do not speak, the English stands in.
    fn words(&self, english: &str, chinese: &str) -> String {
        let of = |language: &str| {
            if is_chinese(language) {
                chinese
            } else {
                english
            }
        };
        match self.languages.as_slice() {
            [] => english.to_owned(),
            [only] => of(only).to_owned(),
            several => {
                let each = several
                    .iter()
                    .map(|language| format!("{language}: {}", of(language)));
                format!("{{ {} }}", each.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// Whether a language is Chinese in simplified characters, or just Chinese.
pub(super) fn is_chinese(language: &str) -> bool {
    matches!(
        language,
        "zh" | "zh-CN" | "zh-Hans" | "zh-Hans-CN" | "zh-SG"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_filled_in() {
        let blanks = |languages: &[&str]| Blanks {
            values: vec![("opens", "2026-12-01".to_owned())],
            languages: languages.iter().map(|&each| each.to_owned()).collect(),
        };
        let template = "opens: {{opens}}\ntitle: <<A coupon|优惠券>> # {lang}\n";
        for (languages, title) in [
            (&["en"][..], "A coupon"),
            (&["zh-CN"], "优惠券"),
            (&["zh-CN", "en"], "{ zh-CN: 优惠券, en: A coupon }"),
            (&["de", "zh-CN"], "{ de: A coupon, zh-CN: 优惠券 }"),
        ] {
            assert_eq!(
                blanks(languages).fill(template),
                format!("opens: 2026-12-01\ntitle: {title} # {{lang}}\n")
            );
        }
    }
}
