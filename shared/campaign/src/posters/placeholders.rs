//! The placeholders that a poster's template may name, and what each holds. All of it is known when the campaign is checked.

use machine::Type;
use machine::model::{Definition, Poster, VarKind};

/// How long a text of users may be taken to be, in characters of full width: what the check, a sample and a contact sheet
/// reckon with. A longer one shrinks or is cut in its box.
pub const NAME_CHARS: usize = 20;

/// How many characters a share's id has at most.
pub const SHARE_ID_CHARS: usize = 16;

/// What a placeholder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A text that a user, or their app, may have written. Of a picture's place: the address of a picture.
    Said,
    /// A text that the campaign or the tenant writes.
    Written,
    /// A value that is said by its type: a number, a date, yes or no.
    Value(Type),
    /// An amount of money in minor units of the campaign's currency.
    Money,
    /// The address of a picture.
    Picture,
    /// An address that a code leads to.
    Link,
}

impl Holds {
    /// Whether it can stand in a text.
    pub const fn is_text(self) -> bool {
        !matches!(self, Self::Picture)
    }

    /// Whether it can be the picture at a picture's place.
    pub const fn is_picture(self) -> bool {
        matches!(self, Self::Said | Self::Picture)
    }

    /// Whether it can be what a QR code says.
    pub const fn is_code(self) -> bool {
        matches!(self, Self::Link | Self::Written)
    }
}

/// A placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// As a template names it: `user.name`.
    pub path: String,
    /// What it holds.
    pub holds: Holds,
}

/// All placeholders that a poster's template may name, sorted by path.
pub fn placeholders(definition: &Definition, poster: &Poster) -> Vec<Placeholder> {
    use Holds::{Link, Money, Picture, Value, Written};
    let mut found = Vec::new();
    let mut add = |path: String, holds: Holds| found.push(Placeholder { path, holds });
    for claim in &definition.claims {
        if let Some(holds) = of_claim(claim.ty) {
            add(format!("user.{}", claim.name), holds);
        }
    }
    for var in &definition.vars {
        if var.show && var.kind != VarKind::Hidden {
            add(format!("context.{}", var.name), Value(var.ty));
        }
    }
    for figure in &poster.figures {
        add(format!("figures.{}", figure.name), Value(figure.ty));
    }
    for name in poster.words.keys() {
        add(format!("words.{name}"), Written);
    }
    for name in poster.pictures.keys() {
        add(format!("pictures.{name}"), Picture);
    }
    let fixed = [
        ("campaign.id", Written),
        ("campaign.title", Written),
        ("campaign.organizer", Written),
        ("campaign.opens", Value(Type::Time)),
        ("campaign.closes", Value(Type::Time)),
        ("campaign.claim_until", Value(Type::Time)),
        ("tenant.name", Written),
        ("grant.title", Written),
        ("grant.amount", Value(Type::Int)),
        ("grant.value", Money),
        ("grant.at", Value(Type::Time)),
        ("grant.expires", Value(Type::Time)),
        ("grant.image", Picture),
    ];
    for (path, holds) in fixed {
        add(path.to_owned(), holds);
    }
    if definition.posters.share.is_some() {
        add("share.url".to_owned(), Link);
    }
    add("share.id".to_owned(), Written);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// What a claim of this type holds on a poster; a list and a set of days can't stand on one.
const fn of_claim(ty: Type) -> Option<Holds> {
    match ty {
        Type::Str => Some(Holds::Said),
        Type::Strs | Type::Days => None,
        _ => Some(Holds::Value(ty)),
    }
}
