//! No text, however strange, ends in a panic, and what is said of it points into it.

use super::*;

fn lower_text(text: &str) -> Option<(Type, Expr)> {
    let source = Source::new("a.yaml", text);
    let node = Node {
        place: Place::new(&source, 0, text.len()),
        kind: Kind::Scalar {
            text: text.to_owned(),
            quoted: false,
        },
    };
    let mut out = Diagnostics::new();
    let found = lower_any(&node, &mut World::new(), &mut out);
    assert_eq!(found.is_none(), out.has_errors(), "{text}: {}", out.lines());
    for each in &out {
        assert!(
            source
                .text()
                .get(each.place.span.start..each.place.span.end)
                .is_some(),
            "{text}"
        );
    }
    found
}

proptest! {
    #[test]
    fn lowering_never_panics(text in "\\PC{0,80}") {
        lower_text(&text);
    }

    #[test]
    fn lowering_expression_like_text_never_panics(parts in prop::collection::vec(prop::sample::select(vec![
        "chances", "vip", "user", ".", "level", "event", "rewards", "given", "(", ")", "[", "]", "{", "}", "==", "!=", "<", ">=", "&&", "||", "!", "?", ":", "+", "-", "*", "/", "%", " in ", "'a'", "\"b\"", "1", "2.5", "1u", "null", "true", ",", "size", "date", "in_list", "b'x'", "级", "`", "r'", "\\", "'", " ", "\n", "0x", "exists", "//",
    ]), 0..30)) {
        lower_text(&parts.concat());
    }
}
