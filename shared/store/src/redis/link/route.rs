//! Which primaries of a cluster a command is for. Only commands that the store may send are known; a key stands first in
//! all others.

use redis::cluster_routing::Slot;
use redis::{Arg, Cmd};

/// Who gets a command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// The primary that has the slot.
    Slot(Slot),
    /// Any primary.
    Any,
    /// Every primary: what is loaded must be everywhere.
    Each,
}

impl Route {
    pub(super) fn of(command: &Cmd) -> Self {
        let nth = |n: usize| match command.args_iter().nth(n) {
            Some(Arg::Simple(bytes)) => Some(bytes),
            _ => None,
        };
        let Some(name) = nth(0) else { return Self::Any };
        let is = |names: &[&str]| {
            names
                .iter()
                .any(|it| name.eq_ignore_ascii_case(it.as_bytes()))
        };
        let key = if is(&[
            "EVALSHA",
            "EVAL",
            "FCALL",
            "EVALSHA_RO",
            "EVAL_RO",
            "FCALL_RO",
        ]) {
            nth(2).filter(|count| *count != b"0").and_then(|_| nth(3))
        } else if is(&["SCRIPT", "FUNCTION", "FLUSHALL", "FLUSHDB"]) {
            return Self::Each;
        } else if is(&[
            "ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DBSIZE", "ECHO", "HELLO", "INFO",
            "LATENCY", "MODULE", "PING", "PUBLISH", "ROLE", "SCAN", "SLOWLOG", "TIME", "WAIT",
        ]) {
            None
        } else if is(&["XINFO", "XGROUP", "OBJECT", "MEMORY"]) {
            nth(2)
        } else if is(&["XREAD", "XREADGROUP"]) {
            let at = command.args_iter().position(
                |arg| matches!(arg, Arg::Simple(word) if word.eq_ignore_ascii_case(b"STREAMS")),
            );
            at.and_then(|at| nth(at + 1))
        } else {
            nth(1)
        };
        key.map_or(Self::Any, |key| Self::Slot(Slot::for_key(key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_where_they_stand() {
        let of = |line: &str| {
            let mut words = line.split(' ');
            let mut command = redis::cmd(words.next().unwrap());
            words.for_each(|word| {
                command.arg(word);
            });
            Route::of(&command)
        };
        let slot = Route::Slot(Slot::for_key("k"));
        for line in [
            "GET k",
            "set {k}x 1",
            "EVALSHA abc 2 k k2 arg",
            "fcall f 1 k",
            "XINFO STREAM k",
            "XREADGROUP GROUP g c COUNT 1 STREAMS k >",
        ] {
            assert_eq!(of(line), slot, "{line}");
        }
        for line in [
            "PING",
            "INFO memory",
            "EVAL return 0",
            "PUBLISH k m",
            "SCAN 0",
        ] {
            assert_eq!(of(line), Route::Any, "{line}");
        }
        assert_eq!(of("SCRIPT LOAD x"), Route::Each);
    }
}
