//! A campaign's head: what every commit looks at, as one line of text that the scripts and a person read alike.
//!
//! `1 <epoch> <newest> ,<revision>:<share>, <mark> [<pause as JSON>]`; the mark is `-` where it is not paused, `*` where all
//! of it is, `=event` where one event is, `x` where the edition was purged and never begins again.

use std::fmt::Write as _;

use machine::world::{Live, Pause};

use super::record::Unreadable;

/// A head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// Made with the counters; a store that lost it has lost them.
    pub epoch: u64,
    /// The newest revision.
    pub newest: u32,
    /// The live ones.
    pub live: Vec<Live>,
    /// Whether it is paused.
    pub pause: Option<Pause>,
    /// Whether this is all that is left of it.
    pub purged: bool,
}

impl Head {
    /// Reads the line.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let damaged = || Unreadable::Damaged("head");
        let text = std::str::from_utf8(bytes).map_err(|_| damaged())?;
        let mut words = text.splitn(6, ' ');
        match words.next() {
            Some("1") => {}
            Some(form) => return Err(Unreadable::Form(form.parse().unwrap_or_default())),
            None => return Err(damaged()),
        }
        let mut next = || words.next().ok_or_else(damaged);
        let epoch = next()?.parse().map_err(|_| damaged())?;
        let newest = next()?.parse().map_err(|_| damaged())?;
        let mut live = Vec::new();
        for entry in next()?.split(',').filter(|entry| !entry.is_empty()) {
            let (revision, share) = entry.split_once(':').ok_or_else(damaged)?;
            live.push(Live {
                revision: revision.parse().map_err(|_| damaged())?,
                share: share.parse().map_err(|_| damaged())?,
            });
        }
        let mark = next()?;
        let pause = match mark {
            "-" | "x" => None,
            _ => Some(serde_json::from_str(next()?).map_err(|_| damaged())?),
        };
        Ok(Self {
            epoch,
            newest,
            live,
            pause,
            purged: mark == "x",
        })
    }

    /// Writes the line.
    pub fn write(&self) -> Result<String, serde_json::Error> {
        let mut live = String::new();
        for one in &self.live {
            // Writing to a string does not fail.
            let _ = write!(live, "{}:{},", one.revision, one.share);
        }
        let (mark, pause) = match &self.pause {
            None if self.purged => ("x".to_owned(), String::new()),
            None => ("-".to_owned(), String::new()),
            Some(pause) => {
                let mark = pause
                    .event
                    .as_ref()
                    .map_or_else(|| "*".to_owned(), |event| format!("={event}"));
                (mark, format!(" {}", serde_json::to_string(pause)?))
            }
        };
        Ok(format!(
            "1 {} {} ,{live} {mark}{pause}",
            self.epoch, self.newest
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let pause = |event: Option<&str>| Pause {
            reason: "a look, \"quoted\"".to_owned(),
            notice: Some("马上回来".to_owned()),
            until: Some(7),
            event: event.map(Into::into),
        };
        let live = |revision| Live {
            revision,
            share: 5000,
        };
        for pause in [None, Some(pause(None)), Some(pause(Some("draw")))] {
            let head = Head {
                epoch: 1_800_000_000_000,
                newest: 12,
                live: vec![live(3), live(12)],
                purged: pause.is_none(),
                pause,
            };
            assert_eq!(Head::read(head.write().unwrap().as_bytes()), Ok(head));
        }
        assert_eq!(Head::read(b"2 1 1 ,1:1, -"), Err(Unreadable::Form(2)));
        for bad in ["", "1", "1 x 1 ,1:1, -", "1 1 1 ,1:1, *", "1 1 1 1:1:, -"] {
            assert!(Head::read(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
