//! What names mean at one place of a campaign: the tables, and who is there when the expression runs.

use std::cell::Cell;

use machine::Type;
use machine::calendar::Calendar;
use machine::expr::{BoolExpr, Expr, IntExpr};
use machine::model::{Sender, VarKind};

use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::document::Node;
use crate::expr::{self, Function, Names};
use crate::tables::Tables;

/// Who is there when an expression runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    /// Somebody sent this event.
    Event(u16),
    /// Somebody asks to take part.
    Audience,
    /// Nobody is: time, or the machine itself, moves on.
    Nobody,
}

/// The names at one place.
#[derive(Debug)]
pub(crate) struct Scope<'t> {
    tables: &'t mut Tables,
    setting: Setting,
    /// Whether an expression asked who the user is: a claim, a list.
    asked_who: Cell<bool>,
    /// Whether an expression read what the sender says of itself.
    read_report: Cell<bool>,
}

impl<'t> Scope<'t> {
    pub fn new(tables: &'t mut Tables, setting: Setting) -> Self {
        Self {
            tables,
            setting,
            asked_who: Cell::new(false),
            read_report: Cell::new(false),
        }
    }

    /// Whether what was lowered reads what the sender says of itself. A date says which day is meant and not what was
    /// done on it, so it is no report.
    pub fn reads_report(&self) -> bool {
        self.read_report.get()
    }

    /// Reads an expression of a type.
    pub fn lower(&mut self, node: &Node, want: Type, out: &mut Diagnostics) -> Option<Expr> {
        let program = expr::lower(node, want, self, out);
        self.someone_is_there(node, out);
        program
    }

    /// Reads an expression of whatever type.
    pub fn lower_any(&mut self, node: &Node, out: &mut Diagnostics) -> Option<(Type, Expr)> {
        let program = expr::lower_any(node, self, out);
        self.someone_is_there(node, out);
        program
    }

    /// Reads a condition.
    pub fn lower_bool(&mut self, node: &Node, out: &mut Diagnostics) -> Option<BoolExpr> {
        let program = expr::lower_bool(node, self, out);
        self.someone_is_there(node, out);
        program
    }

    /// Reads a whole number.
    pub fn lower_int(&mut self, node: &Node, out: &mut Diagnostics) -> Option<IntExpr> {
        let program = expr::lower_int(node, self, out);
        self.someone_is_there(node, out);
        program
    }

    /// Reports an expression that asks who the user is where no user is, or where no token came along.
    fn someone_is_there(&self, node: &Node, out: &mut Diagnostics) {
        if !self.asked_who.take() {
            return;
        }
        match self.setting {
            Setting::Audience => {}
            Setting::Nobody => {
                out.error(codes::NOBODY_THERE, &node.place, "this runs when nobody is there: it can't ask who the user is")
                    .help("keep what you need in `context` when an event brings it: `set: { level: user.level }`");
            }
            Setting::Event(_) if self.has_user() => {}
            Setting::Event(_) => {
                out.warn(
                    codes::NO_TOKEN,
                    &node.place,
                    "no user's token comes with this event: every claim is at its default here",
                )
                .help("keep what you need in `context` when an event of the user brings it");
            }
        }
    }

    fn fields(&self) -> &[machine::model::Field] {
        match self.setting {
            Setting::Event(event) => self
                .tables
                .event_at(event)
                .map_or(&[], |event| &event.payload),
            Setting::Audience | Setting::Nobody => &[],
        }
    }

    /// Whether a user's token can be there. A back end's call, a timer's and another campaign's carry none.
    fn has_user(&self) -> bool {
        match self.setting {
            Setting::Event(event) => self
                .tables
                .event_at(event)
                .is_none_or(|event| event.from.contains(&Sender::User)),
            Setting::Audience => true,
            Setting::Nobody => false,
        }
    }
}

impl Names for Scope<'_> {
    fn var(&self, name: &str) -> Option<(u16, Type)> {
        let (slot, var) = self.tables.var(name)?;
        (var.decl.kind != VarKind::Hidden).then_some((slot, var.decl.ty))
    }

    fn var_names(&self) -> Vec<String> {
        let visible = self
            .tables
            .vars
            .iter()
            .filter(|var| var.what.decl.kind != VarKind::Hidden);
        visible.map(|var| var.what.decl.name.clone()).collect()
    }

    fn user(&self, claim: &str) -> Option<(u16, Type)> {
        self.asked_who.set(true);
        let at = self
            .tables
            .claims
            .iter()
            .position(|known| known.name == claim)?;
        self.tables
            .claims
            .get(at)
            .map(|found| (at as u16, found.ty))
    }

    fn user_names(&self) -> Vec<String> {
        self.tables
            .claims
            .iter()
            .map(|claim| claim.name.clone())
            .collect()
    }

    fn event(&self) -> Option<&str> {
        match self.setting {
            Setting::Event(event) => self.tables.event_at(event).map(|event| &*event.name),
            Setting::Audience | Setting::Nobody => None,
        }
    }

    fn event_field(&self, field: &str) -> Option<(u16, Type)> {
        let at = self.fields().iter().position(|known| known.name == field)?;
        let found = self.fields().get(at)?;
        if found.ty != Type::Date {
            self.read_report.set(true);
        }
        Some((at as u16, found.ty))
    }

    fn event_fields(&self) -> Vec<String> {
        self.fields()
            .iter()
            .map(|field| field.name.clone())
            .collect()
    }

    fn function(&self, name: &str) -> Option<Function> {
        self.tables
            .blocks
            .iter()
            .enumerate()
            .find_map(|(block, built)| {
                let functions = &built.what.signature.functions;
                let at = functions
                    .iter()
                    .position(|function| function.name == name)?;
                let found = functions.get(at)?;
                Some(Function {
                    block: block as u16,
                    function: at as u16,
                    args: found.args.clone(),
                    result: found.result,
                    texts: match built.what.spec.kind.as_str() {
                        blocks::tasks::KIND => {
                            Some((codes::UNKNOWN_TASK, self.tables.tasks.clone()))
                        }
                        blocks::redeem::KIND => {
                            Some((codes::UNKNOWN_CODES, self.tables.codes.clone()))
                        }
                        _ => None,
                    },
                })
            })
    }

    fn function_names(&self) -> Vec<String> {
        let all = self
            .tables
            .blocks
            .iter()
            .flat_map(|built| &built.what.signature.functions);
        all.map(|function| function.name.to_owned()).collect()
    }

    fn reward(&self, id: &str) -> Option<u16> {
        self.tables.reward(id)
    }

    fn reward_ids(&self) -> Vec<String> {
        self.tables
            .rewards
            .iter()
            .map(|reward| reward.what.id.to_string())
            .collect()
    }

    fn count(&mut self, event: &str) -> Option<u16> {
        self.tables.count(event)
    }

    fn event_names(&self) -> Vec<String> {
        self.tables
            .events
            .iter()
            .map(|event| event.what.name.to_string())
            .collect()
    }

    fn list(&mut self, list: &str) -> Option<u16> {
        // A back end names its user, so a list can be looked up for it; for time itself nobody looks anything up.
        if self.setting == Setting::Nobody {
            self.asked_who.set(true);
        }
        self.tables.list(list)
    }

    fn fact(&mut self, name: &str) -> Option<(u16, Type)> {
        let found = self.tables.fact(name)?;
        match self.setting {
            Setting::Event(event) => self.tables.event_asks(event, found.0),
            Setting::Audience => {}
            Setting::Nobody => self.asked_who.set(true),
        }
        Some(found)
    }

    fn fact_names(&self) -> Vec<String> {
        self.tables.fact_names()
    }

    fn list_names(&self) -> Vec<String> {
        self.tables.lists.clone()
    }

    fn calendar(&self) -> &Calendar {
        &self.tables.calendar
    }
}
