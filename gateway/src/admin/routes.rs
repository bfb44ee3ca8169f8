//! The routes of the admin API and who may use them: the one table.

use function::identity::Role;

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Lists the tenant's campaigns.
    Campaigns,
    /// Figures of one campaign.
    Stats,
    /// Its draw from entries.
    Raffle,
    /// Lists its revisions.
    Revisions,
    /// One revision's definition, byte for byte.
    Revision,
    /// The secret of its draws, once it is no secret any more.
    Seed,
    /// Its ledger.
    Ledger,
    /// What staff did.
    Audit,
    /// One user across campaigns.
    History,
    /// More units of a reward, or fewer.
    Stock,
    /// Gives nothing of a reward any more.
    StopReward,
    /// Gives it again.
    StartReward,
    /// Stops all of the tenant's campaigns.
    PauseTenant,
    /// Ends that.
    ResumeTenant,
    /// Keeps a user from taking part.
    Block,
    /// Ends that.
    Unblock,
    /// Gives a reward by hand.
    Grant,
    /// Holds a grant.
    Hold,
    /// Lets a held grant go on.
    Release,
    /// Takes a grant back.
    Void,
    /// What a campaign comes to, reward by reward.
    Settlement,
    /// What users are told.
    Notice,
    /// Stops it.
    Pause,
    /// Ends a stop.
    Resume,
    /// Moves the test lane's clock.
    MoveClock,
    /// Copies the store into an empty folder.
    Backup,
    /// What a publish would do.
    Check,
    /// Makes a checked file the next revision.
    Publish,
    /// Makes an earlier revision the next one.
    Rollback,
    /// Removes an edition for good.
    Purge,
    /// Works the books out again.
    Reconcile,
    /// Lists the events that could not be delivered.
    Parked,
    /// One of them, with what it says.
    ParkedEvent,
    /// Tells one of them again.
    RetryParked,
    /// Gives one of them up.
    DropParked,
    /// A campaign's draft, and what is live.
    Draft,
    /// Writes the draft.
    SaveDraft,
    /// Drops it.
    DropDraft,
    /// Approves of it.
    ApproveDraft,
    /// Asks for changes of it.
    ObjectDraft,
    /// Takes back that it is published at a time.
    CancelPublish,
    /// Plays it with invented people.
    Simulate,
    /// Gives a released revision another share of the users.
    Share,
    /// Lists the tenant's lists of members.
    Lists,
    /// Puts one of them.
    PutList,
    /// Takes one away.
    DropList,
    /// Makes a link into the test lane.
    Preview,
    /// Lists the tenant's pools of codes.
    Pools,
    /// Puts codes into one of them.
    PutCodes,
}

impl Deed {
    /// Whether the body is a file, which is read as it comes.
    pub const fn takes_file(self) -> bool {
        matches!(self, Self::PutList | Self::PutCodes)
    }

    /// The largest body, in bytes.
    pub const fn body_bytes(self) -> usize {
        match self {
            // As text in JSON it is longer than it is.
            Self::SaveDraft => 2 * super::DOCUMENT_BYTES + super::POSTERS_BYTES,
            Self::Publish | Self::Check => super::DOCUMENT_BYTES + super::POSTERS_BYTES,
            Self::Simulate => super::DOCUMENT_BYTES,
            _ => super::BODY_BYTES,
        }
    }
}

/// How a route is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Changes nothing.
    Get,
    /// Carries a body; where it changes something it takes an `Idempotency-Key`.
    Post,
    /// Carries a body, or a file, that takes the place of what is there; takes an `Idempotency-Key`.
    Put,
    /// Carries none; takes an `Idempotency-Key`.
    Delete,
}

impl Verb {
    /// The method's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// A route.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// How it is called.
    pub verb: Verb,
    /// Its path, as the router takes it.
    pub path: &'static str,
    /// What it does.
    pub deed: Deed,
    /// Who may.
    pub roles: &'static [Role],
}

use Role::{Editor, Finance, Publisher, Risk, Support};

const EVERYONE: &[Role] = &Role::ALL;

/// Who may say that a change is good: whoever answers for its words, its money or its abuse.
const REVIEWERS: &[Role] = &[Finance, Risk, Editor, Publisher];

/// All routes that need a token. A user's history and the ledger tell what single people did, so only those see them
/// who answer users, look into abuse, or close the books. The seed lets anyone check all draws, and before its time
/// would let them foresee all: it is for those who prove the draws.
pub const ROUTES: &[Route] = &[
    get("/admin/v1/{tenant}/campaigns", Deed::Campaigns, EVERYONE),
    get(
        "/admin/v1/{tenant}/campaigns/{campaign}/stats",
        Deed::Stats,
        EVERYONE,
    ),
    get(
        "/admin/v1/{tenant}/campaigns/{campaign}/raffle",
        Deed::Raffle,
        &[Support, Finance],
    ),
    get(
        "/admin/v1/{tenant}/campaigns/{campaign}/revisions",
        Deed::Revisions,
        EVERYONE,
    ),
    get(
        "/admin/v1/{tenant}/campaigns/{campaign}/revisions/{revision}",
        Deed::Revision,
        EVERYONE,
    ),
    get(
        "/admin/v1/{tenant}/campaigns/{campaign}/seed",
        Deed::Seed,
        &[Finance, Publisher],
    ),
    get(
        "/admin/v1/{tenant}/ledger",
        Deed::Ledger,
        &[Support, Finance],
    ),
    get("/admin/v1/{tenant}/audit", Deed::Audit, &[Finance]),
    get(
        "/admin/v1/{tenant}/users/{user}",
        Deed::History,
        &[Support, Risk],
    ),
    // Who is meant stands in what a parked event says, and may stand in why it was refused. To tell it again may give rewards.
    get(
        "/admin/v1/{tenant}/parked",
        Deed::Parked,
        &[Support, Publisher],
    ),
    get(
        "/admin/v1/{tenant}/parked/{id}",
        Deed::ParkedEvent,
        &[Support, Publisher],
    ),
    post(
        "/admin/v1/{tenant}/parked/{id}/retry",
        Deed::RetryParked,
        &[Publisher],
    ),
    post(
        "/admin/v1/{tenant}/parked/{id}/drop",
        Deed::DropParked,
        &[Publisher],
    ),
    post(
        "/admin/v1/{tenant}/campaigns/{campaign}/stock",
        Deed::Stock,
        &[Publisher],
    ),
    // Whoever sees abuse may stop it; that it goes on is for those to say who published it.
    post(
        "/admin/v1/{tenant}/campaigns/{campaign}/rewards/{reward}/stop",
        Deed::StopReward,
        &[Risk, Publisher],
    ),
    post(
        "/admin/v1/{tenant}/campaigns/{campaign}/rewards/{reward}/start",
        Deed::StartReward,
        &[Publisher],
    ),
    post("/admin/v1/{tenant}/pause", Deed::PauseTenant, &[Publisher]),
    post(
        "/admin/v1/{tenant}/resume",
        Deed::ResumeTenant,
        &[Publisher],
    ),
    post(
        "/admin/v1/{tenant}/users/{user}/block",
        Deed::Block,
        &[Support, Risk],
    ),
    post(
        "/admin/v1/{tenant}/users/{user}/unblock",
        Deed::Unblock,
        &[Support, Risk],
    ),
    post(
        "/admin/v1/{tenant}/users/{user}/grants",
        Deed::Grant,
        &[Support],
    ),
    post(
        "/admin/v1/{tenant}/users/{user}/grants/{id}/hold",
        Deed::Hold,
        &[Finance, Risk],
    ),
    post(
        "/admin/v1/{tenant}/users/{user}/grants/{id}/release",
        Deed::Release,
        &[Finance, Risk],
    ),
    post(
        "/admin/v1/{tenant}/users/{user}/grants/{id}/void",
        Deed::Void,
        &[Finance, Risk],
    ),
    get(
        "/admin/v1/{tenant}/campaigns/{campaign}/settlement",
        Deed::Settlement,
        &[Finance],
    ),
    post(
        "/admin/v1/{tenant}/campaigns/{campaign}/notice",
        Deed::Notice,
        &[Publisher],
    ),
    post(
        "/admin/v1/{tenant}/campaigns/{campaign}/pause",
        Deed::Pause,
        &[Publisher],
    ),
    post(
        "/admin/v1/{tenant}/campaigns/{campaign}/resume",
        Deed::Resume,
        &[Publisher],
    ),
    post(
        "/admin/v1/{tenant}/campaigns/{campaign}/clock",
        Deed::MoveClock,
        &[Publisher],
    ),
    get(
        "/admin/v1/{tenant}/campaigns/{campaign}/reconcile",
        Deed::Reconcile,
        &[Finance],
    ),
    post(
        "/admin/v1/{tenant}/campaigns/{campaign}/preview",
        Deed::Preview,
        &[Editor, Publisher],
    ),
    post(
        "/admin/v1/{tenant}/campaigns/{campaign}/check",
        Deed::Check,
        EVERYONE,
    ),
    post(
        "/admin/v1/{tenant}/campaigns/{campaign}/publish",
        Deed::Publish,
        &[Publisher],
    ),
    post(
        "/admin/v1/{tenant}/campaigns/{campaign}/share",
        Deed::Share,
        &[Publisher],
    ),
    post(
        "/admin/v1/{tenant}/campaigns/{campaign}/rollback",
        Deed::Rollback,
        &[Publisher],
    ),
    post(
        "/admin/v1/{tenant}/campaigns/{campaign}/purge",
        Deed::Purge,
        &[Publisher],
    ),
    get(
        "/admin/v1/{tenant}/campaigns/{campaign}",
        Deed::Draft,
        EVERYONE,
    ),
    route(
        Verb::Put,
        "/admin/v1/{tenant}/campaigns/{campaign}",
        Deed::SaveDraft,
        &[Editor, Publisher],
    ),
    route(
        Verb::Delete,
        "/admin/v1/{tenant}/campaigns/{campaign}",
        Deed::DropDraft,
        &[Editor, Publisher],
    ),
    post(
        "/admin/v1/{tenant}/campaigns/{campaign}/approve",
        Deed::ApproveDraft,
        REVIEWERS,
    ),
    post(
        "/admin/v1/{tenant}/campaigns/{campaign}/object",
        Deed::ObjectDraft,
        REVIEWERS,
    ),
    route(
        Verb::Delete,
        "/admin/v1/{tenant}/campaigns/{campaign}/schedule",
        Deed::CancelPublish,
        &[Publisher],
    ),
    post(
        "/admin/v1/{tenant}/campaigns/{campaign}/simulate",
        Deed::Simulate,
        EVERYONE,
    ),
    get("/admin/v1/{tenant}/lists", Deed::Lists, EVERYONE),
    route(
        Verb::Put,
        "/admin/v1/{tenant}/lists/{list}",
        Deed::PutList,
        &[Editor, Publisher, Risk],
    ),
    post(
        "/admin/v1/{tenant}/lists/{list}/drop",
        Deed::DropList,
        &[Editor, Publisher, Risk],
    ),
    get("/admin/v1/{tenant}/codes", Deed::Pools, EVERYONE),
    // A code is worth what it is for: whoever may put them may publish what gives them.
    post(
        "/admin/v1/{tenant}/codes/{pool}",
        Deed::PutCodes,
        &[Editor, Publisher],
    ),
    // All tenants' data is in a backup: a publisher of any of them may have one made, but only from the machine itself,
    // where whoever can read the copy can read the store.
    post("/admin/v1/backup", Deed::Backup, &[Publisher]),
];

const fn get(path: &'static str, deed: Deed, roles: &'static [Role]) -> Route {
    route(Verb::Get, path, deed, roles)
}

const fn post(path: &'static str, deed: Deed, roles: &'static [Role]) -> Route {
    route(Verb::Post, path, deed, roles)
}

const fn route(verb: Verb, path: &'static str, deed: Deed, roles: &'static [Role]) -> Route {
    Route {
        verb,
        path,
        deed,
        roles,
    }
}
