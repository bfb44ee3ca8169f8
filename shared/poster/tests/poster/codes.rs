//! Codes are read again by an independent reader, as a phone would have them: after JPEG, and under a logo.

use poster::{Canvas, FaultKind, Scale, Warning};

use crate::kit::{composed, content, good, look, read, svg};

/// The canvas after JPEG at quality 85, grey.
fn jpeg(canvas: &Canvas) -> (usize, usize, Vec<u8>) {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 85);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
    encoder
        .encode(
            &canvas.rgb,
            canvas.width as u16,
            canvas.height as u16,
            jpeg_encoder::ColorType::Rgb,
        )
        .unwrap();
    let grey = image::load_from_memory(&bytes).unwrap().to_luma8();
    (
        grey.width() as usize,
        grey.height() as usize,
        grey.into_raw(),
    )
}

fn reads(canvas: &Canvas) -> Option<String> {
    let (width, height, grey) = jpeg(canvas);
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| grey[y * width + x]);
    let grids = image.detect_grids();
    grids
        .first()
        .and_then(|grid| grid.decode().ok())
        .map(|(_, text)| text)
}

const SHORT: &str = "https://example.com/c/spring?from=Ab3dE5gH1jKl";

fn code(body: &str) -> String {
    svg(
        400,
        400,
        &format!("<rect width='400' height='400' fill='#345'/>{body}"),
    )
}

#[test]
fn every_code_is_read_again_at_both_scales() {
    let long = format!(
        "https://example.com/{}?from=Ab3dE5gH1jKl",
        "campaign-of-spring/".repeat(6)
    );
    let logo = "<rect x='170' y='170' width='60' height='60' rx='12' fill='#e63'/>";
    for (name, body, text) in [
        ("plain", "<rect id='qr share.url' x='80' y='80' width='240' height='240' fill='#fff'/>".to_owned(), SHORT),
        ("long", "<rect id='qr share.url' x='80' y='80' width='240' height='240' rx='20' fill='#fff'/>".to_owned(), long.as_str()),
        ("ink", "<rect id='qr share.url ink #123a6b' x='80.4' y='79.7' width='240' height='240' fill='#fff6e0'/>".to_owned(), SHORT),
        ("logo", format!("<rect id='qr share.url' x='80' y='80' width='240' height='240' fill='#fff'/>{logo}"), SHORT),
        ("small", "<rect id='qr share.url' x='80' y='80' width='96' height='96' fill='#fff'/>".to_owned(), SHORT),
    ] {
        let template = good(&code(&body));
        for scale in [Scale::X1, Scale::X2] {
            let poster = composed(&template, scale, &content(&[("share.url", text)]));
            look(&format!("code-{name}-{scale:?}"), &poster.canvas);
            assert_eq!(poster.warnings, [], "{name} {scale:?}");
            assert_eq!(reads(&poster.canvas).as_deref(), Some(text), "{name} {scale:?}");
        }
    }
}

#[test]
fn an_avatar_as_the_logo_leaves_the_code_readable() {
    let template = good(&code(
        "<rect id='qr share.url' x='80' y='80' width='240' height='240' fill='#fff'/><circle id='picture user.avatar' cx='200' cy='200' r='28' fill='#888' stroke='#fff' stroke-width='4'/>",
    ));
    let poster = composed(&template, Scale::X1, &crate::kit::person("a", "1", true));
    look("code-avatar", &poster.canvas);
    assert_eq!(reads(&poster.canvas).as_deref(), Some(SHORT));
}

#[test]
fn codes_that_no_camera_reads_are_refused() {
    let kinds = |body: &str| {
        read(&code(body))
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|fault| fault.kind)
            .collect::<Vec<_>>()
    };
    let square = |more: &str, over: &str| {
        kinds(&format!(
            "<rect x='80' y='80' width='240' height='240' {more}/>{over}"
        ))
    };
    assert!(matches!(
        square("id='qr share.url ink #aaaaaa' fill='#fff'", "")[..],
        [FaultKind::Contrast { .. }]
    ));
    assert!(matches!(
        square("id='qr share.url ink #ffffff' fill='#000'", "")[..],
        [FaultKind::Contrast { .. }]
    ));
    assert!(matches!(
        square("id='qr share.url' fill='none'", "")[..],
        [_]
    ));
    assert!(matches!(
        square("id='qr share.url' fill='#fff' fill-opacity='0.5'", "")[..],
        [FaultKind::Paper]
    ));
    let fill = "id='qr share.url' fill='#fff'";
    assert!(matches!(
        square(fill, "<rect x='150' y='150' width='100' height='100'/>")[..],
        [FaultKind::Covered]
    ));
    assert!(matches!(
        square(fill, "<rect x='90' y='90' width='20' height='20'/>")[..],
        [FaultKind::Covered]
    ));
    assert!(matches!(
        kinds("<rect id='qr share.url' x='80' y='80' width='240' height='200' fill='#fff'/>")[..],
        [FaultKind::NotSquare { .. }]
    ));
    assert!(matches!(
        kinds("<rect id='qr share.url' x='80' y='80' width='50' height='50' fill='#fff'/>")[..],
        [FaultKind::SmallCode { .. }]
    ));
}

#[test]
fn a_text_too_long_for_its_code_is_found_before_and_said_after() {
    let template = good(&code(
        "<rect id='qr share.url' x='80' y='80' width='96' height='96' fill='#fff'/>",
    ));
    let long = content(&[("share.url", &"x".repeat(300))]);
    assert!(
        matches!(template.overflows(&long)[..], [ref fault] if matches!(fault.kind, FaultKind::LongCode { .. }))
    );
    assert_eq!(
        composed(&template, Scale::X1, &long).warnings,
        [Warning::LongCode {
            path: "share.url".to_owned()
        }]
    );
    assert_eq!(template.overflows(&content(&[("share.url", SHORT)])), []);
    let endless = content(&[("share.url", &"x".repeat(5000))]);
    assert_eq!(
        composed(&template, Scale::X1, &endless).warnings,
        [Warning::LongCode {
            path: "share.url".to_owned()
        }]
    );
}
