//! Templates that must be refused, and names of layers that were meant otherwise. Each with its place.

use poster::FaultKind;

use crate::kit::{good, read, svg};

/// The kinds of faults of a body, and that each has a place and a way out.
fn faults(body: &str) -> Vec<FaultKind> {
    of(&svg(200, 200, body))
}

fn of(svg: &str) -> Vec<FaultKind> {
    let faults = read(svg).err().unwrap_or_default();
    for fault in &faults {
        assert!(svg.get(fault.at.clone()).is_some(), "{fault:?}");
        assert!(!fault.help().is_empty() && !fault.kind.to_string().is_empty());
    }
    faults.into_iter().map(|fault| fault.kind).collect()
}

macro_rules! refused {
    ($body:expr, $kind:pat) => {
        let found = faults($body);
        assert!(
            found.iter().any(|kind| matches!(kind, $kind)),
            "{}: {found:?}",
            $body
        );
    };
}

#[test]
fn nothing_outside_of_the_template_is_used() {
    for href in [
        "http://example.com/a.png",
        "https://example.com/a.png",
        "file:///etc/passwd",
        "/etc/passwd",
        "../photo.png",
        "a/../../b.png",
        "//host/a.png",
        "C:\\a.png",
        "ftp://x/y",
    ] {
        refused!(
            &format!("<image width='9' height='9' href='{href}'/>"),
            FaultKind::External(_)
        );
        refused!(
            &format!("<image width='9' height='9' xlink:href='{href}'/>"),
            FaultKind::External(_)
        );
        refused!(
            &format!("<filter id='f'><feImage href='{href}'/></filter>"),
            FaultKind::External(_)
        );
        refused!(&format!("<use href='{href}#a'/>"), FaultKind::External(_));
        refused!(
            &format!("<rect width='9' height='9' fill='url({href}#a)'/>"),
            FaultKind::External(_)
        );
    }
    refused!(
        "<style>@import 'http://example.com/a.css';</style>",
        FaultKind::External(_)
    );
    refused!(
        "<style>@font-face { src: url(https://example.com/a.woff2) }</style>",
        FaultKind::External(_)
    );
    refused!(
        "<style>.a { fill: url(http://example.com/#a) }</style>",
        FaultKind::External(_)
    );
    refused!(
        "<image width='9' height='9' href='data:image/svg+xml;base64,PHN2Zy8+'/>",
        FaultKind::BadImage(_)
    );
    refused!(
        "<image width='9' height='9' href='data:image/gif;base64,R0lGODlhAQABAAAAACw='/>",
        FaultKind::BadImage(_)
    );
    refused!(
        "<image width='9' height='9' href='data:image/png;base64,AAAA'/>",
        FaultKind::BadImage(_)
    );
    refused!(
        "<image width='9' height='9' href='broken.png'/>",
        FaultKind::BadImage(_)
    );
    refused!(
        "<image width='9' height='9' href='missing.png'/>",
        FaultKind::NoFile(_)
    );
}

#[test]
fn nothing_runs_and_nothing_moves() {
    refused!("<script>alert(1)</script>", FaultKind::Element(_));
    refused!(
        "<foreignObject><div xmlns='http://www.w3.org/1999/xhtml'/></foreignObject>",
        FaultKind::Element(_)
    );
    refused!(
        "<rect width='9' height='9'><animate attributeName='x' to='9'/></rect>",
        FaultKind::Element(_)
    );
    refused!(
        "<a href='javascript:alert(1)'><rect width='9' height='9'/></a>",
        FaultKind::Element(_)
    );
    refused!(
        "<rect width='9' height='9' onclick='alert(1)'/>",
        FaultKind::Script(_)
    );
}

#[test]
fn bombs_are_refused_before_they_are_drawn() {
    let mut uses = "<defs><rect id='u0' width='1' height='1'/>".to_owned();
    for level in 1..9 {
        let many = format!("<use href='#u{}'/>", level - 1).repeat(10);
        uses = format!("{uses}<g id='u{level}'>{many}</g>");
    }
    refused!(
        &format!("{uses}</defs><use href='#u8'/>"),
        FaultKind::TooMuch(_)
    );
    let mut masks = "<defs>".to_owned();
    for level in 1..9 {
        let many = format!("<rect width='9' height='9' mask='url(#m{})'/>", level - 1).repeat(10);
        masks = format!("{masks}<mask id='m{level}'>{many}</mask>");
    }
    refused!(
        &format!("{masks}</defs><rect width='9' height='9' mask='url(#m8)'/>"),
        FaultKind::TooMuch(_)
    );
    refused!(
        "<g id='a'><use href='#b'/></g><g id='b'><use href='#a'/></g>",
        FaultKind::Circle(_)
    );
    refused!("<use id='a' href='#a'/>", FaultKind::Circle(_));
    refused!(
        &format!("{}{}", "<g>".repeat(60), "</g>".repeat(60)),
        FaultKind::TooMuch(_)
    );
    refused!(&"<rect/>".repeat(20_001), FaultKind::TooMuch(_));
    refused!(
        "<filter id='f'><feGaussianBlur stdDeviation='100000'/></filter>",
        FaultKind::TooMuch(_)
    );
    refused!(
        "<filter id='f'><feTurbulence numOctaves='100'/></filter>",
        FaultKind::TooMuch(_)
    );
    refused!(
        &format!("<filter id='f'>{}</filter>", "<feOffset/>".repeat(25)),
        FaultKind::TooMuch(_)
    );
    refused!(
        &"<rect width='1' height='1' filter='url(#f)'/>".repeat(97),
        FaultKind::TooMuch(_)
    );
    assert!(matches!(
        of(&"a".repeat(13 << 20))[..],
        [FaultKind::TooLarge { .. }]
    ));
    let entities = format!(
        "<!DOCTYPE svg [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>{}",
        svg(200, 200, "<text>&b;</text>")
    );
    assert!(matches!(of(&entities)[..], [FaultKind::Entities]));
    let file = format!(
        "<!DOCTYPE svg [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>{}",
        svg(200, 200, "<text>&a;</text>")
    );
    assert!(matches!(of(&file)[..], [FaultKind::Entities]));
    for (width, height) in [(15, 200), (5000, 20), (4000, 4000), (0, 0)] {
        assert!(
            !of(&svg(width, height, "")).is_empty(),
            "{width} x {height}"
        );
    }
    assert!(matches!(of("<svg")[..], [FaultKind::NotSvg(_)]));
    assert!(matches!(of("<html/>")[..], [FaultKind::NotSvg(_)]));
    assert!(matches!(of("")[..], [FaultKind::NotSvg(_)]));
}

#[test]
fn a_document_type_without_entities_is_what_illustrator_writes() {
    let illustrator = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- Generator: Adobe Illustrator -->\n<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">\n{}",
        svg(
            200,
            200,
            "<style type=\"text/css\">.st0{fill:#FF0000;font-family:'Noto Sans SC';font-size:20px;}</style><text class=\"st0\" x=\"10\" y=\"50\">{{ user.name }}</text>"
        )
    );
    let template = good(&illustrator);
    assert_eq!(template.places().len(), 1);
    assert_eq!(
        &illustrator[template.places()[0].at.clone()],
        "{{ user.name }}"
    );
}

#[test]
fn words_that_nearly_are_places_are_said() {
    refused!(
        "<text x='9' y='50'>{{ user.name</text>",
        FaultKind::OpenPlace(_)
    );
    refused!(
        "<text x='9' y='50'>{{ user.<tspan fill='red'>name }}</tspan></text>",
        FaultKind::OpenPlace(_)
    );
    refused!(
        "<text x='9' y='50'>{{ name }}</text>",
        FaultKind::BadPath(_)
    );
    refused!(
        "<text x='9' y='50'>{{ context.streak | number }}</text>",
        FaultKind::Filter(_)
    );
    refused!(
        "<text x='9' y='50'>{ user.name }</text>",
        FaultKind::AlmostPlace(_)
    );
    refused!(
        "<rect width='9' height='9' fill='{{ tenant.colour }}'/>",
        FaultKind::PlaceInAttribute(_)
    );
    refused!(
        "<rect id='img user.avatar' width='9' height='9'/>",
        FaultKind::AlmostName { .. }
    );
    refused!(
        "<g id='picture user.avatar'><rect width='9' height='9'/></g>",
        FaultKind::WrongElement { .. }
    );
    refused!(
        "<rect id='box 30x40' width='9' height='9'/>",
        FaultKind::WrongElement { .. }
    );
    refused!(
        "<defs><rect id='picture user.avatar' width='9' height='9'/></defs>",
        FaultKind::NotDrawn
    );
    refused!(
        "<rect id='picture user.avatar' width='9' height='9' display='none'/>",
        FaultKind::NotDrawn
    );
    refused!(
        "<text x='900' y='50'>{{ user.name }}</text>",
        FaultKind::NotDrawn
    );
    refused!(
        "<text x='9' y='50' font-family='Helvetica Neue'>{{ user.name }}</text>",
        FaultKind::NoFont(_)
    );
    refused!(
        "<text x='9' y='50' font-family='Helvetica Neue'>words</text>",
        FaultKind::NoFont(_)
    );
    refused!(
        "<text x='9' y='50'>한국 {{ user.name }}</text>",
        FaultKind::NoLetters(_)
    );
    refused!(
        "<text id='box 100x8' x='9' y='50' font-size='20'>{{ user.name }}</text>",
        FaultKind::LowBox { .. }
    );
    refused!(
        "<text x='9 19 29' y='50' rotate='9'>{{ user.name }}</text>",
        FaultKind::TextForm(_)
    );
    refused!(
        "<rect id='picture user.avatar' width='90' height='90' transform='rotate(9)'/>",
        FaultKind::Turned(_)
    );
}

#[test]
fn a_design_with_many_faults_hears_of_all_of_them() {
    let found = faults(
        "<text x='9' y='50'>{{ name }}</text><rect id='qrcode share.url' width='100' height='100'/><image width='9' height='9' href='missing.png'/>",
    );
    assert_eq!(found.len(), 3, "{found:?}");
}

/// Found by fuzzing: the second letter of an attribute's name was taken to be one byte long.
#[test]
fn an_attributes_name_may_have_any_letters() {
    for name in ["o\u{fffd}ffset", "né", "\u{4e2d}", "好"] {
        let found = faults(&format!("<rect width='9' height='9' {name}='1'/>"));
        assert!(found.is_empty(), "{name}: {found:?}");
    }
}
