//! `gala serve`: gateway, functions and the store in one process. What a bare `gala` does. With `--function`, the gateway of
//! functions that run elsewhere.

mod elsewhere;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use campaign::tenant::KeySource;
use clap::{Args, ValueEnum};
use function::identity::Ticket;
use function::serve::{
    Process, ServeError, StoreChoice, asked_to_stop, bind, listen, open, stopped as store_stopped,
};
use function::served::{Snapshot, TenantShell};
use function::telemetry::{Format, PrometheusHandle, init_logs, init_metrics};
use gateway::door::{self, Bounds, Elsewhere, Functions};
use machine::luck::NoDraws;
use machine::model::Sender;
use machine::step::Call;
use machine::view::view;
use machine::{Campaign, Millis, Participant, User};

use crate::activities;
use crate::sign::sign;
use elsewhere::{FunctionAt, RouteTo};

/// Who the sample calls are made as.
const SAMPLE_MEMBER: &str = "alice";

/// Serves every tenant and campaign of a configs folder.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// The folder with the tenants and their campaigns
    #[arg(
        long,
        env = "GALA_CONFIGS",
        default_value = "configs",
        value_name = "DIR"
    )]
    pub configs: PathBuf,
    /// The folder of the embedded store; made if it is not there
    #[arg(long, env = "GALA_DATA", default_value = "data", value_name = "DIR")]
    pub data: PathBuf,
    /// A Redis that several processes share, instead of the embedded store: redis://user:password@host:6379/0?replicas=1
    // The address holds a password: neither help nor error repeats it, so it is read later than the others.
    #[arg(long, env = "GALA_STORE", hide_env_values = true, value_name = "URL")]
    pub store: Option<String>,
    /// Where users call
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR")]
    pub listen: SocketAddr,
    /// Where staff call, and metrics are
    #[arg(long, default_value = "127.0.0.1:8081", value_name = "ADDR")]
    pub admin_listen: SocketAddr,
    /// Where the function of an activity runs, when not in this process: several addresses take turns. http://, https:// (with
    /// ?ca=/path/to/ca.pem where its certificate is a private one's) or h2c://; needs --store. Can be given several times
    #[arg(long = "function", value_name = "ACTIVITY=URL[,URL...]", value_parser = elsewhere::read)]
    pub functions: Vec<FunctionAt>,
    /// Below which path a server that is not ours answers, and where it is: one that is to be split, path by path. The longest path
    /// that fits decides; `/` is all that nothing else takes. Can be given several times
    #[arg(long = "route", value_name = "PATH=URL[,URL...]", value_parser = elsewhere::read_route)]
    pub routes: Vec<RouteTo>,
    /// Which addresses of functions are asked each second whether they are ready: all, or only those that did not answer a call,
    /// so that a platform that counts calls sees the users' alone
    #[arg(long, value_enum, default_value_t = elsewhere::AskFunctions::Always, value_name = "WHEN")]
    pub ask_functions: elsewhere::AskFunctions,
    /// How the log on stderr is written
    #[arg(long, value_enum, default_value_t = Log::Text)]
    pub log: Log,
    /// Log one in N of the calls that went well (0: none); those that failed on our side are always logged
    #[arg(long, default_value_t = function::serve::ACCESS_LOG_EVERY, value_name = "N")]
    pub access_log_every: u32,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Log {
    /// For people.
    Text,
    /// For machines: a JSON object a line.
    Json,
}

/// Serves until it is asked to stop.
pub fn run(serve: &Serve) -> Result<(), ServeError> {
    let format = if serve.log == Log::Json {
        Format::Json
    } else {
        Format::Text
    };
    let level = std::env::var("GALA_LOG").unwrap_or_else(|_| "info".to_owned());
    if let Err(error) = init_logs(format, &level) {
        eprintln!("the log could not be started: {error}");
    }
    let metrics = init_metrics().map_err(std::io::Error::other)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve_all(serve, metrics))
}

async fn serve_all(serve: &Serve, metrics: PrometheusHandle) -> Result<(), ServeError> {
    let choice = StoreChoice::of(serve.store.as_deref(), &serve.data)?;
    let elsewhere = Elsewhere {
        functions: elsewhere::start(&serve.functions, serve.ask_functions, &choice)?,
        routes: elsewhere::start_routes(&serve.routes)?,
    };
    let process = open(&serve.configs, &choice, &activities::ALL, true).await?;
    for diagnostic in &process.report.diagnostics {
        if diagnostic.severity == campaign::Severity::Error {
            eprintln!("{:?}", miette::Report::new(diagnostic.clone()));
        }
    }
    for problem in &process.report.problems {
        tracing::error!("{problem}");
    }
    for differs in &process.report.differs {
        tracing::info!("{differs}");
    }
    process.spawn_background();
    tokio::spawn(upkeep(metrics.clone()));

    let asked = asked_to_stop(process.store.clone());
    let public = bind(serve.listen).await?;
    let admin = bind(serve.admin_listen).await?;
    let functions: Functions = activities::ALL
        .iter()
        .map(|activity| {
            let shell = process.shell(Some(activity.id()), serve.access_log_every);
            (activity.id(), function::http::Function::new(shell))
        })
        .collect();
    let listed = elsewhere::listed(&elsewhere);
    let door = door::router_to(
        process.registry.clone(),
        functions,
        elsewhere,
        Bounds::default(),
    );
    let desk = gateway::admin::router(gateway::admin::Desk::new(
        process.registry.clone(),
        process.store.clone(),
        Some(metrics),
    ));

    let (listening, admin_listening) = (public.local_addr()?, admin.local_addr()?);
    eprint!(
        "{}",
        welcome(
            serve,
            &choice,
            &process,
            (listening, admin_listening),
            &listed
        )
    );
    let store = process.store.clone();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        asked.await;
        let _ = stop.send(true);
    });
    let wait = |mut stopped: tokio::sync::watch::Receiver<bool>| async move {
        // The sender lives as long as the wait does; an error means that it is over, too.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let (served, desk) = tokio::join!(
        listen(public, door, wait(stopped.clone())),
        listen(admin, desk, wait(stopped)),
    );
    served?;
    desk?;
    match store_stopped(&*store) {
        Some(why) => Err(ServeError::Stopped(why)),
        None => Ok(()),
    }
}

async fn upkeep(metrics: PrometheusHandle) {
    let mut every = tokio::time::interval(std::time::Duration::from_secs(5));
    loop {
        every.tick().await;
        metrics.run_upkeep();
    }
}

/// What a person needs to begin: the addresses, a token, three calls that work when pasted.
fn welcome(
    serve: &Serve,
    choice: &StoreChoice,
    process: &Process,
    (public, admin): (SocketAddr, SocketAddr),
    elsewhere: &[String],
) -> String {
    let snapshot = process.registry.snapshot();
    let mut page = String::new();
    let campaigns: usize = snapshot
        .tenants
        .values()
        .map(|tenant| tenant.campaigns.len())
        .sum();
    let loaded = format!(
        "{campaigns} campaigns of {} tenants from {}",
        snapshot.tenants.len(),
        serve.configs.display()
    );
    // Writing to a string does not fail.
    let _ = writeln!(
        page,
        "\ngala {} serves {loaded}, kept in {choice}",
        env!("CARGO_PKG_VERSION"),
    );
    let _ = writeln!(
        page,
        "  users   http://{public}/v1/<tenant>/<campaign>   (API: http://{public}/openapi.json)"
    );
    let _ = writeln!(
        page,
        "  staff   http://{admin}/admin/v1/<tenant>/...   (metrics: http://{admin}/metrics)"
    );
    for function in elsewhere {
        let _ = writeln!(page, "  {function}");
    }
    let Some(samples) = Samples::of(&snapshot) else {
        let _ = writeln!(
            page,
            "\nNo campaign is open to everyone right now; `gala check {}` says more.\n",
            serve.configs.display()
        );
        return page;
    };
    let Some(token) = token(&serve.configs, &snapshot, &samples.tenant) else {
        let _ = writeln!(
            page,
            "\nTenant `{}` signs its own tokens; bring one to call.\n",
            samples.tenant
        );
        return page;
    };
    let _ = writeln!(
        page,
        "\nTry it (the token is user `alice` of `{}`, good for a day):\n",
        samples.tenant
    );
    let _ = writeln!(page, "  TOKEN={token}");
    for (number, (campaign, event)) in samples.calls.iter().enumerate() {
        let _ = writeln!(
            page,
            "  curl -s -X POST -H \"Authorization: Bearer $TOKEN\" -H 'Idempotency-Key: try-{}' 'http://{public}/v1/{}/{campaign}/events/{event}?lang=en'",
            number + 1,
            samples.tenant,
        );
    }
    let _ = writeln!(
        page,
        "\nThe same key again gives the same answer; Ctrl-C stops, and nothing that was answered is lost.\n"
    );
    page
}

/// Up to three calls that any signed-in user of one tenant can make with an empty body.
struct Samples {
    tenant: String,
    calls: Vec<(String, String)>,
}

impl Samples {
    const MOST: usize = 3;

    /// Those of the tenant that has most, the first in the alphabet of several; one of each activity before a second.
    fn of(snapshot: &Snapshot) -> Option<Self> {
        let mut names: Vec<&String> = snapshot.tenants.keys().collect();
        names.sort();
        let found = names.into_iter().map(|name| Self {
            tenant: name.clone(),
            calls: calls(snapshot, name),
        });
        let best = found.fold(None, |best: Option<Self>, next| match best {
            Some(best) if best.calls.len() >= next.calls.len() => Some(best),
            _ => Some(next),
        });
        best.filter(|best| !best.calls.is_empty())
    }
}

fn calls(snapshot: &Snapshot, tenant: &str) -> Vec<(String, String)> {
    let Some(shell) = snapshot.tenants.get(tenant) else {
        return Vec::new();
    };
    let now = chrono::Utc::now().timestamp_millis();
    let mut open: Vec<(Arc<str>, String, String)> = Vec::new();
    for (id, served) in &shell.campaigns {
        let Some(campaign) = served.newest().filter(|_| served.pause.is_none()) else {
            continue;
        };
        if let Some(event) = easy_event(shell, campaign, now) {
            open.push((campaign.activity.clone(), id.clone(), event));
        }
    }
    // The plain activities before `custom`: their names come later in the alphabet.
    open.sort_by(|one, two| two.0.cmp(&one.0).then(one.1.cmp(&two.1)));
    let mut seen: Vec<Arc<str>> = Vec::new();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for (activity, campaign, event) in open {
        let known = seen.contains(&activity);
        seen.push(activity);
        if known {
            second.push((campaign, event));
        } else {
            first.push((campaign, event));
        }
    }
    first
        .into_iter()
        .chain(second)
        .take(Samples::MOST)
        .collect()
}

/// An event that newcomer `alice` can send right now with an empty body.
fn easy_event(shell: &TenantShell, campaign: &Campaign, now: Millis) -> Option<String> {
    let (participant, user) = (
        Participant::new(campaign, now),
        User::nobody(&campaign.claims),
    );
    let facts = shell.facts(campaign, SAMPLE_MEMBER, &function::lists::Listed::default());
    let call = Call {
        campaign,
        participant: &participant,
        user: &user,
        sender: Sender::User,
        event: None,
        facts: &facts,
        now,
        rehearsal: false,
        draws: &NoDraws,
        exhausted: &[],
    };
    let seen = view(&call).ok()?;
    let mut possible = seen.events.iter().filter(|event| event.no.is_none());
    possible.find_map(|possible| {
        let event = campaign.events.get(usize::from(possible.event))?;
        event
            .payload
            .iter()
            .all(|field| field.default.is_some())
            .then(|| event.name.to_string())
    })
}

/// A token of user `alice`, where the tenant has a development key.
fn token(configs: &Path, snapshot: &Arc<Snapshot>, tenant: &str) -> Option<String> {
    let shell = snapshot.tenants.get(tenant)?;
    let dev = shell
        .tenant
        .keys
        .iter()
        .filter(|key| key.source == KeySource::Dev);
    let ticket = Ticket {
        ttl_secs: 24 * 3600,
        ..Ticket::user(tenant, SAMPLE_MEMBER)
    };
    sign(configs, tenant, &dev.cloned().collect::<Vec<_>>(), &ticket).ok()
}
