//! The words with which a design says what a layer is: `picture user.avatar round`, `qr share.url`, `box 300x90 shrink`, and `{{ user.name }}` in texts.
//!
//! The same words are read from `data-place`, from Inkscape's label and from the id, which is where Figma and Illustrator put a layer's name.

use crate::fault::FaultKind;
use crate::text::{Align, Piece, Vertical};

/// What a layer's name says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Words {
    Picture {
        path: String,
        contain: bool,
        round: Round,
    },
    Code {
        path: String,
        ink: Option<[u8; 3]>,
    },
    Box(BoxWords),
}

/// Corners of a picture, beside those of its shape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Round {
    AsDrawn,
    Circle,
    Corners(f32),
}

/// The box of a text.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct BoxWords {
    pub width: f32,
    pub height: f32,
    pub align: Option<Align>,
    pub vertical: Option<Vertical>,
    pub shrink: Shrink,
    pub lines: Option<usize>,
}

/// How far letters may shrink.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) enum Shrink {
    #[default]
    Usual,
    Never,
    /// Down to this size.
    To(f32),
}

/// Reads a layer's name; none where it does not mean to be a place. `said`: it was written as `data-place`, so that it does.
pub(super) fn read(name: &str, said: bool) -> Option<Result<Words, FaultKind>> {
    let name = unescaped(name);
    let words: Vec<&str> = name.split_whitespace().collect();
    let (first, rest) = words.split_first()?;
    let result = match first.to_ascii_lowercase().as_str() {
        "picture" if said || meant(rest) => picture(rest),
        "qr" if said || meant(rest) => code(rest),
        "box"
            if said
                || rest.first().is_some_and(|word| {
                    size(word).is_some()
                        || word.starts_with(|c: char| c.is_ascii_digit())
                            && word.contains(['x', '*', '×'])
                }) =>
        {
            text_box(rest)
        }
        near @ ("image" | "img" | "pic" | "photo" | "avatar" | "picture:" | "pictures")
            if said || meant(rest) =>
        {
            return Some(Err(almost(
                &name,
                "picture",
                format!("it begins with `{near}`, not with `picture`"),
            )));
        }
        near @ ("qrcode" | "qr-code" | "code" | "qr:" | "barcode") if said || meant(rest) => {
            return Some(Err(almost(
                &name,
                "code",
                format!("it begins with `{near}`, not with `qr`"),
            )));
        }
        _ if said => {
            return Some(Err(almost(
                &name,
                "picture",
                "it begins with none of `picture`, `qr` and `box`".to_owned(),
            )));
        }
        _ => return None,
    };
    Some(result.map_err(|(meant, why)| almost(&name, meant, why)))
}

fn almost(name: &str, meant: &'static str, why: String) -> FaultKind {
    FaultKind::AlmostName {
        name: name.to_owned(),
        meant,
        why,
    }
}

/// Illustrator writes what an id cannot hold as `_x20_`, and a space as `_`; it leaves names with spaces to others.
fn unescaped(name: &str) -> String {
    let mut plain = String::new();
    let mut rest = name;
    let underscores = !name.contains(char::is_whitespace);
    while let Some(char) = rest.chars().next() {
        let code = rest
            .strip_prefix("_x")
            .and_then(|hex| hex.split_once('_'))
            .and_then(|(hex, after)| {
                Some((char::from_u32(u32::from_str_radix(hex, 16).ok()?)?, after))
            });
        if let Some((char, after)) = code {
            plain.push(char);
            rest = after;
            continue;
        }
        plain.push(if char == '_' && underscores {
            ' '
        } else {
            char
        });
        rest = &rest[char.len_utf8()..];
    }
    plain
}

/// Whether what follows is meant as a path: editors number layers (`picture 2`), and nobody means a place by that.
fn meant(rest: &[&str]) -> bool {
    rest.first().is_some_and(|word| {
        word.contains(['.', '{']) && !word.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// A path: names with points between them.
pub(super) fn is_path(path: &str) -> bool {
    path.len() <= 100
        && path.contains('.')
        && path.split('.').all(|name| {
            name.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && name
                    .chars()
                    .all(|c| c.is_alphanumeric() || c == '_' || c == '-')
        })
}

type Wrong = (&'static str, String);

fn path(words: &[&str], meant: &'static str, such: &str) -> Result<String, Wrong> {
    let Some(word) = words.first() else {
        return Err((
            meant,
            format!(
                "after `{}` comes what it shows, like {such}",
                if meant == "code" { "qr" } else { meant }
            ),
        ));
    };
    // A path in braces is the same path.
    let word = word.trim_start_matches('{').trim_end_matches('}');
    if is_path(word) {
        Ok(word.to_owned())
    } else {
        Err((
            meant,
            format!("`{word}` is no name of a value; such a name is {such}"),
        ))
    }
}

fn picture(words: &[&str]) -> Result<Words, Wrong> {
    let path = path(words, "picture", "user.avatar")?;
    let (mut contain, mut round) = (false, Round::AsDrawn);
    let mut rest = words.iter().skip(1).peekable();
    while let Some(word) = rest.next() {
        match word.to_ascii_lowercase().as_str() {
            "cover" => contain = false,
            "contain" => contain = true,
            "round" | "circle" => round = Round::Circle,
            "rounded" | "corners" => {
                let radius = rest.next().and_then(|number| positive(number));
                round = Round::Corners(radius.ok_or((
                    "picture",
                    format!("after `{word}` comes a radius, like `rounded 16`"),
                ))?);
            }
            _ => {
                return Err((
                    "picture",
                    format!("`{word}` is none of cover, contain, round and rounded 16"),
                ));
            }
        }
    }
    Ok(Words::Picture {
        path,
        contain,
        round,
    })
}

fn code(words: &[&str]) -> Result<Words, Wrong> {
    let path = path(words, "code", "share.url")?;
    let mut ink = None;
    let mut rest = words.iter().skip(1);
    while let Some(word) = rest.next() {
        match word.to_ascii_lowercase().as_str() {
            "ink" => {
                let colour = rest.next().and_then(|colour| hex(colour));
                ink = Some(colour.ok_or((
                    "code",
                    "after `ink` comes a colour, like `ink #1a1a1a`".to_owned(),
                ))?);
            }
            _ => {
                return Err((
                    "code",
                    format!("`{word}` is not known; the colour is chosen by `ink #1a1a1a`"),
                ));
            }
        }
    }
    Ok(Words::Code { path, ink })
}

fn hex(colour: &str) -> Option<[u8; 3]> {
    let digits = colour.strip_prefix('#').unwrap_or(colour);
    if !digits.is_ascii() || digits.len() != 6 {
        return None;
    }
    let at = |from: usize| u8::from_str_radix(&digits[from..from + 2], 16).ok();
    Some([at(0)?, at(2)?, at(4)?])
}

fn text_box(words: &[&str]) -> Result<Words, Wrong> {
    let wrong = |why: String| ("box", why);
    let Some((width, height)) = words.first().and_then(|word| size(word)) else {
        return Err(wrong(
            "after `box` come its width and height, like 300x90".to_owned(),
        ));
    };
    let mut said = BoxWords {
        width,
        height,
        ..BoxWords::default()
    };
    let mut rest = words.iter().skip(1).peekable();
    while let Some(word) = rest.next() {
        match word.to_ascii_lowercase().as_str() {
            "left" | "start" => said.align = Some(Align::Left),
            "center" | "centre" => said.align = Some(Align::Center),
            "right" | "end" => said.align = Some(Align::Right),
            "top" => said.vertical = Some(Vertical::Top),
            "middle" => said.vertical = Some(Vertical::Middle),
            "bottom" => said.vertical = Some(Vertical::Bottom),
            "cut" => said.shrink = Shrink::Never,
            "shrink" => {
                if let Some(least) = rest.peek().and_then(|number| positive(number)) {
                    said.shrink = Shrink::To(least);
                    rest.next();
                }
            }
            "wrap" => said.lines = None,
            "lines" | "line" => {
                let lines = rest
                    .next()
                    .and_then(|number| number.parse::<usize>().ok())
                    .filter(|lines| (1..=20).contains(lines));
                said.lines = Some(lines.ok_or_else(|| {
                    wrong("after `lines` comes a number from 1 to 20".to_owned())
                })?);
            }
            _ => {
                return Err(wrong(format!(
                    "`{word}` is none of left, center, right, top, middle, bottom, shrink, shrink 20, cut and lines 2"
                )));
            }
        }
    }
    Ok(Words::Box(said))
}

fn size(word: &str) -> Option<(f32, f32)> {
    let (width, height) = word.split_once(['x', 'X', '×', '*'])?;
    Some((positive(width)?, positive(height)?))
}

fn positive(number: &str) -> Option<f32> {
    let number: f32 = number.trim_end_matches("px").parse().ok()?;
    (number.is_finite() && number > 0.0 && number <= 8192.0).then_some(number)
}

/// Takes the places out of a text.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, FaultKind> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        words(&mut pieces, &rest[..at])?;
        let inside = &rest[at + 2..];
        let Some(end) = inside.find("}}") else {
            return Err(FaultKind::OpenPlace(short(&rest[at..])));
        };
        let path = inside[..end].trim();
        if path.contains('|') {
            return Err(FaultKind::Filter(short(path)));
        }
        if !is_path(path) {
            return Err(FaultKind::BadPath(short(&rest[at..at + end + 4])));
        }
        pieces.push(Piece::Place(path.to_owned()));
        rest = &inside[end + 2..];
    }
    words(&mut pieces, rest)?;
    Ok(pieces)
}

fn words(pieces: &mut Vec<Piece>, words: &str) -> Result<(), FaultKind> {
    if words.contains("}}") {
        return Err(FaultKind::OpenPlace(short(words)));
    }
    if let Some(near) = near(words) {
        return Err(FaultKind::AlmostPlace(near));
    }
    if !words.is_empty() {
        pieces.push(Piece::Words(words.to_owned()));
    }
    Ok(())
}

/// Something in braces that are not ours: `{ user.name }`, `｛｛user.name｝｝`, `{ { user.name } }`, `${user.name}`.
fn near(words: &str) -> Option<String> {
    let open = words.find(['{', '｛'])?;
    let close = open + words[open..].find(['}', '｝'])?;
    let inside =
        words[open..close].trim_matches(|c: char| "{}｛｝".contains(c) || c.is_whitespace());
    is_path(inside).then(|| short(&words[open..]))
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "it is what reading gives")]
    fn picture(path: &str, contain: bool, round: Round) -> Option<Result<Words, FaultKind>> {
        Some(Ok(Words::Picture {
            path: path.to_owned(),
            contain,
            round,
        }))
    }

    #[test]
    fn figma_illustrator_and_people_name_the_same_place() {
        let round = picture("user.avatar", false, Round::Circle);
        assert_eq!(read("picture user.avatar round", false), round);
        assert_eq!(read("picture_user.avatar_round", false), round);
        assert_eq!(read("picture_x20_user.avatar_x20_round", false), round);
        assert_eq!(read("Picture {{user.avatar}} round", true), round);
        assert_eq!(
            read("picture user.nick_name", false),
            picture("user.nick_name", false, Round::AsDrawn)
        );
        assert_eq!(
            read("picture_user.nick_x5F_name", false),
            picture("user.nick_name", false, Round::AsDrawn)
        );
    }

    #[test]
    fn names_that_editors_give_are_no_places() {
        for name in [
            "picture 2",
            "Rectangle 1",
            "image 5.2",
            "box",
            "Box 3",
            "qr",
            "code",
            "Frame 427",
            "avatar",
            "",
        ] {
            assert_eq!(read(name, false), None, "{name}");
        }
    }

    #[test]
    fn near_misses_are_said() {
        for name in [
            "img user.avatar",
            "qrcode share.url",
            "picture user.avatar rund",
            "picture user.avatar rounded",
            "qr share.url ink blue",
            "box 300x",
            "box 300x90 middel",
            "box 300x90 lines 99",
        ] {
            assert!(
                matches!(read(name, false), Some(Err(FaultKind::AlmostName { .. }))),
                "{name}"
            );
        }
        assert!(matches!(read("avatar", true), Some(Err(_))));
    }

    #[test]
    fn a_box_says_how_it_is_filled() {
        let Some(Ok(Words::Box(said))) = read("box 300×90 shrink 20 center middle lines 2", false)
        else {
            panic!("no box");
        };
        assert_eq!(
            (said.width, said.height, said.shrink, said.lines),
            (300.0, 90.0, Shrink::To(20.0), Some(2))
        );
        assert_eq!(
            (said.align, said.vertical),
            (Some(Align::Center), Some(Vertical::Middle))
        );
    }

    #[test]
    fn places_are_taken_out_of_texts() {
        let place = |path: &str| Piece::Place(path.to_owned());
        let say = |words: &str| Piece::Words(words.to_owned());
        assert_eq!(
            pieces("已签到 {{context.streak}} 天"),
            Ok(vec![say("已签到 "), place("context.streak"), say(" 天")])
        );
        assert_eq!(
            pieces("{{ user.name }}{{ user.name }}"),
            Ok(vec![place("user.name"), place("user.name")])
        );
        assert_eq!(pieces("a { b } c"), Ok(vec![say("a { b } c")]));
        for wrong in [
            "{{ user.name",
            "user.name }}",
            "{{ }}",
            "{{ name }}",
            "{{ a.b | number }}",
            "{ user.name }",
            "｛｛user.name｝｝",
            "{ { user.name } }",
            "{{ user name }}",
        ] {
            assert!(pieces(wrong).is_err(), "{wrong}");
        }
    }
}
