//! A change as bytes in the log. The first byte names the form, so that a later version that adds a field still reads what
//! an earlier one wrote, and an earlier one says plainly that it can't read what a later one wrote.

use machine::world::Change;

/// A change of [`machine::world`] in postcard, as of version 0.1. A commit of this form has no `carried`, and what staff do no
/// reason.
const FIRST: u8 = 1;

/// A commit that ends with `carried`.
const SECOND: u8 = 2;

/// A change of what is kept for deliveries, which versions before did not know: told by its form, they name it.
const KEEP: u8 = 3;

/// A commit that ends with `carried` and `heard`; what staff do, with its reason.
const FORM: u8 = 4;

/// What a commit begins with, and in postcard an absent `carried` or reason and an empty `heard`.
const COMMIT: u8 = 0;
const NONE: u8 = 0;
const EMPTY: u8 = 0;

/// Why a record can't be read or written.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    /// It begins with a form that this program does not know.
    #[error("its form {0} is not known here: a newer version wrote it")]
    Form(u8),
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// Its bytes are no change.
    #[error("{0}")]
    Postcard(#[from] postcard::Error),
}

/// Encodes a change, using `buffer`'s memory.
pub(super) fn encode(change: &Change, mut buffer: Vec<u8>) -> Result<Vec<u8>, RecordError> {
    buffer.clear();
    let as_ever = matches!(change, Change::Admin(change) if change.why.is_none());
    buffer.push(match change {
        // What staff do without a reason looks as it always did.
        Change::Admin(_) if as_ever => FIRST,
        Change::Commit(_) | Change::Admin(_) => FORM,
        Change::Keep(_) => KEEP,
    });
    let mut bytes = postcard::to_extend(change, buffer)?;
    if as_ever {
        bytes.pop();
    }
    Ok(bytes)
}

/// Reads what [`encode`] wrote.
pub(super) fn decode(bytes: &[u8]) -> Result<Change, RecordError> {
    match bytes {
        [FIRST, commit @ ..] if commit.first() == Some(&COMMIT) => {
            Ok(postcard::from_bytes(&[commit, &[NONE, EMPTY]].concat())?)
        }
        [FIRST, change @ ..] => Ok(postcard::from_bytes(&[change, &[NONE]].concat())?),
        [SECOND, commit @ ..] => Ok(postcard::from_bytes(&[commit, &[EMPTY]].concat())?),
        [FORM | KEEP, change @ ..] => Ok(postcard::from_bytes(change)?),
        [other, ..] => Err(RecordError::Form(*other)),
        [] => Err(RecordError::Empty),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use machine::luck::Seed;
    use machine::world::{Action, Admin, Publication};

    use super::*;

    /// What a publish looked like in a log before there were rollbacks and purges. A kind of change may be added at the end
    /// of its enum and nowhere else: whoever breaks this test breaks every log there is.
    #[test]
    fn an_old_publish_is_still_read() {
        let mut old = vec![FIRST, 1];
        old.extend(b"\x04acme\x0econfigs-folder\x80\xd0\xdc\xab\xb6\x68\x00\x01");
        old.extend(b"\x06spring\x01\x02{}\x01\x03mug\x03\x01\xd0\x0f");
        old.extend([[1; 32], [2; 32]].concat());
        let publish = Change::Admin(Box::new(Admin {
            tenant: "acme".into(),
            by: "configs-folder".into(),
            at: 1_794_000_000_000,
            key: None,
            action: Action::Publish(Publication {
                campaign: "spring".into(),
                edition: 1,
                definition: Arc::from(*b"{}"),
                stock: vec![("mug".into(), 3)],
                budget: Some(1000),
                seeds: (Seed([1; 32]), Seed([2; 32])),
            }),
            why: None,
        }));
        assert_eq!(encode(&publish, Vec::new()).unwrap(), old);
        assert_eq!(decode(&old).unwrap(), publish);
        // With a reason it has another form.
        let Change::Admin(mut reasoned) = publish else {
            panic!("a publish");
        };
        reasoned.why = Some("because".into());
        let reasoned = Change::Admin(reasoned);
        let new = encode(&reasoned, Vec::new()).unwrap();
        assert_eq!((new[0], decode(&new).unwrap()), (FORM, reasoned));
    }

    /// Commits from before records were carried over with their grants, and from before campaigns heard each other.
    #[test]
    fn old_commits_are_still_read() {
        let commit =
            crate::conformance::sample::commit(crate::conformance::sample::user(1), 0, "a");
        let commit = Change::Commit(Box::new(commit));
        let new = encode(&commit, Vec::new()).unwrap();
        let (rest, last) = new.split_at(new.len() - 2);
        assert_eq!((new[0], new[1], last), (FORM, COMMIT, &[NONE, EMPTY][..]));
        for (form, last) in [(FIRST, &[][..]), (SECOND, &[NONE][..])] {
            let mut old = [rest, last].concat();
            old[0] = form;
            assert_eq!(decode(&old).unwrap(), commit);
        }
    }

    /// A program from before marks and parked events names the form of these; whoever breaks this test breaks every log.
    #[test]
    fn what_is_kept_for_deliveries_has_a_form_of_its_own() {
        let mark = Change::Keep(machine::world::Keep::Mark {
            campaign: crate::conformance::sample::live(),
            name: "relay/b/1".into(),
            at: 300,
        });
        let bytes = encode(&mark, Vec::new()).unwrap();
        assert_eq!(
            bytes,
            b"\x03\x02\x00\x04acme\x06spring\x01\x00\x09relay/b/1\xac\x02"
        );
        assert_eq!(decode(&bytes).unwrap(), mark);
    }

    #[test]
    fn another_form_is_named_and_nothing_panics() {
        assert_eq!(
            decode(&[9, 0, 0]).unwrap_err().to_string(),
            "its form 9 is not known here: a newer version wrote it"
        );
        assert!(decode(&[]).is_err());
        assert!(decode(&[FORM]).is_err());
        assert!(decode(&[FORM, 255, 255]).is_err());
    }
}
