//! Posters, and where they lead. No poster promises anything: what is on one is said elsewhere.

use std::collections::BTreeSet;

use machine::Definition;
use machine::model::{Poster, PosterFile, Posters};
use serde_json::Value as Json;

use super::by_name::by_name;
use super::{Both, Effect, Found};

pub(super) fn compare(both: Both<'_>, found: &mut Found) {
    let (old, new) = (&both.old.posters, &both.new.posters);
    if old == new {
        return;
    }
    let names: BTreeSet<_> = old
        .each
        .iter()
        .chain(&new.each)
        .map(|it| &*it.name)
        .collect();
    for name in names {
        let subject = format!("posters.{name}");
        let mut say = |part: &str, en: String, zh: String| {
            found.say(format!("{subject}{part}"), Effect::None, en, zh);
        };
        match (old.named(name), new.named(name)) {
            (None, _) => say(
                "",
                format!("poster `{name}` added"),
                format!("新增海报 `{name}`"),
            ),
            (_, None) => say(
                "",
                format!("poster `{name}` gone"),
                format!("去掉海报 `{name}`"),
            ),
            (Some(was), Some(is)) => {
                if by_name(both.old, &was.when) != by_name(both.new, &is.when) {
                    say(
                        ".when",
                        format!("poster `{name}`: whom it is offered to"),
                        format!("海报 `{name}`：可用条件有变"),
                    );
                }
                if looks(both.old, was) != looks(both.new, is) {
                    say(
                        ".look",
                        format!("poster `{name}`: its template, pictures or words"),
                        format!("海报 `{name}`：模板、图片或文字有变"),
                    );
                }
            }
        }
    }
    if old.share != new.share {
        let url = |posters: &Posters| {
            let share = posters.share.as_ref();
            share.map_or_else(|| "-".to_owned(), |share| share.url.to_string())
        };
        found.figure(
            "posters.share",
            Effect::None,
            ("share.url", "分享地址"),
            url(old),
            url(new),
        );
    }
}

/// All of a poster that can be seen: itself without its condition, and its files.
fn looks<'d>(definition: &'d Definition, poster: &Poster) -> (Json, Vec<Option<&'d PosterFile>>) {
    let mut itself = poster.clone();
    itself.when = None;
    let files = &definition.posters.files;
    let templates = poster.templates.values().map(|path| files.get(path));
    // Pictures are everybody's: whose they are is not written down.
    let pictures = files.values();
    let pictures = pictures.filter(|file| matches!(file, PosterFile::Picture(_)));
    let all = templates.chain(pictures.map(Some)).collect();
    (by_name(definition, &itself), all)
}
