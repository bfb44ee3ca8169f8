//! Codes that people type: how they are made from random bits, and read in spite of what eyes and fingers do to them.
//!
//! A code is 16 symbols of Crockford's base 32, which has no I, L, O and U: 15 of them are 75 random bits, so that nobody guesses one,
//! and the last is a check, so that one mistyped symbol, or two that changed places, is told from a code that was never made, without
//! asking a store. Written in four groups of four: `7KQ2-M0XD-9TRV-4HCE`.

/// The symbols, by their value.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// How many symbols a code has, the check among them.
pub const LENGTH: usize = 16;

/// How many symbols stand together.
const GROUP: usize = 4;

/// The most letters and digits that any code has, ours or another's.
pub const LONGEST: usize = 64;

/// Why a text is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mistyped {
    /// It has more symbols, or fewer.
    #[error("a code has {LENGTH} letters and digits")]
    Length,
    /// A character that no code has.
    #[error("a code has no such character")]
    Symbol,
    /// The check says that a symbol is another, or that two changed places.
    #[error("a letter or a digit is wrong")]
    Check,
}

/// A code from random bits; of 80 the last five are not used.
pub fn make(random: [u8; 10]) -> String {
    let bits = random
        .iter()
        .fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    let mut values: Vec<u8> = (0..LENGTH - 1)
        .map(|place| (bits >> (75 - 5 * place) & 31) as u8)
        .collect();
    values.push(check(&values));
    written(&values)
}

/// Reads what somebody typed: the code as [`make`] writes it. Case does not matter, nor do spaces and dashes; O is 0, I and L are 1.
pub fn read(text: &str) -> Result<String, Mistyped> {
    let mut values = Vec::with_capacity(LENGTH);
    for symbol in text.chars().map(half_width) {
        if is_between(symbol) {
            continue;
        }
        values.push(value(symbol).ok_or(Mistyped::Symbol)?);
        if values.len() > LENGTH {
            return Err(Mistyped::Length);
        }
    }
    let (symbols, last) = values
        .split_at_checked(LENGTH - 1)
        .ok_or(Mistyped::Length)?;
    match last {
        [last] if *last == check(symbols) => Ok(written(&values)),
        [_] => Err(Mistyped::Check),
        _ => Err(Mistyped::Length),
    }
}

/// What a code of anybody's is known by, however it is typed: upper case, full width as half width, without spaces and dashes; one of
/// ours as [`make`] writes it, in spite of O for 0. Of others' codes no letter is taken for another: theirs may have both. None where
/// no letter or digit is left, or more than [`LONGEST`], or something is no letter or digit.
pub fn canonical(text: &str) -> Option<String> {
    let mut code = String::new();
    let mut length = 0;
    for symbol in text.chars().map(half_width) {
        if is_between(symbol) {
            continue;
        }
        if !symbol.is_alphanumeric() {
            return None;
        }
        let upper = symbol
            .to_uppercase()
            .filter(|upper| upper.is_alphanumeric());
        for upper in upper {
            length += 1;
            code.push(upper);
        }
        if length > LONGEST {
            return None;
        }
    }
    if let Ok(ours) = read(&code) {
        return Some(ours.replace('-', ""));
    }
    (length > 0).then_some(code)
}

/// What people put between the groups of a code.
fn is_between(symbol: char) -> bool {
    symbol.is_whitespace() || matches!(symbol, '-' | '_' | '–' | '—' | '.')
}

/// Full width is what a Chinese keyboard writes.
fn half_width(symbol: char) -> char {
    match symbol {
        '！'..='～' => char::from_u32(u32::from(symbol) - 0xfee0).unwrap_or(symbol),
        other => other,
    }
}

fn written(values: &[u8]) -> String {
    let mut text = String::with_capacity(LENGTH + LENGTH / GROUP);
    for (place, value) in values.iter().enumerate() {
        if place > 0 && place % GROUP == 0 {
            text.push('-');
        }
        text.push(char::from(SYMBOLS[usize::from(value & 31)]));
    }
    text
}

fn value(symbol: char) -> Option<u8> {
    let folded = match symbol.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let byte = u8::try_from(folded).ok()?;
    SYMBOLS
        .iter()
        .position(|known| *known == byte)
        .map(|place| place as u8)
}

/// The check of symbols: their sum in the field of 32 elements, each times another power of its generator, so that neither a wrong
/// symbol nor two that changed places leave it as it is.
fn check(values: &[u8]) -> u8 {
    // Horner's way: the check itself stands at the power 0.
    let sum = values.iter().fold(0, |sum, value| double(sum ^ value));
    sum & 31
}

/// Times the generator, modulo x^5 + x^2 + 1.
fn double(value: u8) -> u8 {
    let shifted = value << 1;
    if shifted & 32 == 0 {
        shifted
    } else {
        (shifted ^ 0b10_0101) & 31
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_reads_as_it_should_and_in_the_hand_of_others() {
        let code = make([0; 10]);
        assert_eq!(code, "0000-0000-0000-0000");
        let code = make([0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0x12, 0x34]);
        assert_eq!(read(&code).as_deref(), Ok(code.as_str()));
        let sloppy = code.to_lowercase().replace('-', " ").replace('0', "o");
        let sloppy = sloppy.replace('1', "l");
        assert_eq!(read(&sloppy).as_deref(), Ok(code.as_str()));
        for (text, expected) in [
            ("", Mistyped::Length),
            ("0000-0000-0000-000", Mistyped::Length),
            ("0000-0000-0000-00000", Mistyped::Length),
            ("0000-0000-0000-000U", Mistyped::Symbol),
            ("0000-0000-0000-000码", Mistyped::Symbol),
            ("0000-0000-0000-0001", Mistyped::Check),
        ] {
            assert_eq!(read(text), Err(expected), "{text}");
        }
    }

    proptest! {
        /// Every code that is made is read, and a slip of one symbol, or of two beside each other, is told from a code.
        #[test]
        fn a_slip_is_never_another_code(random: [u8; 10], place in 0..LENGTH, other in 1..32_u8) {
            let code = make(random);
            prop_assert_eq!(read(&code), Ok(code.clone()));
            let symbols: Vec<u8> = code.bytes().filter(|byte| *byte != b'-').collect();
            let mut wrong = symbols.clone();
            let known = value(char::from(wrong[place])).unwrap();
            wrong[place] = SYMBOLS[usize::from(known ^ other)];
            prop_assert_eq!(read(std::str::from_utf8(&wrong).unwrap()), Err(Mistyped::Check));
            let mut swapped = symbols.clone();
            swapped.swap(place, (place + 1) % LENGTH);
            if swapped != symbols {
                prop_assert_eq!(read(std::str::from_utf8(&swapped).unwrap()), Err(Mistyped::Check));
            }
        }

        /// A code is known by the same however often it is read, and ours in whatever hand.
        #[test]
        fn a_code_is_known_by_one_text(text in "\\PC{0,40}", random: [u8; 10]) {
            if let Some(code) = canonical(&text) {
                prop_assert_eq!(canonical(&code), Some(code.clone()));
                prop_assert_eq!(canonical(&format!(" {text}- ")), Some(code));
            }
            let ours = make(random);
            let sloppy = ours.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
            prop_assert_eq!(canonical(&sloppy), canonical(&ours));
        }

        #[test]
        fn whatever_is_typed_is_read_or_refused(text in "\\PC{0,40}") {
            if let Ok(code) = read(&text) {
                prop_assert_eq!(read(&code), Ok(code));
            }
        }
    }
}
