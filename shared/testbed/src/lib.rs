//! Real servers for tests, started on free ports and ended when dropped. Nothing of the product knows this crate; only
//! tests and chores are built with it.
