//! From text to CEL's syntax tree, within limits, with each node's place in the YAML file.

use cel::Env;
use cel::common::ast::{EntryExpr, Expr, IdedExpr, SourceInfo};

use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::document::Node;
use crate::expr::syntax;
use crate::source::Place;

/// The longest expression, in bytes.
pub const MAX_BYTES: usize = 1024;
/// The most parts of an expression: names, values, operators, calls.
pub const MAX_PARTS: usize = 200;
/// The deepest nesting.
pub const MAX_DEPTH: usize = 32;

/// A syntax tree and where its parts stand.
pub(super) struct Parsed<'n> {
    pub root: IdedExpr,
    pub spot: Spot<'n>,
}

/// Finds the place in the file of what stands in an expression.
pub(super) struct Spot<'n> {
    node: &'n Node,
    /// Where in the file the expression's text starts; nothing when escapes or folded lines make it differ from the file.
    base: Option<usize>,
    /// The text; CEL counts in characters.
    text: Vec<char>,
    /// Where each of its characters starts, in bytes.
    bytes: Vec<usize>,
    info: SourceInfo,
}

/// Reads the text of a YAML scalar as CEL. Nothing only after an error was reported.
pub(super) fn parse<'n>(node: &'n Node, diagnostics: &mut Diagnostics) -> Option<Parsed<'n>> {
    let text = node.string(diagnostics)?;
    if text.trim().is_empty() {
        diagnostics.error(codes::EMPTY, &node.place, "an expression is missing here");
        return None;
    }
    if text.len() > MAX_BYTES {
        diagnostics.error(
            codes::EXPR_TOO_BIG,
            &node.place,
            format!(
                "an expression has at most {MAX_BYTES} bytes, this one has {}",
                text.len()
            ),
        );
        return None;
    }
    let mut spot = Spot::new(node, text);
    // An environment without macros: a loop is then a call of an unknown function, and refused by name.
    let program = match Env::default().compile(text) {
        Ok(program) => program,
        Err(errors) => {
            syntax::report(&spot, text, &errors, diagnostics);
            return None;
        }
    };
    let root = program.expression().clone();
    for id in ids(&root) {
        if let Some((start, stop)) = program.source_info().offset_for(id) {
            spot.info.add_offset(id, start, stop);
        }
    }
    let (parts, depth) = size(&root);
    if parts > MAX_PARTS || depth > MAX_DEPTH {
        diagnostics
            .error(codes::EXPR_TOO_BIG, &node.place, format!("an expression has at most {MAX_PARTS} parts, {MAX_DEPTH} deep; this one has {parts}, {depth} deep"))
            .help("split it: several transitions, or a variable of `context` that holds a part of it");
        return None;
    }
    Some(Parsed { root, spot })
}

impl<'n> Spot<'n> {
    fn new(node: &'n Node, text: &str) -> Self {
        // Whatever the quotes, when the text stands in the file as it is, and once, that is where.
        let raw = node.place.text();
        let base = raw
            .find(text)
            .filter(|first| raw.rfind(text) == Some(*first))
            .map(|first| node.place.span.start + first);
        let bytes = text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .collect();
        Self {
            node,
            base,
            text: text.chars().collect(),
            bytes,
            info: SourceInfo::default(),
        }
    }

    /// The whole expression.
    pub fn all(&self) -> Place {
        self.node.place.clone()
    }

    /// The token a part is known by: an operator, a name, a value.
    pub fn token(&self, id: u64) -> Place {
        self.info.offset_for(id).map_or_else(
            || self.all(),
            |(start, stop)| self.chars(start as usize, stop as usize + 1),
        )
    }

    /// A part with everything in it, brackets included.
    pub fn part(&self, part: &IdedExpr) -> Place {
        let mut reach = (usize::MAX, 0);
        self.reach(part, &mut reach);
        if reach.0 >= reach.1 {
            return self.token(part.id);
        }
        let (start, end) = self.balanced(reach.0, reach.1);
        self.chars(start, end)
    }

    /// The name of a function that is called; CEL knows the call by its `(`.
    pub fn called(&self, part: &IdedExpr, name: &str) -> Place {
        match self.info.offset_for(part.id) {
            Some((open, _)) => {
                let start = self.called_from(open as usize, name);
                self.chars(start, start + name.chars().count())
            }
            None => self.part(part),
        }
    }

    fn called_from(&self, open: usize, name: &str) -> usize {
        let before = self.text.get(..open).unwrap_or(&[]);
        let end = before
            .iter()
            .rposition(|c| !c.is_whitespace())
            .map_or(0, |last| last + 1);
        end.saturating_sub(name.chars().count())
    }

    /// Takes in the brackets that the tree does not tell of, at either end.
    fn balanced(&self, mut start: usize, mut end: usize) -> (usize, usize) {
        let (mut open, mut closed) = (0usize, 0usize);
        let mut quote = None;
        for c in self.text.get(start..end).unwrap_or(&[]) {
            match (quote, c) {
                (Some(within), c) if within == *c => quote = None,
                (None, '\'' | '"') => quote = Some(*c),
                (None, '(' | '[' | '{') => open += 1,
                (None, ')' | ']' | '}') if open > 0 => open -= 1,
                (None, ')' | ']' | '}') => closed += 1,
                _ => {}
            }
        }
        let mut at = end;
        while open > 0 {
            match self.text.get(at) {
                Some(')' | ']' | '}') => (open, end) = (open - 1, at + 1),
                Some(c) if c.is_whitespace() || *c == ',' => {}
                _ => break,
            }
            at += 1;
        }
        let mut at = start;
        while closed > 0 && at > 0 {
            at -= 1;
            match self.text.get(at) {
                Some('(' | '[' | '{') => (closed, start) = (closed - 1, at),
                Some(c) if c.is_whitespace() => {}
                _ => break,
            }
        }
        (start, end)
    }

    /// The name after the dot.
    pub fn field(&self, part: &IdedExpr, field: &str) -> Place {
        match self.info.offset_for(part.id) {
            Some((_, dot)) => {
                self.chars(dot as usize + 1, dot as usize + 1 + field.chars().count())
            }
            None => self.part(part),
        }
    }

    fn reach(&self, part: &IdedExpr, reach: &mut (usize, usize)) {
        if let Some((start, stop)) = self.info.offset_for(part.id) {
            let (start, stop) = (start as usize, stop as usize + 1);
            let (start, stop) = match &part.expr {
                Expr::Select(select) => (start, stop + select.field.chars().count()),
                // CEL knows a call by its `(`; operators have names that begin with a sign.
                Expr::Call(call) if call.func_name.starts_with(|c: char| c.is_alphabetic()) => {
                    (self.called_from(start, &call.func_name), stop)
                }
                _ => (start, stop),
            };
            *reach = (reach.0.min(start), reach.1.max(stop));
        }
        for child in children(part) {
            self.reach(child, reach);
        }
    }

    pub fn chars(&self, start: usize, end: usize) -> Place {
        let Some(base) = self.base else {
            return self.all();
        };
        let byte = |char: usize| {
            self.bytes
                .get(char)
                .or(self.bytes.last())
                .map_or(base, |byte| base + byte)
        };
        Place::new(&self.node.place.source, byte(start), byte(end))
    }
}

fn children(part: &IdedExpr) -> Vec<&IdedExpr> {
    match &part.expr {
        Expr::Call(call) => call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map
            .entries
            .iter()
            .flat_map(|entry| entry_parts(&entry.expr))
            .collect(),
        Expr::Struct(object) => object
            .entries
            .iter()
            .flat_map(|entry| entry_parts(&entry.expr))
            .collect(),
        Expr::Comprehension(_) | Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {
            Vec::new()
        }
    }
}

fn entry_parts(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}

fn ids(root: &IdedExpr) -> Vec<u64> {
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(part) = open.pop() {
        found.push(part.id);
        open.extend(children(part));
    }
    found
}

/// How many parts, and how deep.
fn size(root: &IdedExpr) -> (usize, usize) {
    let (mut parts, mut deepest) = (0, 0);
    let mut open = vec![(root, 1)];
    while let Some((part, depth)) = open.pop() {
        parts += 1;
        deepest = deepest.max(depth);
        open.extend(children(part).into_iter().map(|child| (child, depth + 1)));
    }
    (parts, deepest)
}
