//! A campaign's head: what every commit looks at, as one line of text that the scripts and a person read alike.
//!
//! `1 <epoch> <newest> ,<revision>:<share>, <mark> [<pause as JSON>]`; the mark is `-` where it is not paused, `*` where all
//! of it is, `=event` where one event is, `x` where the edition was purged and never begins again.
//!
//! Where rewards are stopped or a notice is shown it is of another form, which a program that does not know of these refuses:
//! `2 <epoch> <newest> ,<revision>:<share>, ,<reward>,<reward>, <mark> <pause and notice as JSON>`.

use std::fmt::Write as _;
use std::sync::Arc;

use machine::world::{Live, Notice, Pause};
use serde::{Deserialize, Serialize};

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
    /// The rewards of which nothing is given in the live lane, in order.
    pub stopped: Vec<Arc<str>>,
    /// What users are told.
    pub notice: Option<Notice>,
}

/// What stands at the end of the second form.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Words {
    pause: Option<Pause>,
    notice: Option<Notice>,
}

impl Head {
    /// Reads the line.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let damaged = || Unreadable::Damaged("head");
        let text = std::str::from_utf8(bytes).map_err(|_| damaged())?;
        let second = text.starts_with("2 ");
        let mut words = text.splitn(if second { 7 } else { 6 }, ' ');
        match words.next() {
            Some("1" | "2") => {}
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
        let mut stopped = Vec::new();
        if second {
            let rewards = next()?.split(',').filter(|reward| !reward.is_empty());
            stopped = rewards.map(Arc::from).collect();
        }
        let mark = next()?;
        let said = match mark {
            _ if second => serde_json::from_str(next()?).map_err(|_| damaged())?,
            "-" | "x" => Words::default(),
            _ => Words {
                pause: Some(serde_json::from_str(next()?).map_err(|_| damaged())?),
                notice: None,
            },
        };
        Ok(Self {
            epoch,
            newest,
            live,
            pause: said.pause,
            purged: mark == "x",
            stopped,
            notice: said.notice,
        })
    }

    /// Writes the line.
    pub fn write(&self) -> Result<String, serde_json::Error> {
        let mut live = String::new();
        for one in &self.live {
            // Writing to a string does not fail.
            let _ = write!(live, "{}:{},", one.revision, one.share);
        }
        let mark = match &self.pause {
            None if self.purged => "x".to_owned(),
            None => "-".to_owned(),
            Some(pause) => {
                let event = pause.event.as_ref();
                event.map_or_else(|| "*".to_owned(), |event| format!("={event}"))
            }
        };
        let (epoch, newest) = (self.epoch, self.newest);
        if self.stopped.is_empty() && self.notice.is_none() {
            let pause = self.pause.as_ref().map(serde_json::to_string).transpose()?;
            let pause = pause.map(|pause| format!(" {pause}")).unwrap_or_default();
            return Ok(format!("1 {epoch} {newest} ,{live} {mark}{pause}"));
        }
        let mut stopped = String::new();
        for reward in &self.stopped {
            let _ = write!(stopped, "{reward},");
        }
        let said = serde_json::to_string(&Words {
            pause: self.pause.clone(),
            notice: self.notice.clone(),
        })?;
        Ok(format!(
            "2 {epoch} {newest} ,{live} ,{stopped} {mark} {said}"
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
                stopped: Vec::new(),
                notice: None,
            };
            let said = Notice {
                text: machine::Text::one("zh-CN", "奖品 稍后 发放"),
                until: Some(9),
            };
            let stopped = Head {
                stopped: vec!["mug".into(), "cup".into()],
                ..head.clone()
            };
            let noticed = Head {
                notice: Some(said),
                ..head.clone()
            };
            for (head, form) in [(head, '1'), (stopped, '2'), (noticed, '2')] {
                let text = head.write().unwrap();
                assert!(text.starts_with(form), "{text}");
                assert_eq!(Head::read(text.as_bytes()), Ok(head));
            }
        }
        assert_eq!(Head::read(b"3 1 1 ,1:1, -"), Err(Unreadable::Form(3)));
        for bad in [
            "",
            "2 1 1 ,1:1, -",
            "2 1 1 ,1:1, ,a, *",
            "1",
            "1 x 1 ,1:1, -",
            "1 1 1 ,1:1, *",
            "1 1 1 1:1:, -",
        ] {
            assert!(Head::read(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
