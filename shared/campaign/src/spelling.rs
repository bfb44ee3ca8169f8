//! Which known word was meant.

/// The known word nearest to what was written, if any is near enough to be a slip of the finger.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(word);
    let allowed = (folded.len() / 3).clamp(1, 3);
    // Words of the size of a file are no slips, and the distance is quadratic.
    if folded.len() > 64 {
        return None;
    }
    known
        .into_iter()
        .filter(|known| known.len() <= 256)
        .map(|known| (distance(&folded, &fold(known)), known))
        .filter(|(distance, known)| *distance <= allowed && *distance < known.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// `did you mean ...?`, ready for [`crate::Diagnostic::maybe_help`].
pub fn meant<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    did_you_mean(word, known).map(|known| format!("did you mean `{known}`?"))
}

/// Letters alone: neither case nor the kind of dash makes another word.
fn fold(word: &str) -> Vec<char> {
    word.chars()
        .map(|c| {
            if c == '_' {
                '-'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect()
}

/// How many characters to insert, drop, change or swap with their neighbour.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before = vec![0; right.len() + 1];
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let mut best = (above[j] + usize::from(a != b))
                .min(above[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && left[i - 1] == *b && right[j - 1] == *a {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        let known = ["opens", "closes", "claim_until", "rewards"];
        let rows = [
            ("open", Some("opens")),
            ("clsoes", Some("closes")),
            ("claim-until", Some("claim_until")),
            ("Rewards", Some("rewards")),
            ("budget", None),
            ("x", None),
            ("", None),
        ];
        for (word, expected) in rows {
            assert_eq!(did_you_mean(word, known), expected, "{word}");
        }
    }
}
