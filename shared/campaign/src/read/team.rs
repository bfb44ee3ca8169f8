//! Teams: the block `team`, made of `team`: whose members they are, when a day of theirs counts, and what that gives.

use blocks::Promise;
use blocks::team::{KIND, MOST_DAYS, Needs, Params, signature};
use machine::model::{FactDecl, FactKind, TeamFact};
use machine::{Type, Value};

use crate::check::Check;
use crate::codes;
use crate::diagnostic::meant;
use crate::document::{Fields, Key, Keys, Node, Shape};
use crate::read::give::promises;

/// The keys of `team`.
pub(crate) static KEYS: Keys = Keys {
    name: "team",
    doc: "Members who sign in together: those with the same value of a claim.",
    keys: &[
        Key::required(
            "of",
            Shape::String,
            "The claim that names the team, a text: `user.class`. Who has none is in no team.",
        ),
        Key::required(
            "day_needs",
            Shape::String,
            "How many members must sign in for a day to count: `5`, or `60% of user.class_size`.",
        ),
        Key::required("give", Shape::Keys(&GIVE), "What the team's days give."),
        Key::optional(
            "own_days",
            Shape::Int(1, MOST_DAYS as i64),
            "On how many days of a streak a member must have signed in to be given what it gives. Default: 1.",
        ),
    ],
};

const REWARDS: Shape = Shape::Either(&[Shape::Id, Shape::List(&Shape::Id)]);

/// The keys of its `give`.
static GIVE: Keys = Keys {
    name: "give of a team",
    doc: "What the days of a team give each member: the id of a reward, or a list of them.",
    keys: &[
        Key::optional(
            "each_day",
            REWARDS,
            "What each day that counts gives those who signed in on it.",
        ),
        Key::optional(
            "streak",
            Shape::MapOf(&REWARDS),
            "What so many days in a row give, from 2.",
        ),
    ],
};

pub(crate) fn read(check: &mut Check<'_>) {
    let root = check.root;
    let Some(fields) = root
        .get("team")
        .and_then(|node| node.fields(&KEYS, &mut check.out))
    else {
        return;
    };
    let Some((signed, _)) = check.tables.var("$streak.days") else {
        check
            .out
            .error(
                codes::TEAM_ALONE,
                root.key_place("team"),
                "a team counts its members' sign-ins, and this campaign has none",
            )
            .help("add `streak` or `give`: what a sign-in is worth to each member");
        return;
    };
    let claim = fields
        .get("of")
        .and_then(|node| claim(node, Type::Str, check));
    let needs = fields.get("day_needs").and_then(|node| needs(node, check));
    let fact = check.tables.facts.len() as u16;
    let mut params = Params {
        fact,
        signed,
        needs: needs.unwrap_or(Needs::Members(1)),
        own_days: 1,
        each_day: vec![],
        streak: vec![],
    };
    if let Some(own) = fields
        .get("own_days")
        .and_then(|node| node.int(1..=i64::from(MOST_DAYS), &mut check.out))
    {
        params.own_days = own as u32;
    }
    if let Some(given) = fields
        .get("give")
        .and_then(|node| node.fields(&GIVE, &mut check.out))
    {
        give(&given, &mut params, check);
    }
    check.tables.facts.push(FactDecl {
        what: FactKind::Team(TeamFact {
            claim: claim.unwrap_or(0),
            longest: params
                .streak
                .iter()
                .map(|(days, _)| *days)
                .max()
                .unwrap_or(1),
        }),
        when_unknown: Value::Bool(false),
    });
    check.tables.team = Some(fact);
    let at = check.tables.blocks.len() as u16;
    check.add_block(KIND, &params, signature(), root.key_place("team"));
    // It follows the streak's sign-ins by itself: no machine need name it.
    check.tables.used_blocks.insert(at);
}

/// Warns where no event of users counts their days for their team. Whoever reports for them brings no token, and so no team.
pub(crate) fn counted(check: &mut Check<'_>) {
    if check.tables.team.is_none() || check.tables.team_counted {
        return;
    }
    check
        .out
        .warn(
            codes::TEAM_NOT_COUNTED,
            check.root.key_place("team"),
            "no day of a team ever counts: only a user's own event says which team is theirs, and none counts their day",
        )
        .help("add an event that users send once their day is signed: `claim-team: [{ do: [{ claim_team: team }] }]`");
}

fn give(given: &Fields<'_>, params: &mut Params, check: &mut Check<'_>) {
    if given.entries().is_empty() {
        check
            .out
            .error(
                codes::NOTHING_GIVEN,
                &given.node.place,
                "`give` gives nothing",
            )
            .help("name a reward: `each_day: points`");
    }
    if let Some(node) = given.get("each_day") {
        params.each_day = promises("team-each-day", node, check);
    }
    let Some(entries) = given
        .get("streak")
        .and_then(|node| node.map(&mut check.out))
    else {
        return;
    };
    for entry in entries {
        let Some(days) = entry.key.int(1..=3660, &mut check.out) else {
            continue;
        };
        if !(2..=i64::from(MOST_DAYS)).contains(&days) {
            check
                .out
                .error(
                    codes::TEAM_STREAK,
                    &entry.key.place,
                    format!("a team's streak gives something from 2 to {MOST_DAYS} days"),
                )
                .help("for single days write `each_day`");
            continue;
        }
        let found: Vec<Promise> = promises(&format!("team-streak-{days}"), &entry.value, check);
        let found = found.into_iter().map(|promise| (days as u32, promise));
        params.streak.extend(found);
        if days < i64::from(params.own_days) {
            check
                .out
                .error(
                    codes::TEAM_STREAK,
                    &entry.key.place,
                    format!(
                        "`own_days` asks for {} days of a streak of {days}",
                        params.own_days
                    ),
                )
                .help("lower `own_days`");
        }
    }
}

/// A claim of a type, as `user.class` or `class`.
fn claim(node: &Node, ty: Type, check: &mut Check<'_>) -> Option<u16> {
    let text = node.string(&mut check.out)?;
    named(text, node, ty, check)
}

fn named(text: &str, node: &Node, ty: Type, check: &mut Check<'_>) -> Option<u16> {
    let name = text.trim().trim_start_matches("user.");
    let claims = &check.input.tenant.claims;
    let at = claims
        .iter()
        .position(|claim| claim.name == name && claim.ty == ty);
    if at.is_none() {
        let same = claims.iter().filter(|claim| claim.ty == ty);
        let help = meant(name, same.map(|claim| claim.name.as_str()));
        let message =
            format!("this needs the claim `{name}` ({ty}), which the tenant does not declare");
        let word = if ty == Type::Str { "string" } else { "int" };
        check
            .out
            .error(codes::EXPR_NAME, &node.place, message)
            .help(help.unwrap_or_else(|| {
                format!("declare it in tenant.yaml: `claims: {{ {name}: {{ type: {word} }} }}`")
            }));
    }
    at.map(|at| at as u16)
}

fn needs(node: &Node, check: &mut Check<'_>) -> Option<Needs> {
    let text = node.string(&mut check.out)?.trim().to_owned();
    if let Some((share, of)) = text.split_once('%') {
        let percent = share
            .trim()
            .parse()
            .ok()
            .filter(|share| (1..=100).contains(share));
        let size = of.trim().strip_prefix("of ");
        if let (Some(percent), Some(size)) = (percent, size) {
            return named(size, node, Type::Int, check)
                .map(|size| Needs::Percent { percent, size });
        }
    } else if let Ok(members) = text.parse()
        && (1..=1_000_000).contains(&members)
    {
        return Some(Needs::Members(members));
    }
    check
        .out
        .error(
            codes::TEAM_NEEDS,
            &node.place,
            format!("`{text}` does not say how many must sign in"),
        )
        .help("write a number, `5`, or a share of a claim that says how large the team is: `60% of user.class_size`");
    None
}
