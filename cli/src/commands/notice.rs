//! `gala notice`: what users are told while a campaign goes on.

use clap::Args;
use serde_json::{Map, Value as Json, json};

use crate::change::Change;
use crate::failure::Failure;
use crate::out::Out;

/// Tells a campaign's users something, on its page and in their view, without stopping it
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["text", "none"]))]
pub struct Notice {
    /// The words in a language: zh-CN=发货推迟; once for each language
    #[arg(long, value_name = "LANG=WORDS")]
    pub text: Vec<String>,
    /// Nothing any more
    #[arg(long)]
    pub none: bool,
    /// Until when: 2026-12-01T10:00:00+08:00
    #[arg(long, value_name = "TIME", conflicts_with = "none")]
    pub until: Option<String>,
    /// Of which campaign
    #[command(flatten)]
    pub change: Change,
}

/// Tells it.
pub fn run(args: &Notice, out: Out) -> Result<(), Failure> {
    let mut text = Map::new();
    for said in &args.text {
        let Some((language, words)) = said.split_once('=') else {
            return Err(Failure::usage(format!(
                "`{said}` names no language: en=words"
            )));
        };
        text.insert(language.to_owned(), Json::from(words));
    }
    let text = (!args.none).then_some(text);
    let done = args
        .change
        .make("notice", &json!({ "text": text, "until": args.until }))?;
    if out.json {
        return out.value(&done);
    }
    let word = match (done["audit"].is_null(), args.none) {
        (true, _) => "as it was".to_owned(),
        (false, true) => format!("no notice any more (audit entry {})", done["audit"]),
        (false, false) => format!("users are told (audit entry {})", done["audit"]),
    };
    out.line(format!(
        "{}/{}: {word}",
        args.change.tenant, args.change.campaign
    ))
}
