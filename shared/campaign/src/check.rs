//! The check: a campaign's file becomes a definition, or all that is wrong with it is said.

use std::collections::BTreeMap;
use std::sync::Arc;

use machine::Text;
use machine::block::Signature;
use machine::expr::{self, BoolExpr};
use machine::model::{Definition, Durability, RewardKind, Window};
use serde::Serialize;

use crate::activity::{Activities, Activity, Use};
use crate::analysis;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, meant};
use crate::document::{Fields, Node, parse};
use crate::follow;
use crate::law;
use crate::machine as states;
use crate::read::{
    self, audience, budget, buy, chances, context, earn, events, expected, facts, head, measured,
    messages, moved, pack, posters, raffle, redeem, rewards, streak, tasks, team, wheel, window,
};
use crate::relays::Relays;
use crate::rules;
use crate::source::{Place, Source};
use crate::tables::Tables;
use crate::tenant::Tenant;
use crate::unused;

/// The other files of a tenant's folder, by their path from it: `rules/wheel.en.md`, `lists/vip.csv`.
pub type Files = BTreeMap<String, Arc<str>>;

/// What a check reads.
#[derive(Debug, Clone)]
pub struct Input<'a> {
    /// The campaign's id: its file's name.
    pub campaign: &'a str,
    /// Its file.
    pub source: Arc<Source>,
    /// Its tenant.
    pub tenant: &'a Tenant,
    /// The tenant's other files.
    pub files: &'a Files,
}

/// What a check found.
#[derive(Debug)]
pub struct Checked {
    /// The definition; none if there was an error.
    pub definition: Option<Definition>,
    /// All there is to say, in the order of the file.
    pub diagnostics: Diagnostics,
    /// What it tells other campaigns, and hears of them: to be held against theirs.
    pub(crate) relays: Relays,
    /// The files that its rules are in, as diagnostics name them.
    pub(crate) rules_files: Vec<String>,
}

/// Checks a campaign's file: reads and lowers it, and proves what can be proved of it.
pub fn check(input: &Input<'_>, activities: &dyn Activities) -> Checked {
    checked(input, activities, true)
}

/// Reads and lowers a campaign's file, and proves nothing of it: for files that were checked before, and for tests of
/// machines that no check would pass.
pub fn lower(input: &Input<'_>, activities: &dyn Activities) -> Checked {
    checked(input, activities, false)
}

fn checked(input: &Input<'_>, activities: &dyn Activities, deep: bool) -> Checked {
    let mut out = Diagnostics::new();
    let root = parse(&input.source, &mut out);
    let mut rules_files = Vec::new();
    let found = root
        .as_ref()
        .and_then(|node| read(node, input, activities, deep, &mut rules_files, &mut out));
    if let Some(root) = &root {
        out = follow::take_out(out, root);
    }
    let diagnostics = own_first(out, &input.source).sorted();
    let found = found.filter(|_| !diagnostics.has_errors());
    let (definition, relays) = found.unzip();
    Checked {
        definition,
        diagnostics,
        relays: relays.unwrap_or_default(),
        rules_files,
    }
}

/// What a default machine lacks follows from what is wrong with the campaign, where something is: only that is said.
fn own_first(all: Diagnostics, source: &Arc<Source>) -> Diagnostics {
    let own = |each: &Diagnostic| {
        Arc::ptr_eq(&each.place.source, source) || rules::CODES.contains(&each.code)
    };
    if !all
        .iter()
        .any(|each| each.severity == Severity::Error && own(each))
    {
        return all;
    }
    let mut kept = Diagnostics::new();
    all.into_iter().filter(own).for_each(|each| kept.push(each));
    kept
}

/// A check under way.
#[derive(Debug)]
pub(crate) struct Check<'a> {
    pub input: &'a Input<'a>,
    /// The file's top level.
    pub root: Fields<'a>,
    pub tables: Tables,
    /// The codes that transitions reject with, and where one does.
    pub rejected: BTreeMap<Arc<str>, Place>,
    /// Whether something is to be proved of it.
    pub deep: bool,
    /// The files that its rules are in, as diagnostics name them.
    pub rules_files: Vec<String>,
    pub out: Diagnostics,
}

fn read(
    node: &Node,
    input: &Input<'_>,
    activities: &dyn Activities,
    deep: bool,
    rules_files: &mut Vec<String>,
    out: &mut Diagnostics,
) -> Option<(Definition, Relays)> {
    let root = node.fields(&read::KEYS, out)?;
    let activity = root
        .get("activity")
        .and_then(|node| activity(node, activities, out));
    let (calendar, window) = window::read(&root, input.tenant, out);
    let tables = Tables::new(calendar, input.tenant.claims.clone(), lists(input.files));
    let mut check = Check {
        input,
        root,
        tables,
        rejected: BTreeMap::new(),
        deep,
        rules_files: Vec::new(),
        out: std::mem::take(out),
    };
    let definition = activity.map(|activity| {
        let definition = sections(&mut check, activity, window);
        let relays = Relays {
            ears: std::mem::take(&mut check.tables.ears),
            emitted: std::mem::take(&mut check.tables.emitted),
            first_sight: check.tables.first_sight.take(),
            left_out: std::mem::take(&mut check.tables.left_out),
        };
        (definition, relays)
    });
    *rules_files = check.rules_files;
    *out = check.out;
    definition
}

/// Reads the sections, each after those whose names it uses.
fn sections(check: &mut Check<'_>, activity: &dyn Activity, window: Window) -> Definition {
    let shipped = states::shipped(activity, check.root.node, &mut check.out);
    let machine_node = states::choose(shipped.as_ref(), check.root, activity, &mut check.out);

    let head = head::read(check);
    context::read(check);
    facts::read(check);
    let slices = rewards::read(window, check);
    rewards::when_gone(check);
    chances::read(check);
    wheel::read(&slices, check);
    streak::read(window, check);
    let shipped_pack = shipped.as_ref().and_then(|node| node.get("pack"));
    // Where rewards are for codes, all of them are not a pack for everybody.
    let shipped_pack = shipped_pack.filter(|_| !check.root.has("redeem"));
    pack::read(shipped_pack, window, check);
    team::read(check);
    raffle::read(&slices, window, check);
    let budget = budget::read(check);
    let expected = expected::read(check);
    events::read(check);
    let mut earned = earn::read(check);
    earned.extend(buy::read(check));
    earned.extend(tasks::read(check));
    earned.extend(redeem::read(budget.as_ref(), check));
    earned.extend(measured::event(check));
    let machine = machine_node
        .as_ref()
        .map(|node| states::lower(node, earned, window, check))
        .unwrap_or_default();
    let moves = states::moves(check);
    moved::read(check);
    let (audience, testers) = (audience::read(check), audience::testers(check));
    let messages = messages::read(
        shipped.as_ref().and_then(|node| node.get("messages")),
        check,
    );

    let posters = posters::read(check);
    raffle::uses(&machine, window, check);
    check.required(activity);
    // What nothing uses is only known once everything can be read.
    if !check.out.has_errors() {
        unused::report(check, budget.as_ref());
        team::counted(check);
        facts::unused(&check.tables, &asked_of(audience.as_ref()), &mut check.out);
    }
    let limited = check
        .tables
        .rewards
        .iter()
        .any(|reward| reward.what.stock.is_some())
        || budget.is_some();
    let durability = head.durability.unwrap_or(if limited {
        Durability::Strict
    } else {
        check.input.tenant.durability
    });
    let mut empty = Tables::new(check.tables.calendar.clone(), vec![], vec![]);
    empty.ears = std::mem::take(&mut check.tables.ears);
    empty.emitted = std::mem::take(&mut check.tables.emitted);
    empty.first_sight = check.tables.first_sight.take();
    empty.left_out = std::mem::take(&mut check.tables.left_out);
    let tables = std::mem::replace(&mut check.tables, empty);
    let mut definition = Definition {
        tenant: check.input.tenant.id.as_str().into(),
        campaign: check.input.campaign.into(),
        edition: head.edition,
        activity: activity.id().into(),
        title: head.title,
        organizer: head.organizer,
        rules: Text::default(),
        rules_written: None,
        language: check.input.tenant.language().to_owned(),
        currency: check.input.tenant.currency.clone(),
        calendar: tables.calendar,
        window,
        durability,
        testers,
        audience,
        claims: tables.claims,
        facts: tables.facts,
        vars: tables.vars.into_iter().map(|var| var.what.decl).collect(),
        counts: tables.counts,
        events: tables.events.into_iter().map(|event| event.what).collect(),
        rewards: tables
            .rewards
            .into_iter()
            .map(|reward| reward.what)
            .collect(),
        rules_of_giving: tables
            .rules
            .into_iter()
            .map(|rule| rule.what.rule)
            .collect(),
        budget,
        blocks: tables
            .blocks
            .into_iter()
            .map(|block| block.what.spec)
            .collect(),
        machine,
        messages,
        moves,
        posters,
    };
    let whole = !check.out.has_errors();
    if check.deep
        && whole
        && let Some(machine) = &machine_node
    {
        analysis::report(
            &definition,
            expected,
            machine,
            check.root.node,
            &mut check.out,
        );
    }
    let rules = rules::read(check, &definition, whole);
    if check.deep {
        law::terms::check(check, &definition, &rules, whole);
    }
    check.rules_files = rules.names();
    definition.rules_written = rules.written();
    definition.rules = rules.text;
    definition
}

/// The facts that an audience asks for.
fn asked_of(audience: Option<&BoolExpr>) -> Vec<u16> {
    let mut found = Vec::new();
    if let Some(audience) = audience {
        audience.each_source(&mut |source| {
            if let expr::Source::Fact(fact) = source {
                found.push(fact);
            }
        });
    }
    found
}

fn activity<'a>(
    node: &Node,
    activities: &'a dyn Activities,
    out: &mut Diagnostics,
) -> Option<&'a dyn Activity> {
    let id = node.string(out)?;
    let found = activities.find(id);
    if found.is_none() {
        let known: Vec<&str> = activities
            .all()
            .iter()
            .map(|activity| activity.id())
            .collect();
        let help = meant(id, known.iter().copied())
            .unwrap_or_else(|| format!("the activities are {}", known.join(", ")));
        out.error(
            codes::UNKNOWN_ACTIVITY,
            &node.place,
            format!("there is no activity `{id}`"),
        )
        .help(help);
    }
    found
}

/// The names of the lists that a tenant has.
fn lists(files: &Files) -> Vec<String> {
    let names = files
        .keys()
        .filter_map(|path| path.strip_prefix("lists/")?.strip_suffix(".csv"));
    names.map(str::to_owned).collect()
}

impl Check<'_> {
    /// A text in the tenant's languages.
    pub fn text(&mut self, node: &Node) -> Option<Text> {
        node.text(&self.input.tenant.languages, &mut self.out)
    }

    /// The reward with this id.
    pub fn reward_named(&mut self, node: &Node) -> Option<u16> {
        let id = node.string(&mut self.out)?;
        let found = self.tables.reward(id);
        if found.is_none() {
            let known = self.tables.rewards.iter().map(|reward| &*reward.what.id);
            let help = meant(id, known).unwrap_or_else(|| "declare it under `rewards`".to_owned());
            self.out
                .error(
                    codes::UNKNOWN_REWARD,
                    &node.place,
                    format!("there is no reward `{id}`"),
                )
                .help(help);
        }
        found
    }

    /// The reward with this id, as something that may be given.
    pub fn reward(&mut self, node: &Node) -> Option<u16> {
        let found = self.reward_named(node);
        self.tables.given.extend(found);
        self.tables.named.extend(found);
        found
    }

    /// The reward with this id, where something must be given.
    pub fn promised(&mut self, node: &Node) -> Option<u16> {
        let at = self.reward(node)?;
        if self
            .tables
            .reward_at(at)
            .is_some_and(|reward| reward.kind == RewardKind::Nothing)
        {
            self.out
                .error(
                    codes::GIVES_NOTHING,
                    &node.place,
                    "this reward gives nothing: it is what a lost draw shows",
                )
                .help("name another one, or give it a `kind`");
        }
        Some(at)
    }

    /// Adds a block with its parameters.
    pub fn add_block<P: Serialize>(
        &mut self,
        kind: &str,
        params: &P,
        signature: Signature,
        place: &Place,
    ) {
        self.add_block_over(kind, params, signature, &[], place);
    }

    /// Adds a block with its parameters; a balance of these names that the campaign has already is the block's own, too.
    pub fn add_block_over<P: Serialize>(
        &mut self,
        kind: &str,
        params: &P,
        signature: Signature,
        shared: &[&str],
        place: &Place,
    ) {
        // Parameters are structs of numbers, strings and lists: they always serialise.
        let params = serde_json::to_string(params).unwrap_or_default();
        self.tables
            .add_block(kind, params, signature, shared, place, &mut self.out);
    }

    /// Notes that a transition rejects with a code.
    pub fn rejects(&mut self, code: &str, place: &Place) {
        self.rejected
            .entry(code.into())
            .or_insert_with(|| place.clone());
    }

    /// Reports sections that the activity's default machine needs and the file lacks.
    fn required(&mut self, activity: &dyn Activity) {
        let replaced = self
            .root
            .get("machine")
            .is_some_and(|node| node.get("extends").is_none());
        if replaced && activity.machine().is_some() {
            return;
        }
        for (section, how) in activity.sections() {
            if *how == Use::Required && !self.root.has(section) && *section != "machine" {
                let place = self
                    .root
                    .get("activity")
                    .map_or(&self.root.node.place, |node| &node.place);
                self.out
                    .error(
                        codes::SECTION_MISSING,
                        place,
                        format!(
                            "`{section}` is missing: the machine of `{}` needs it",
                            activity.id()
                        ),
                    )
                    .help(format!("add `{section}`, or write a `machine` of your own"));
            }
        }
    }
}
