//! From text to tree: the YAML parser's events, within a budget.
//!
//! Anchors, aliases, merge keys, tags and second documents are refused: a campaign file says each thing where it
//! stands, and what is refused can't blow up.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_saphyr::granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, options};

use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::document::{Entry, Kind, Node, syntax};
use crate::source::{Place, Source};

/// The longest file, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting.
pub const MAX_DEPTH: usize = 64;
/// The most values and keys.
pub const MAX_NODES: usize = 20_000;

/// Reads a file into a tree. Nothing comes back only after an error was reported.
pub fn parse(source: &Arc<Source>, diagnostics: &mut Diagnostics) -> Option<Node> {
    if source.text().len() > MAX_BYTES {
        diagnostics.error(
            codes::TOO_BIG,
            &Place::start_of(source),
            "the file is larger than 1 MiB",
        );
        return None;
    }
    let mut builder = Builder {
        source,
        diagnostics,
        open: Vec::new(),
        root: None,
        nodes: 0,
    };
    match builder.run() {
        Ok(()) => {}
        Err(Stop::Reported) => return None,
        Err(Stop::Scan(error)) => {
            syntax::report(source, &error, diagnostics);
            return None;
        }
    }
    let Builder {
        root, diagnostics, ..
    } = builder;
    match root {
        Some(Node {
            kind: Kind::Null, ..
        })
        | None => {
            diagnostics
                .error(codes::EMPTY, &Place::start_of(source), "the file is empty")
                .help("a file of `key: value` lines is expected here");
            None
        }
        root => root,
    }
}

enum Stop {
    /// It was said already why.
    Reported,
    /// The parser gave up.
    Scan(ScanError),
}

/// A list or map that is still open.
struct Open {
    start: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        key: Option<Node>,
        seen: BTreeMap<String, Place>,
    },
}

struct Builder<'a> {
    source: &'a Arc<Source>,
    diagnostics: &'a mut Diagnostics,
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
}

impl Builder<'_> {
    fn run(&mut self) -> Result<(), Stop> {
        let options = options! { emit_comments: false, emit_unresolved_aliases: true };
        let source = Arc::clone(self.source);
        let mut documents = 0;
        for next in Parser::new_from_str_with_options(source.text(), options) {
            let (event, span) = next.map_err(Stop::Scan)?;
            match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 {
                        return Err(self.unsupported(
                            &self.place(&span),
                            "a second document begins here (`---`)",
                            "one file is one campaign: put it into a file of its own",
                        ));
                    }
                }
                Event::Alias(_) | Event::UnresolvedAlias(_) => {
                    return Err(self.unsupported(
                        &self.place(&span),
                        "aliases (`*name`) are not supported in campaign files",
                        "write the value out; a text that begins with `*` needs quotes",
                    ));
                }
                Event::Scalar(text, style, anchor, tag) => {
                    self.plain_node(&span, anchor, tag.is_some())?;
                    let place = self.place(&span);
                    let plain = style == ScalarStyle::Plain;
                    let kind = if plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL") {
                        Kind::Null
                    } else {
                        Kind::Scalar {
                            text: text.into_owned(),
                            quoted: !plain,
                        }
                    };
                    self.put(Node { place, kind })?;
                }
                Event::SequenceStart(_, anchor, tag) => {
                    self.plain_node(&span, anchor, tag.is_some())?;
                    self.enter(&span, Content::List(Vec::new()))?;
                }
                Event::MappingStart(_, anchor, tag) => {
                    self.plain_node(&span, anchor, tag.is_some())?;
                    self.enter(
                        &span,
                        Content::Map {
                            entries: Vec::new(),
                            key: None,
                            seen: BTreeMap::new(),
                        },
                    )?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.leave(&span)?,
                // Where documents and the stream begin and end, and comments, which are off.
                _ => {}
            }
        }
        Ok(())
    }

    /// Counts a node and refuses what no node may carry.
    fn plain_node(&mut self, span: &Span, anchor: usize, tagged: bool) -> Result<(), Stop> {
        self.nodes += 1;
        let place = self.place(span);
        if self.nodes > MAX_NODES {
            self.diagnostics.error(
                codes::TOO_BIG,
                &place,
                format!("the file has more than {MAX_NODES} values"),
            );
            return Err(Stop::Reported);
        }
        if anchor != 0 {
            return Err(self.unsupported(
                &place,
                "anchors (`&name`) are not supported in campaign files",
                "drop the anchor; a text that begins with `&` needs quotes",
            ));
        }
        if tagged {
            let tag = span.tag_span().map_or(place, |tag| self.place(&tag));
            return Err(self.unsupported(
                &tag,
                "tags (`!name`) are not supported in campaign files",
                "drop the tag; a text that begins with `!`, as an expression may, needs quotes",
            ));
        }
        Ok(())
    }

    fn unsupported(&mut self, place: &Place, message: &str, help: &str) -> Stop {
        self.diagnostics
            .error(codes::NOT_SUPPORTED, place, message)
            .help(help);
        Stop::Reported
    }

    fn enter(&mut self, span: &Span, content: Content) -> Result<(), Stop> {
        let place = self.place(span);
        if self.open.len() >= MAX_DEPTH {
            self.diagnostics.error(
                codes::TOO_BIG,
                &place,
                format!("the file is nested deeper than {MAX_DEPTH} levels"),
            );
            return Err(Stop::Reported);
        }
        if let Some(Open {
            content: Content::Map { key: None, .. },
            ..
        }) = self.open.last()
        {
            self.diagnostics
                .error(
                    codes::KEY_NOT_PLAIN,
                    &place,
                    "a key must be a single word, this is a list or a map",
                )
                .help("a text that begins with `{` or `[` needs quotes");
            return Err(Stop::Reported);
        }
        self.open.push(Open {
            start: place.span.start,
            content,
        });
        Ok(())
    }

    fn leave(&mut self, span: &Span) -> Result<(), Stop> {
        let Some(Open { start, content }) = self.open.pop() else {
            return Ok(());
        };
        let end = self.place(span).span.end;
        let kind = match content {
            Content::List(items) => Kind::List(items),
            Content::Map { entries, .. } => Kind::Map(entries),
        };
        // A block ends where the next thing begins; what lies between is blank or comment.
        let source = self.source;
        let last = match &kind {
            Kind::List(items) => items.last().map(|item| item.place.span.end),
            Kind::Map(entries) => entries
                .last()
                .map(|entry| entry.value.place.span.end.max(entry.key.place.span.end)),
            Kind::Null | Kind::Scalar { .. } => None,
        };
        let closed = source
            .text()
            .get(..end)
            .is_some_and(|text| text.ends_with([']', '}']));
        let end = if closed { end } else { last.unwrap_or(end) };
        self.put(Node {
            place: Place::new(source, start, end),
            kind,
        })
    }

    /// Puts a finished node where it belongs: into the list or map around it, as key or as value.
    fn put(&mut self, node: Node) -> Result<(), Stop> {
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, key, .. }) => match key.take() {
                Some(key) => entries.push(Entry { key, value: node }),
                None => return self.key(node),
            },
        }
        Ok(())
    }

    /// Makes a finished node the key of the map that is open.
    fn key(&mut self, node: Node) -> Result<(), Stop> {
        let (name, quoted) = match node.kind {
            Kind::Scalar { text, quoted } => (text, quoted),
            // `null:` and `~:` are keys like any other word; an empty key is none.
            Kind::Null | Kind::List(_) | Kind::Map(_) => (node.place.text().to_owned(), false),
        };
        if name.is_empty() {
            self.diagnostics.error(
                codes::SYNTAX,
                &node.place,
                "a key is missing before this `:`",
            );
            return Err(Stop::Reported);
        }
        if name == "<<" && !quoted {
            return Err(self.unsupported(
                &node.place,
                "merge keys (`<<`) are not supported in campaign files",
                "write the keys out",
            ));
        }
        if let Some(Content::Map { key, seen, .. }) =
            self.open.last_mut().map(|open| &mut open.content)
        {
            if let Some(first) = seen.get(&name) {
                self.diagnostics
                    .error(
                        codes::DUPLICATE_KEY,
                        &node.place,
                        format!("the key `{name}` stands here a second time"),
                    )
                    .related(first, "first here");
            } else {
                seen.insert(name.clone(), node.place.clone());
            }
            *key = Some(Node {
                place: node.place,
                kind: Kind::Scalar { text: name, quoted },
            });
        }
        Ok(())
    }

    fn place(&self, span: &Span) -> Place {
        let start = byte(self.source, &span.start);
        let end = byte(self.source, &span.end);
        Place::new(self.source, start, end)
    }
}

/// The byte of a marker, never within a character.
pub(super) fn byte(source: &Source, marker: &Marker) -> usize {
    source.boundary(marker.byte_offset().unwrap_or(source.text().len()))
}
