//! Who: `audience` and `testers`, plain words lowered to one condition.

use machine::Type;
use machine::expr::{Arith, BoolExpr, Compare, IntExpr, Source, StrExpr};

use crate::check::Check;
use crate::codes;
use crate::diagnostic::{Diagnostics, meant};
use crate::document::{Key, Keys, Node, Shape};
use crate::scope::{Scope, Setting};

/// The keys of `audience`.
pub(crate) static KEYS: Keys = Keys {
    name: "audience",
    doc: "Who may take part: all of what is said here must hold.",
    keys: &[
        Key::optional(
            "any_of",
            Shape::List(&Shape::Keys(&ITEM)),
            "At least one of these holds.",
        ),
        Key::optional(
            "all_of",
            Shape::List(&Shape::Keys(&ITEM)),
            "All of these hold.",
        ),
        Key::optional(
            "none_of",
            Shape::List(&Shape::Keys(&ITEM)),
            "None of these holds.",
        ),
    ],
};

/// The keys of one condition on a user: exactly one of them.
pub(crate) static ITEM: Keys = Keys {
    name: "condition on users",
    doc: "One condition on a user.",
    keys: &[
        Key::optional(
            "list",
            Shape::String,
            "The user is on this list of the tenant's.",
        ),
        Key::optional(
            "tag",
            Shape::String,
            "The user's claim `tags` has this tag.",
        ),
        Key::optional(
            "signed_up_within",
            Shape::Duration,
            "The user's claim `signed_up` is at most this long ago.",
        ),
        Key::optional(
            "fact",
            Shape::String,
            "This fact, a truth value that is declared under `facts`, holds.",
        ),
        Key::optional("when", Shape::Expr, "This expression holds."),
    ],
};

/// Who may take part; nothing: everybody.
pub(crate) fn read(check: &mut Check<'_>) -> Option<BoolExpr> {
    let fields = check.root.get("audience")?.fields(&KEYS, &mut check.out)?;
    let mut all = Vec::new();
    if let Some(node) = fields.get("any_of") {
        all.push(BoolExpr::Any(items(node, check)));
    }
    if let Some(node) = fields.get("all_of") {
        all.extend(items(node, check));
    }
    if let Some(node) = fields.get("none_of") {
        all.extend(
            items(node, check)
                .into_iter()
                .map(|item| BoolExpr::Not(Box::new(item))),
        );
    }
    (!all.is_empty()).then_some(BoolExpr::All(all))
}

/// Who may play in the test lane.
pub(crate) fn testers(check: &mut Check<'_>) -> Option<BoolExpr> {
    let node = check.root.get("testers")?;
    let testers = BoolExpr::Any(items(node, check));
    let mut asks = false;
    testers.each_source(&mut |source| asks |= matches!(source, Source::Fact(_)));
    if asks {
        check
            .out
            .error(
                codes::FACT_TESTERS,
                &node.place,
                "who tests can't depend on a fact: every call would ask for it, in every lane",
            )
            .help("name them in a list: `testers: [{ list: inner-test }]`");
    }
    Some(testers)
}

fn items(node: &Node, check: &mut Check<'_>) -> Vec<BoolExpr> {
    let Some(list) = node.list(&mut check.out) else {
        return Vec::new();
    };
    if list.is_empty() {
        check
            .out
            .error(codes::EMPTY, &node.place, "this list is empty")
            .help("leave the key out, or name a condition");
    }
    list.iter().filter_map(|node| item(node, check)).collect()
}

fn item(node: &Node, check: &mut Check<'_>) -> Option<BoolExpr> {
    let fields = node.fields(&ITEM, &mut check.out)?;
    let [entry] = fields.entries() else {
        check
            .out
            .error(
                codes::WRONG_SHAPE,
                &node.place,
                "one condition has exactly one key",
            )
            .help("write each condition as an item of its own: `[{ tag: vip }, { list: staff }]`");
        return None;
    };
    let value = &entry.value;
    let out = &mut check.out;
    match entry.name() {
        "list" => list(value, check),
        "tag" => {
            let tag = value.string(out)?;
            let tags = claim(check, "tags", Type::Strs, value)?;
            Some(BoolExpr::Has(StrExpr::Lit(tag.into()), tags))
        }
        "signed_up_within" => {
            let span = value.duration(out)?;
            let signed_up = claim(check, "signed_up", Type::Time, value)?;
            // `now - span` cannot overflow where `now - claim` could: the claim comes from outside.
            let since = IntExpr::Arith(Arith::Sub, Box::new((IntExpr::Now, IntExpr::Lit(span))));
            Some(BoolExpr::Compare(
                Compare::Ge,
                IntExpr::Get(signed_up),
                since,
            ))
        }
        "fact" => fact(value, check),
        "when" => Scope::new(&mut check.tables, Setting::Audience).lower_bool(value, out),
        _ => None,
    }
}

/// A fact that holds.
fn fact(node: &Node, check: &mut Check<'_>) -> Option<BoolExpr> {
    let name = node.string(&mut check.out)?;
    match check.tables.fact(name) {
        Some((fact, Type::Bool)) => Some(BoolExpr::Get(Source::Fact(fact))),
        Some((_, ty)) => {
            check
                .out
                .error(
                    codes::EXPR_RESULT,
                    &node.place,
                    format!("`{name}` is no truth value but of type {ty}"),
                )
                .help(format!("compare it: `{{ when: facts.{name} >= 3 }}`"));
            None
        }
        None => {
            let known = check.tables.fact_names();
            let help = meant(name, known.iter().map(String::as_str))
                .unwrap_or_else(|| "declare it under `facts`".to_owned());
            check
                .out
                .error(
                    codes::EXPR_NAME,
                    &node.place,
                    format!("`{name}` is not a fact of this campaign"),
                )
                .help(help);
            None
        }
    }
}

/// A claim that plain words stand on.
fn claim(check: &mut Check<'_>, name: &str, ty: Type, node: &Node) -> Option<Source> {
    let at = check
        .tables
        .claims
        .iter()
        .position(|claim| claim.name == name && claim.ty == ty);
    if at.is_none() {
        check
            .out
            .error(
                codes::EXPR_NAME,
                &node.place,
                format!("this needs the claim `{name}` ({ty}), which the tenant does not declare"),
            )
            .help(format!(
                "declare it in tenant.yaml: `claims: {{ {name}: {{ type: {} }} }}`",
                word(ty)
            ));
    }
    at.map(|at| Source::User(at as u16))
}

fn word(ty: Type) -> &'static str {
    if ty == Type::Strs { "list" } else { "time" }
}

/// Whether a user is on the list that a value names.
pub(crate) fn list(node: &Node, check: &mut Check<'_>) -> Option<BoolExpr> {
    let name = node.string(&mut check.out)?;
    let found = check.tables.list(name);
    if found.is_none() {
        unknown_list(node, name, &check.tables.lists, &mut check.out);
    }
    found.map(BoolExpr::Fact)
}

pub(crate) fn unknown_list(node: &Node, name: &str, lists: &[String], out: &mut Diagnostics) {
    let help = meant(name, lists.iter().map(String::as_str))
        .unwrap_or_else(|| format!("put one member id a line into `lists/{name}.csv`; for a list that is only in the store an empty file says that it is meant"));
    out.error(
        codes::UNKNOWN_LIST,
        &node.place,
        format!("the tenant has no list `{name}`"),
    )
    .help(help);
}
