//! Posters from the outside: templates in, pixels out.

mod kit;

mod always;
mod codes;
mod fonts;
mod hostile;
mod looks;
mod places;
mod texts;
