//! What holds for every content on a small family of templates.

use poster::{Content, Picture, Scale};
use proptest::prelude::*;

use crate::kit::{good, svg};
use crate::places::touches_only_what_it_says;

fn template(size: u32, words: &str, align: &str, style: &str) -> String {
    svg(
        320,
        240,
        &format!(
            "<defs><filter id='f'><feDropShadow dx='3' dy='3' stdDeviation='2'/></filter></defs><rect width='320' height='240' fill='#9bd'/>\
            <text id='{words}' x='120' y='120' font-size='{size}' text-anchor='{align}' {style}>{{{{ user.name }}}}!</text>\
            <circle id='picture user.avatar' cx='60' cy='60' r='40' fill='#777' stroke='#fff' stroke-width='3'/>\
            <rect id='qr share.url' x='190' y='120' width='110' height='110' fill='#fff'/><rect x='50' y='0' width='9' height='90' fill='#fd0'/>"
        ),
    )
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,60}",
        "[一-龥]{0,40}",
        "[a-zA-Z ]{0,80}",
        "[\u{600}-\u{6ff}a-z0-9 ]{0,40}",
        "[\u{1f300}-\u{1faff}\u{200d}\u{fe0f}]{0,20}",
        "a[\u{300}-\u{36f}]{0,200}",
        "[\u{200b}-\u{206f} \n\t<>&\"']{0,40}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_poster_is_drawn_and_touches_only_what_it_says(
        size in prop_oneof![Just(6_u32), 10..60_u32, Just(200)],
        words in prop_oneof![Just("plain"), Just("box 150x60"), Just("box 90x120 center middle"), Just("box 150x220 right bottom shrink 8"), Just("box 60x300 lines 3 cut")],
        align in prop_oneof![Just("start"), Just("middle"), Just("end")],
        style in prop_oneof![4 => Just(""), 1 => Just("filter='url(#f)'"), 1 => Just("transform='rotate(20 120 120)'")],
        name in text(),
        address in "[ -~]{0,200}",
        (width, height) in (0..40_u32, 0..40_u32),
    ) {
        let Ok(template) = crate::kit::read(&template(size, words, align, style)) else {
            // A box that is too low for its letters is refused.
            return Ok(());
        };
        let content = Content {
            texts: [("user.name".to_owned(), name), ("share.url".to_owned(), address)].into(),
            pictures: [("user.avatar".to_owned(), Picture { width, height, rgba: vec![200; (width * height * 4) as usize] }.into())].into(),
        };
        let scene = template.scene(Scale::X1);
        let poster = scene.compose(&content);
        prop_assert!(touches_only_what_it_says(scene.backdrop(), &poster));
        template.overflows(&content);
    }

    #[test]
    fn reading_never_panics(svg in "(<(svg|g|text|rect|use|tspan|style|/g|/svg|/text)( (id|x|y|href|fill|style|transform|data-place)=\"[ -~&&[^\"<&]]{0,20}\")*/?>|\\{\\{ ?[a-z.|]* ?\\}\\}|[ -~&&[^<&]]{0,10}){0,20}") {
        let _ = crate::kit::read(&svg);
        let _ = crate::kit::read(&crate::kit::svg(100, 100, &svg));
    }
}

#[test]
fn the_family_of_templates_is_mostly_good() {
    good(&template(20, "box 150x60", "middle", "filter='url(#f)'"));
    good(&template(20, "plain", "end", ""));
}
