//! What an answer means, from its status and one look into its body: the words of `run::Meaning`. The judge reads bodies for itself.

use crate::call::{Kind, Verdict};

/// What a lost answer is called.
pub const LOST: &str = "lost";
/// What a call is called that its user gave up before it could be sent.
pub const UNSENT: &str = "unsent";
/// What a call is called whose connection was dropped on purpose.
pub const DROPPED: &str = "dropped";

/// A whole answer: how it counts and what it is called.
pub fn of<'a>(kind: Kind<'_>, status: u16, body: &'a [u8]) -> (Verdict, &'a str) {
    match status {
        200..=299 | 304 => {
            let outcome = match kind {
                Kind::Event(_) => word(body, b"\"outcome\":"),
                _ => None,
            };
            (Verdict::Good, outcome.unwrap_or("ok"))
        }
        429 => (Verdict::Limited, "limited"),
        409 | 403 => {
            let code = word(body, b"\"code\":");
            let verdict = match code {
                // A sound call of a user of ours is never forbidden.
                None | Some("forbidden") => Verdict::Failed,
                Some(_) => Verdict::Rejected,
            };
            (verdict, code.unwrap_or(unnamed(status)))
        }
        _ => (
            Verdict::Failed,
            word(body, b"\"code\":").unwrap_or(unnamed(status)),
        ),
    }
}

/// The word of a verdict in `run::Meaning`.
pub fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "good",
        Verdict::Rejected => "rejected",
        Verdict::Limited => "limited",
        Verdict::Failed => "failed",
    }
}

/// The string that follows `name` where it stands last: what an answer says of itself follows what it shows of the campaign.
fn word<'a>(body: &'a [u8], name: &[u8]) -> Option<&'a str> {
    let at = memchr::memmem::rfind(body, name)? + name.len();
    let rest = body.get(at..)?.trim_ascii_start().strip_prefix(b"\"")?;
    let end = memchr::memchr(b'"', rest)?;
    let word = std::str::from_utf8(rest.get(..end)?).ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (!word.is_empty() && word.len() <= 64 && word.bytes().all(plain)).then_some(word)
}

fn unnamed(status: u16) -> &'static str {
    match status {
        300..=399 => "redirected",
        400..=499 => "refused",
        500..=599 => "failed",
        _ => "strange",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_their_words() {
        let draw = Kind::Event("draw");
        let rows: [(Kind<'_>, u16, &str, Verdict, &str); 12] = [
            (
                draw,
                200,
                r#"{"context":{"outcome":"x"},"grants":[],"lane":"live","outcome":"won"}"#,
                Verdict::Good,
                "won",
            ),
            (
                draw,
                200,
                r#"{"outcome": "missed"}"#,
                Verdict::Good,
                "missed",
            ),
            (draw, 200, r#"{"outcome":null}"#, Verdict::Good, "ok"),
            (Kind::View, 200, r#"{"outcome":"won"}"#, Verdict::Good, "ok"),
            (Kind::Poster("x"), 304, "", Verdict::Good, "ok"),
            (
                draw,
                409,
                r#"{"code":"sold-out","message":"gone"}"#,
                Verdict::Rejected,
                "sold-out",
            ),
            (
                draw,
                403,
                r#"{"code":"not-eligible"}"#,
                Verdict::Rejected,
                "not-eligible",
            ),
            (
                draw,
                403,
                r#"{"code":"forbidden"}"#,
                Verdict::Failed,
                "forbidden",
            ),
            (
                draw,
                429,
                r#"{"code":"rate-limited"}"#,
                Verdict::Limited,
                "limited",
            ),
            (
                draw,
                503,
                r#"{"code":"outcome-unknown"}"#,
                Verdict::Failed,
                "outcome-unknown",
            ),
            (
                draw,
                502,
                "<html>bad gateway</html>",
                Verdict::Failed,
                "failed",
            ),
            (draw, 401, r#"{"code":"un\"x"}"#, Verdict::Failed, "refused"),
        ];
        for (kind, status, body, verdict, called) in rows {
            assert_eq!(
                of(kind, status, body.as_bytes()),
                (verdict, called),
                "{status} {body}"
            );
        }
    }
}
