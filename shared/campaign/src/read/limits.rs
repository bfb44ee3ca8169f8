//! How often one participant may have a reward, and whom it is not for: `per_user` and `not_for`.

use machine::expr::BoolExpr;
use machine::model::Within;

use crate::check::Check;
use crate::codes;
use crate::document::{Fields, Key, Keys, Node, Shape};
use crate::read::wheel::draws;
use crate::source::Place;

/// The shape of `per_user`: in all, or by time.
pub(crate) const PER_USER: Shape =
    Shape::Either(&[Shape::Int(1, 1_000_000), Shape::Keys(&draws::AT_MOST)]);

/// The shape of `not_for`.
pub(crate) const NOT_FOR: Shape = Shape::List(&Shape::Keys(&LISTED));

static LISTED: Keys = Keys {
    name: "list of users",
    doc: "Those who are on a list of the tenant's.",
    keys: &[Key::required(
        "list",
        Shape::String,
        "The list: lists/NAME.csv.",
    )],
};

/// How often one participant may have it.
#[derive(Debug, Default)]
pub(crate) struct Limit {
    pub edition: Option<u32>,
    pub within: Option<Within>,
}

/// Reads `per_user`.
pub(crate) fn per_user(fields: &Fields<'_>, check: &mut Check<'_>) -> Limit {
    let Some(node) = fields.get("per_user") else {
        return Limit::default();
    };
    if !node.is_map() {
        let most = node.int(1..=1_000_000, &mut check.out);
        return Limit {
            edition: most.map(|most| most as u32),
            within: None,
        };
    }
    let most = draws::at_most(node, &mut check.out);
    let within = Within {
        day: most.day,
        week: most.week,
    };
    Limit {
        edition: most.edition,
        within: (!within.is_free()).then_some(within),
    }
}

/// Reads `not_for`: lists alone, since they can be looked up whoever sends an event, and a token's claims only with the token.
pub(crate) fn not_for(fields: &Fields<'_>, check: &mut Check<'_>) -> Option<BoolExpr> {
    let node = fields.get("not_for")?;
    let items = node.list(&mut check.out)?;
    if items.is_empty() {
        check
            .out
            .error(codes::EMPTY, &node.place, "this list is empty")
            .help("leave `not_for` out, or name a list");
    }
    let lists = items.iter().filter_map(|item| list(item, check)).collect();
    Some(BoolExpr::Any(lists))
}

/// Warns where one of these rewards (none: any) is given while nobody is there who could be looked up, and it is not for everybody.
/// The machine then passes it over, whoever it is.
pub(crate) fn looked_up(place: &Place, given: Option<&[u16]>, check: &mut Check<'_>) {
    let is_given = |at: usize| given.is_none_or(|given| given.contains(&(at as u16)));
    let mut rewards = check.tables.rewards.iter().enumerate();
    let found = rewards.find(|(at, reward)| is_given(*at) && reward.what.not_for.is_some());
    let Some((_, reward)) = found else { return };
    let message = format!(
        "`{}` is not for everybody, and nobody can be looked up here: it is given to nobody",
        reward.what.id
    );
    check
        .out
        .warn(codes::NOT_LOOKED_UP, place, message)
        .help("give it in a transition of an event, or leave `not_for` out");
}

fn list(node: &Node, check: &mut Check<'_>) -> Option<BoolExpr> {
    let fields = node.fields(&LISTED, &mut check.out)?;
    super::audience::list(fields.get("list")?, check)
}
