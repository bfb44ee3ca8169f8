//! `gala status`: what goes on now, campaign by campaign.

use std::io::IsTerminal as _;
use std::time::Duration;

use campaign::Language;
use chrono::{SecondsFormat, Utc};
use clap::Args;
use serde_json::json;

use crate::api::Server;
use crate::failure::Failure;
use crate::out::{self, Out};
use crate::sign;
use crate::speak::Speak;
use crate::watching::Watch;
use crate::watching::figures::Campaign;
use crate::watching::screen::Screen;
use crate::watching::table::table;

/// Shows what goes on now: pace, refusals, stock with time left, budget against plan
#[derive(Debug, Args)]
pub struct Status {
    /// The tenant's id; without it all tenants of the configs folder
    pub tenant: Option<String>,
    /// Shows it once, as lines, and ends
    #[arg(long)]
    pub once: bool,
    /// How often to look, in seconds
    #[arg(long, value_name = "SECS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub every: u64,
    /// Where the server is; calls, grants and refusals are those of this one process
    #[command(flatten)]
    pub server: Server,
    #[command(flatten)]
    pub speak: Speak,
}

/// Shows.
pub fn run(args: &Status, out: Out) -> Result<(), Failure> {
    let tenants = match &args.tenant {
        Some(tenant) => vec![tenant.clone()],
        None => sign::tenants(&args.server.configs)?,
    };
    if tenants.is_empty() {
        return Err(Failure::usage(format!(
            "there is no tenant in {}",
            args.server.configs.display()
        )));
    }
    let mut watch = Watch::new(&tenants, &args.server)?;
    let language = match args.speak.language(out) {
        Language::English => "en",
        Language::Chinese => "zh-CN",
    };
    let every = Duration::from_secs(args.every);
    let mut seen = watch.look()?;
    if args.once {
        // A pace takes two looks.
        std::thread::sleep(every);
        return show(&watch.look()?, language, out);
    }
    if out.json || !std::io::stdout().is_terminal() || !out::is_coloured() {
        loop {
            std::thread::sleep(every);
            show(&watch.look()?, language, out)?;
        }
    }
    let screen = Screen::enter()?;
    let mut trouble = None;
    loop {
        let mut lines = vec![head(), String::new()];
        lines.extend(table(&seen, language));
        lines.extend(
            trouble
                .take()
                .map(|failure: Failure| format!("\n{}", failure.message)),
        );
        screen.draw(&lines)?;
        if screen.asked_to_stop_within(every) {
            drop(screen);
            // What was last seen stays to be read.
            return show(&seen, language, out);
        }
        // A server that is away for a moment ends no watch.
        match watch.look() {
            Ok(now) => seen = now,
            Err(failure) => trouble = Some(failure),
        }
    }
}

fn head() -> String {
    format!(
        "{}   Ctrl-C ends",
        Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true)
    )
}

fn show(campaigns: &[Campaign], language: &str, out: Out) -> Result<(), Failure> {
    if out.json {
        let tick = json!({
            "at": Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
            "campaigns": campaigns,
        });
        return out.line(tick.to_string());
    }
    for line in table(campaigns, language) {
        out.line(line)?;
    }
    Ok(())
}
