//! What of a person's text is shown: no controls, no characters that no font has. Names are hostile; a poster is not.

use crate::fonts::Fonts;

/// Longer texts are cut before they are looked at.
const LONGEST: usize = 300;
/// Marks above and below one letter.
const MARKS: usize = 3;
/// Stars for a row of letters that no font has.
const STARS: usize = 3;

/// The text as it is drawn, and how many of its characters no font has.
///
/// Spaces and line breaks become one space; controls, also those of direction, vanish. Letters in fancy dress become plain ones. An emoji that is
/// put together becomes its first part, a flag its two letters. What no font has: a sign vanishes, and a row of letters becomes at most three stars.
pub(crate) fn shown(fonts: &Fonts, text: &str) -> (String, usize) {
    let mut shown = String::with_capacity(text.len());
    let (mut missing, mut marks, mut stars) = (0, 0, 0);
    let mut space = false;
    let mut letters = text.chars().take(LONGEST).peekable();
    while let Some(letter) = letters.next() {
        if letter.is_whitespace() || letter == '\u{3164}' {
            space = !shown.is_empty();
            stars = 0;
            continue;
        }
        // What is joined to an emoji by U+200D is a part of it.
        if letter == '\u{200d}' && !shown.chars().next_back().is_some_and(is_arabic) {
            if shown.chars().next_back().is_some_and(is_pictograph) {
                letters.next_if(|next| {
                    is_pictograph(*next) || *next == '\u{2640}' || *next == '\u{2642}'
                });
            }
            continue;
        }
        if vanishes(letter) {
            continue;
        }
        let plain = plain(letter);
        if is_mark(plain) {
            marks += 1;
            if marks > MARKS || shown.is_empty() || !fonts.has(plain) {
                continue;
            }
        } else {
            marks = 0;
        }
        if fonts.has(plain) {
            stars = 0;
        } else {
            missing += 1;
            if is_sign(plain) || stars == STARS {
                continue;
            }
            stars += 1;
        }
        if space {
            shown.push(' ');
            space = false;
        }
        shown.push(if stars > 0 { '*' } else { plain });
    }
    if shown.is_empty() && missing > 0 {
        shown.push('*');
    }
    (shown, missing)
}

/// Whether the text has letters that are written from right to left.
pub(crate) fn turns(text: &str) -> bool {
    text.chars()
        .any(|letter| is_arabic(letter) || ('\u{590}'..='\u{5ff}').contains(&letter))
}

fn is_arabic(letter: char) -> bool {
    matches!(letter, '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
}

fn is_pictograph(letter: char) -> bool {
    matches!(letter, '\u{2600}'..='\u{27bf}' | '\u{1f000}'..='\u{1faff}')
}

/// Controls, directions, widthless characters, variants, skin tones, private characters.
fn vanishes(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}'
            | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

pub(super) fn is_mark(letter: char) -> bool {
    matches!(letter,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}'
        | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{3099}' | '\u{309a}' | '\u{302a}'..='\u{302f}' | '\u{fe20}'..='\u{fe2f}')
}

/// Signs, of which a text loses little when they vanish.
fn is_sign(letter: char) -> bool {
    is_mark(letter)
        || matches!(letter, '\u{2000}'..='\u{2bff}' | '\u{2e00}'..='\u{2e7f}' | '\u{1f000}'..='\u{1fbff}' | '\u{1d000}'..='\u{1d3ff}' | '\u{fe10}'..='\u{fe1f}')
}

/// Letters in fancy dress as plain ones; all others as they are.
fn plain(letter: char) -> char {
    let at = u32::from(letter);
    let latin = |index: u32| {
        let base = if index < 26 {
            u32::from('A') + index
        } else {
            u32::from('a') + index - 26
        };
        char::from_u32(base).unwrap_or(letter)
    };
    match at {
        0x1d400..=0x1d6a3 => latin((at - 0x1d400) % 52),
        0x1d7ce..=0x1d7ff => char::from_u32(u32::from('0') + (at - 0x1d7ce) % 10).unwrap_or(letter),
        0x24b6..=0x24e9 => latin(at - 0x24b6),
        0x1f110..=0x1f129 => latin(at - 0x1f110),
        0x1f130..=0x1f149 => latin(at - 0x1f130),
        0x1f150..=0x1f169 => latin(at - 0x1f150),
        0x1f1e6..=0x1f1ff => latin(at - 0x1f1e6),
        _ => letter,
    }
}
