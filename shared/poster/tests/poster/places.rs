//! Pictures in their shapes, what lies over places, and what a poster touches.

use poster::{Area, Canvas, Composed, Content, PlaceKind, Scale, Warning};

use crate::kit::{avatar, composed, content, good, look, person, svg};

fn pixel(canvas: &Canvas, x: u32, y: u32) -> [u8; 3] {
    let at = (y * canvas.width + x) as usize * 3;
    [canvas.rgb[at], canvas.rgb[at + 1], canvas.rgb[at + 2]]
}

/// Whether every pixel outside of the touched areas is the backdrop's.
pub fn touches_only_what_it_says(backdrop: &Canvas, composed: &Composed) -> bool {
    let inside = |x: u32, y: u32| {
        composed.touched.iter().any(|area: &Area| {
            x >= area.x && y >= area.y && x - area.x < area.width && y - area.y < area.height
        })
    };
    (0..backdrop.height).all(|y| {
        (0..backdrop.width)
            .all(|x| inside(x, y) || pixel(backdrop, x, y) == pixel(&composed.canvas, x, y))
    })
}

fn with_avatar() -> Content {
    person("王小明", "7", true)
}

#[test]
fn places_are_listed_where_they_are_written() {
    let svg = svg(
        200,
        200,
        "<text x='9' y='50'>{{ user.name }} &amp; {{user.name}}</text><circle id='picture user.avatar' r='9'/><rect data-place='qr share.url' width='90' height='90' fill='#fff'/>",
    );
    let places: Vec<_> = good(&svg)
        .places()
        .iter()
        .map(|place| {
            (
                place.path.clone(),
                place.kind,
                svg[place.at.clone()].to_owned(),
            )
        })
        .collect();
    let said = [
        ("user.name", PlaceKind::Text, "{{ user.name }}"),
        ("user.name", PlaceKind::Text, "{{user.name}}"),
        (
            "user.avatar",
            PlaceKind::Picture,
            "<circle id='picture user.avatar' r='9'/>",
        ),
        (
            "share.url",
            PlaceKind::Qr,
            "<rect data-place='qr share.url' width='90' height='90' fill='#fff'/>",
        ),
    ];
    assert_eq!(
        places,
        said.map(|(path, kind, at)| (path.to_owned(), kind, at.to_owned()))
    );
}

#[test]
fn a_picture_has_the_shape_that_is_drawn() {
    let shapes = [
        (
            "circle",
            "<circle id='picture user.avatar' cx='100' cy='100' r='60' fill='#c33' stroke='#fff' stroke-width='8'/>",
            false,
        ),
        (
            "rounded",
            "<rect id='picture user.avatar rounded 30' x='40' y='40' width='120' height='120' fill='#c33'/>",
            false,
        ),
        (
            "round",
            "<rect id='picture user.avatar round' x='40' y='40' width='120' height='120' fill='#c33'/>",
            false,
        ),
        (
            "image",
            "<image id='picture user.avatar' x='40' y='40' width='120' height='120' href='logo.png'/>",
            true,
        ),
        (
            "hollow",
            "<rect id='picture user.avatar' x='40' y='40' width='120' height='120' fill='none'/>",
            true,
        ),
        (
            "star",
            "<polygon id='picture user.avatar' points='100,40 118,82 160,84 127,112 138,156 100,130 62,156 73,112 40,84 82,82' fill='#c33'/>",
            false,
        ),
    ];
    for (name, shape, square) in shapes {
        let template = good(&svg(
            200,
            200,
            &format!("<rect width='200' height='200' fill='#024'/>{shape}"),
        ));
        let scene = template.scene(Scale::X1);
        let poster = scene.compose(&with_avatar());
        look(&format!("shape-{name}"), &poster.canvas);
        assert!(
            touches_only_what_it_says(scene.backdrop(), &poster),
            "{name}"
        );
        assert_eq!(pixel(&poster.canvas, 5, 5), [0, 0x22, 0x44], "{name}");
        assert_ne!(pixel(&poster.canvas, 100, 100), [0, 0x22, 0x44], "{name}");
        assert_eq!(
            pixel(&poster.canvas, 43, 43) != [0, 0x22, 0x44],
            square,
            "{name}"
        );
        assert_eq!(
            pixel(scene.backdrop(), 100, 100),
            [0, 0x22, 0x44],
            "{name}: the usual picture is no part of the backdrop"
        );
        let without = scene.compose(&content(&[]));
        look(&format!("shape-{name}-without"), &without.canvas);
        assert!(without.warnings.contains(&Warning::Empty {
            path: "user.avatar".to_owned()
        }));
        if name != "hollow" {
            assert_ne!(pixel(&without.canvas, 100, 100), [0, 0x22, 0x44], "{name}");
        }
    }
}

#[test]
fn a_picture_covers_its_place_or_is_contained_in_it() {
    let mut wide = (*avatar(100)).clone();
    wide.rgba.extend(wide.rgba.clone());
    wide.height *= 2;
    let place = |words: &str| {
        good(&svg(
            200,
            200,
            &format!(
                "<rect id='picture user.avatar {words}' x='40' y='40' width='120' height='120' fill='#00f'/>"
            ),
        ))
    };
    let content = Content {
        pictures: [("user.avatar".to_owned(), wide.into())].into(),
        ..Content::default()
    };
    let cover = composed(&place("cover"), Scale::X1, &content).canvas;
    let contain = composed(&place("contain"), Scale::X1, &content).canvas;
    assert_ne!(pixel(&cover, 45, 100), [0, 0, 255]);
    assert_eq!(
        pixel(&contain, 45, 100),
        [0, 0, 255],
        "the design's own fill is beside it"
    );
    assert_ne!(pixel(&contain, 100, 45), [0, 0, 255]);
}

#[test]
fn what_the_design_draws_over_a_place_stays_over_it() {
    let body = "<rect width='200' height='200' fill='#024'/><rect id='picture user.avatar' x='40' y='40' width='120' height='120' fill='#c33'/>\
        <rect x='90' y='0' width='20' height='200' fill='#fd0'/><text x='20' y='180' font-size='20' fill='#fff'>{{ user.name }}</text><circle cx='100' cy='180' r='9' fill='#0f0'/><circle cx='20' cy='20' r='9' fill='#0f0'/>";
    let template = good(&svg(200, 200, body));
    let scene = template.scene(Scale::X1);
    for content in [
        with_avatar(),
        content(&[("user.name", "很长很长很长的名字"), ("user.avatar", "")]),
    ] {
        let poster = scene.compose(&content);
        look("over", &poster.canvas);
        assert_eq!(pixel(&poster.canvas, 100, 100), [0xff, 0xdd, 0]);
        assert_eq!(pixel(&poster.canvas, 100, 180), [0, 0xff, 0]);
        assert_eq!(pixel(&poster.canvas, 20, 20), [0, 0xff, 0]);
        assert!(touches_only_what_it_says(scene.backdrop(), &poster));
    }
}

#[test]
fn a_canvas_that_is_used_again_is_as_good_as_a_new_one() {
    let template = good(include_str!("../templates/streak.svg"));
    let scene = template.scene(Scale::X1);
    let other = good(&svg(300, 300, "<text x='9' y='50'>{{ user.name }}</text>")).scene(Scale::X1);
    let (one, two) = (
        person("尼古拉斯·凯奇", "1,284,907", true),
        person("王", "1", false),
    );
    let mut used = scene.compose(&one);
    for content in [&two, &one, &two] {
        scene.compose_into(content, &mut used);
        let new = scene.compose(content);
        assert!(
            used.canvas == new.canvas
                && used.touched == new.touched
                && used.warnings == new.warnings
        );
    }
    other.compose_into(&two, &mut used);
    assert!(used.canvas == other.compose(&two).canvas);
}
