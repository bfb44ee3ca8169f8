//! A call's place among those under way; given back when the call is over, or its client gone.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A place among those that `C` counts: a reference where the count outlives the call, an `Arc` where an answer's body does.
#[derive(Debug)]
pub(super) struct Place<C: Deref<Target = AtomicUsize>>(C);

/// A place that goes with an answer's body.
pub(super) type KeptPlace = Place<Arc<AtomicUsize>>;

impl<C: Deref<Target = AtomicUsize>> Place<C> {
    /// A place, if fewer than `most` are taken.
    pub(super) fn take(under_way: C, most: usize) -> Option<Self> {
        if under_way.fetch_add(1, Ordering::AcqRel) < most {
            Some(Self(under_way))
        } else {
            under_way.fetch_sub(1, Ordering::AcqRel);
            None
        }
    }
}

impl<C: Deref<Target = AtomicUsize>> Drop for Place<C> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
