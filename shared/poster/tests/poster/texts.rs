//! Texts in their boxes: they wrap, shrink and end in …; the fast way looks as the slow way; what people write is only text.

use poster::{Area, Canvas, FaultKind, Scale, Warning};

use crate::kit::{composed, content, good, look, person, svg};
use crate::places::touches_only_what_it_says;

fn sheet(body: &str) -> String {
    svg(
        400,
        300,
        &format!("<rect width='400' height='300' fill='#fff'/>{body}"),
    )
}

/// The least area with ink.
fn inked(canvas: &Canvas) -> Option<Area> {
    let dark = |x: u32, y: u32| canvas.rgb[(y * canvas.width + x) as usize * 3] < 200;
    let across: Vec<u32> = (0..canvas.width)
        .filter(|x| (0..canvas.height).any(|y| dark(*x, y)))
        .collect();
    let down: Vec<u32> = (0..canvas.height)
        .filter(|y| (0..canvas.width).any(|x| dark(x, *y)))
        .collect();
    let (x, y) = (*across.first()?, *down.first()?);
    Some(Area {
        x,
        y,
        width: across.last()? + 1 - x,
        height: down.last()? + 1 - y,
    })
}

fn drawn(body: &str, name: &str) -> (Area, Vec<Warning>) {
    let poster = composed(
        &good(&sheet(body)),
        Scale::X1,
        &content(&[("user.name", name)]),
    );
    look(
        &format!("text-{}", name.chars().take(12).collect::<String>()),
        &poster.canvas,
    );
    (inked(&poster.canvas).unwrap(), poster.warnings)
}

#[test]
fn a_long_name_shrinks_then_ends_in_an_ellipsis() {
    let body = "<text id='box 200x40' x='50' y='100' font-size='30'>{{ user.name }}</text>";
    let (short, _) = drawn(body, "王小明");
    assert!(
        (50..=54).contains(&short.x) && short.width < 95 && short.height > 24,
        "{short:?}"
    );
    let (shrunk, warnings) = drawn(body, "尼古拉斯·凯奇先生");
    assert!(warnings.is_empty());
    assert!(
        shrunk.x + shrunk.width <= 251 && shrunk.width > 185 && shrunk.height < 26,
        "{shrunk:?}"
    );
    let (cut, warnings) = drawn(body, "尼古拉斯·凯奇·佛朗西斯·福特·科波拉三世陛下");
    assert_eq!(
        warnings,
        [Warning::Cut {
            path: "user.name".to_owned()
        }]
    );
    assert!(cut.x + cut.width <= 252 && cut.width > 170, "{cut:?}");
}

#[test]
fn the_designs_own_words_stay_when_a_name_is_cut() {
    let body =
        "<text id='box 300x40 cut' x='50' y='100' font-size='30'>恭喜 {{ user.name }} 中奖</text>";
    let (_, warnings) = drawn(body, "尼古拉斯·凯奇·佛朗西斯·福特");
    assert_eq!(
        warnings,
        [Warning::Cut {
            path: "user.name".to_owned()
        }]
    );
}

#[test]
fn a_text_wraps_in_a_high_box_and_stays_inside() {
    let body = "<text id='box 200x120' x='50' y='100' font-size='30'>{{ user.name }}</text>";
    for text in [
        "恭喜你获得了本次活动的一等奖一台",
        "Congratulations, you have won the first prize of this campaign",
        "ありがとうございます。とても嬉しいです。",
        "Donaudampfschifffahrtsgesellschaftskapitän",
        "مرحبا بكم في حملة الربيع الكبرى لهذا العام",
    ] {
        let (area, _) = drawn(body, text);
        assert!(area.height > 45, "{text} {area:?}");
        assert!(
            area.x >= 48
                && area.x + area.width <= 254
                && area.y >= 68
                && area.y + area.height <= 200,
            "{text} {area:?}"
        );
    }
}

#[test]
fn the_middle_and_the_right_stay_where_the_design_has_them() {
    let middle = |area: Area| area.x as f32 + area.width as f32 / 2.0;
    for anchor in ["text-anchor='middle' x='200'"] {
        for name in [
            "一",
            "王小明同学",
            "尼古拉斯·凯奇·佛朗西斯·福特·科波拉三世陛下",
        ] {
            let (area, _) = drawn(
                &format!("<text {anchor} y='100' font-size='30'>{{{{ user.name }}}}</text>"),
                name,
            );
            assert!(
                (middle(area) - 200.0).abs() < 3.0,
                "{anchor} {name} {area:?}"
            );
        }
    }
    // What Figma exports: the left side of the design's words, which are centred around 200.
    let sample = drawn(
        "<text id='box 300x40 left' x='80' y='100' font-size='30'>{{ user.name }}</text>",
        "{{ user.name }}",
    )
    .0;
    let centre = middle(sample);
    for (words, name) in [("center", "一"), ("center", "王小明同学")] {
        let (area, _) = drawn(
            &format!(
                "<text id='box 300x40 {words}' x='80' y='100' font-size='30'>{{{{ user.name }}}}</text>"
            ),
            name,
        );
        assert!(
            (middle(area) - centre).abs() < 3.0,
            "{name} {area:?} {centre}"
        );
    }
    let (area, _) = drawn(
        "<text id='box 300x40 right' x='80' y='100' font-size='30'>{{ user.name }}</text>",
        "王",
    );
    assert!(
        (area.x + area.width).abs_diff(sample.x + sample.width) < 4,
        "{area:?} {sample:?}"
    );
}

#[test]
fn the_fast_way_looks_as_the_slow_way() {
    let text = |more: &str| {
        good(&sheet(&format!(
            "<clipPath id='c'><polygon points='-9,-9 500,-9 520,200 500,500 -9,500'/></clipPath><text {more} x='30.3' y='100.4' font-size='34' fill='#123' fill-opacity='0.9' letter-spacing='1'>你好 {{{{ user.name }}}}, <tspan font-weight='700' font-size='44'>{{{{ context.streak }}}}</tspan> 天</text>"
        )))
    };
    let (fast, slow) = (text("id='t'"), text("id='t' clip-path='url(#c)'"));
    for name in ["Anna Ávila", "王小明", "محمد", "🎉 x"] {
        for scale in [Scale::X1, Scale::X2] {
            let content = person(name, "128", false);
            let (one, other) = (
                composed(&fast, scale, &content),
                composed(&slow, scale, &content),
            );
            look(&format!("way-fast-{}", name.len()), &one.canvas);
            look(&format!("way-slow-{}", name.len()), &other.canvas);
            let (a, b) = (inked(&one.canvas).unwrap(), inked(&other.canvas).unwrap());
            assert!(
                a.x.abs_diff(b.x) <= 2
                    && (a.x + a.width).abs_diff(b.x + b.width) <= 4
                    && a.y.abs_diff(b.y) <= 2,
                "{name} {a:?} {b:?}"
            );
            let (mean, most) = difference(&one.canvas, &other.canvas);
            assert!(mean < 1.5 && most < 60.0, "{name} {scale:?}: {mean} {most}");
        }
    }
}

/// How two canvases differ to the eye: the mean, and the most after a blur of 4 x 4 pixels.
pub fn difference(one: &Canvas, other: &Canvas) -> (f64, f64) {
    assert_eq!((one.width, one.height), (other.width, other.height));
    let (mut sum, mut most) = (0.0, 0.0_f64);
    let grey = |canvas: &Canvas, x: u32, y: u32, part: usize| {
        f64::from(canvas.rgb[(y * canvas.width + x) as usize * 3 + part])
    };
    for top in (0..one.height / 4 * 4).step_by(4) {
        for left in (0..one.width / 4 * 4).step_by(4) {
            for part in 0..3 {
                let mut block = 0.0;
                for y in top..top + 4 {
                    for x in left..left + 4 {
                        let difference = grey(one, x, y, part) - grey(other, x, y, part);
                        sum += difference.abs();
                        block += difference;
                    }
                }
                most = most.max((block / 16.0).abs());
            }
        }
    }
    (sum / one.rgb.len() as f64, most)
}

#[test]
fn shadows_gradients_turns_and_outlines_hold() {
    let defs = "<defs><linearGradient id='g'><stop stop-color='#f00'/><stop offset='1' stop-color='#00f'/></linearGradient>\
        <filter id='s' x='-20%' y='-20%' width='140%' height='160%'><feDropShadow dx='6' dy='6' stdDeviation='2' flood-color='#0a0'/></filter></defs>";
    for (name, more) in [
        ("gradient", "fill='url(#g)'"),
        ("shadow", "filter='url(#s)'"),
        ("turned", "transform='rotate(10 100 100)'"),
        ("outlined", "stroke='#f00' stroke-width='2' fill='#ff0'"),
        ("underlined", "text-decoration='underline'"),
        ("faint", "opacity='0.4'"),
    ] {
        let template = good(&sheet(&format!(
            "{defs}<text x='30' y='100' font-size='40' {more}>{{{{ user.name }}}}</text>"
        )));
        let scene = template.scene(Scale::X1);
        let poster = scene.compose(&content(&[("user.name", "王小明 & <Co>")]));
        look(&format!("style-{name}"), &poster.canvas);
        assert!(
            touches_only_what_it_says(scene.backdrop(), &poster),
            "{name}"
        );
        let coloured = |wanted: fn(&[u8]) -> bool| poster.canvas.rgb.chunks_exact(3).any(wanted);
        match name {
            "gradient" => assert!(
                coloured(|p| p[0] > 200 && p[1] < 60 && p[2] < 90)
                    && coloured(|p| p[2] > 150 && p[0] < 90)
            ),
            "shadow" => assert!(coloured(|p| p[1] > 120 && p[0] < 90 && p[2] < 90)),
            "outlined" => assert!(
                coloured(|p| p[0] > 220 && p[1] < 70)
                    && coloured(|p| p[0] > 220 && p[1] > 220 && p[2] < 90)
            ),
            "faint" => assert!(!coloured(|p| p[0] < 120) && coloured(|p| p[0] < 170)),
            _ => assert!(coloured(|p| p[0] < 40)),
        }
    }
}

#[test]
fn what_people_write_is_only_text() {
    let plain = good(&sheet(
        "<text x='30' y='100' font-size='20' stroke='#000'>{{ user.name }}</text>",
    ));
    let evil = "</text><image href='file:///etc/passwd' width='400' height='300'/><rect width='400' height='300'/><text>";
    let poster = composed(&plain, Scale::X1, &content(&[("user.name", evil)]));
    look("evil", &poster.canvas);
    let dark = poster.canvas.rgb.iter().filter(|byte| **byte < 100).count();
    assert!(dark < poster.canvas.rgb.len() / 20, "{dark}");
}

#[test]
fn what_nobody_can_draw_is_counted_and_never_a_box() {
    let template = good(&sheet(
        "<text x='30' y='100' font-size='30'>{{ user.name }}</text>",
    ));
    let drawn = |name: &str| composed(&template, Scale::X1, &content(&[("user.name", name)]));
    let lacking = drawn("김민수");
    assert_eq!(
        lacking.warnings,
        [Warning::Letters {
            path: "user.name".to_owned(),
            count: 3
        }]
    );
    assert_eq!(lacking.canvas, drawn("***").canvas);
    assert_eq!(drawn("𝓐𝓷𝓷𝓪").canvas, drawn("Anna").canvas);
    assert_eq!(drawn("🇨🇳").canvas, drawn("CN").canvas);
    assert_eq!(drawn("👩‍🚀").canvas, drawn("👩").canvas);
    assert_eq!(
        drawn("a\u{202e}b\u{200b}\u{0}\n\tc").canvas,
        drawn("ab c").canvas
    );
    assert_eq!(drawn("👍🏽").warnings, []);
}

#[test]
fn the_longest_content_is_measured_before_anybody_sees_it() {
    let template = good(&sheet(
        "<text id='box 200x40' x='50' y='100' font-size='30'>{{ user.name }}</text><text x='30' y='200' font-size='20'>{{ context.streak }}</text>",
    ));
    assert_eq!(template.overflows(&person("王小明", "7", false)), []);
    let faults = template.overflows(&person(
        "尼古拉斯·凯奇·佛朗西斯·福特·科波拉三世陛下",
        "7",
        false,
    ));
    assert!(
        matches!(faults[..], [ref fault] if matches!(fault.kind, FaultKind::Overflow { width: 200, height: 40, .. })),
        "{faults:?}"
    );
}
