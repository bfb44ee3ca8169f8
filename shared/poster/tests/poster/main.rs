//! Posters from the outside: templates in, pixels out.

#[cfg(test)]
mod kit;

#[cfg(test)]
mod always;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod fonts;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod looks;
#[cfg(test)]
mod places;
#[cfg(test)]
mod texts;
