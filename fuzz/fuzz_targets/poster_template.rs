//! Any text as a poster's template: faults at their places, or a template whose posters are drawn and written, whatever they say.
#![no_main]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use poster::{Area, Content, Fonts, Format, Picture, Scale, Template};

static FONTS: LazyLock<Fonts> = LazyLock::new(Fonts::built_in);

/// Larger posters are read and not drawn, so that a run sees many.
const MOST_PIXELS: u32 = 1 << 17;

/// What is put into every place: a name in two directions, a picture, an address.
static CONTENT: LazyLock<Content> = LazyLock::new(|| {
    let said = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let picture = Picture {
        width: 9,
        height: 7,
        rgba: [200, 120, 40, 255].repeat(63),
    };
    Content {
        texts: BTreeMap::from([
            said("user.name", "王小明 علي <b>&amp; Ann\u{301}a 🎉"),
            said("context.streak", "1,284,907"),
            said("share.url", "https://example.com/?from=Ab3dE5gH1jKl"),
        ]),
        pictures: BTreeMap::from([("user.avatar".to_owned(), Arc::new(picture))]),
    }
});

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    // What does not begin as a document is the inside of one, so that most inputs are drawn.
    let svg = if text.starts_with("<?xml") || text.starts_with("<svg") {
        text.into_owned()
    } else {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"160\" height=\"160\">{text}</svg>"
        )
    };
    let template = match Template::read(&svg, &|_| None, &FONTS) {
        Ok(template) => template,
        Err(faults) => {
            assert!(!faults.is_empty());
            for fault in faults {
                assert!(svg.get(fault.at.clone()).is_some(), "{fault:?}");
                assert!(!fault.kind.to_string().is_empty() && !fault.help().is_empty());
            }
            return;
        }
    };
    let (width, height) = template.size();
    template.overflows(&CONTENT);
    if width * height > MOST_PIXELS {
        return;
    }
    let scene = template.scene(Scale::X1);
    for content in [&*CONTENT, &Content::default()] {
        let poster = scene.compose(content);
        let (was, is) = (&scene.backdrop().rgb, &poster.canvas.rgb);
        assert_eq!(was.len(), is.len());
        let pixels = was.chunks_exact(3).zip(is.chunks_exact(3));
        for (at, (was, is)) in pixels.enumerate() {
            let (x, y) = (at as u32 % width, at as u32 / width);
            assert!(was == is || poster.touched.iter().any(|area| holds(area, x, y)));
        }
        assert!(scene.encode(&poster, Format::Jpeg).is_ok());
    }
});

fn holds(area: &Area, x: u32, y: u32) -> bool {
    x >= area.x && y >= area.y && x - area.x < area.width && y - area.y < area.height
}
