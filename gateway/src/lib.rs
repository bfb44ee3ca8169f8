//! The door in front of the functions: quotas, routing, the admin API. Never names an activity; holds no rule.

pub mod admin;
pub mod door;
