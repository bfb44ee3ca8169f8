//! Lists of members, as every store takes them: in order and each once, under a version of their own.
//!
//! A member is a whole pseudonym, 16 bytes: what records and the ledger name people by. Nothing shorter, and no filter that may err:
//! who is on a list by mistake is given what others were promised, or is shut out.

use std::sync::Arc;

use machine::ids::{Pseudonym, hex};
use machine::world::{Action, Admin, List};
use rand::TryRng as _;

use crate::Error;

/// A list by its name.
pub type Named = (Arc<str>, List);

/// The change with a version of its own, where its members are in order and each once.
pub(crate) fn versioned(mut change: Box<Admin>, list: &[Pseudonym]) -> Result<Box<Admin>, Error> {
    if !list.is_sorted_by(|one, next| one < next) {
        return Err(Error::NotWritten(
            "a list's members are in order, each once".to_owned(),
        ));
    }
    let mut bytes = [0; 16];
    rand::rngs::SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| {
            Error::NotWritten(format!("the system gives no random numbers: {error}"))
        })?;
    match &mut change.action {
        Action::PutList {
            version, members, ..
        } => {
            *version = hex(&bytes).into();
            *members = list.len() as u64;
            Ok(change)
        }
        _ => Err(Error::NotWritten("this puts no list".to_owned())),
    }
}
