//! The keys of a `tenant.yaml`.

use crate::document::{Key, Keys, Shape};
use crate::tenant::connectors::CONNECTOR;
use crate::tenant::posters::POSTERS;

pub(super) const ALGS: [&str; 3] = ["HS256", "EdDSA", "RS256"];
pub(super) const TYPES: [&str; 8] = [
    "int", "bool", "string", "list", "strings", "date", "time", "duration",
];
pub(super) const DURABILITIES: [&str; 2] = ["strict", "standard"];

/// The keys of a `tenant.yaml`.
pub static KEYS: Keys = Keys {
    name: "tenant",
    doc: "A tenant: a business line with its own campaigns, keys and quotas.",
    keys: &[
        Key::required("name", Shape::Text, "What people call it."),
        Key::optional(
            "organizer",
            Shape::Text,
            "Who runs its campaigns; shown to users. Default: the name.",
        ),
        Key::required(
            "timezone",
            Shape::Timezone,
            "The timezone of campaigns that name none.",
        ),
        Key::optional(
            "currency",
            Shape::Either(&[Shape::String, Shape::Keys(&CURRENCY)]),
            "What money is counted in: an ISO 4217 code. Default: CNY.",
        ),
        Key::optional(
            "languages",
            Shape::List(&Shape::String),
            "The languages of texts, the default first. Default: [en].",
        ),
        Key::optional(
            "law",
            Shape::String,
            "The country whose law applies: `CN` adds what the check wants of campaigns there.",
        ),
        Key::optional(
            "archive",
            Shape::String,
            "How long an edition's books are kept after its last claim: `2 years` unless said, or `900 days`.",
        ),
        Key::optional(
            "keys",
            Shape::List(&Shape::Keys(&KEY)),
            "What users' tokens are checked with.",
        ),
        Key::optional(
            "admin_keys",
            Shape::List(&Shape::Keys(&KEY)),
            "What admins' tokens are checked with; none of the users' keys.",
        ),
        Key::optional(
            "service_keys",
            Shape::List(&Shape::Keys(&KEY)),
            "What the tenant's back ends sign with.",
        ),
        Key::optional(
            "claims",
            Shape::MapOf(&Shape::Either(&[Shape::OneOf(&TYPES), Shape::Keys(&CLAIM)])),
            "What a token may say about its user: `user.<claim>` in expressions.",
        ),
        Key::optional(
            "origins",
            Shape::List(&Shape::String),
            "Web origins that may call from a browser.",
        ),
        Key::optional(
            "trusted_proxies",
            Shape::List(&Shape::String),
            "Addresses and networks whose `X-Forwarded-For` is believed.",
        ),
        Key::optional(
            "quotas",
            Shape::Keys(&QUOTAS),
            "How often the tenant and each of its users may call.",
        ),
        Key::optional(
            "connectors",
            Shape::MapOf(&Shape::Keys(&CONNECTOR)),
            "Who hands rewards over and who is asked for facts, by name; `manual` is always there.",
        ),
        Key::optional(
            "durability",
            Shape::OneOf(&DURABILITIES),
            "What an answer promises where there is neither stock nor a budget. Default: standard.",
        ),
        Key::optional(
            "review",
            Shape::Keys(&REVIEW),
            "Who must look at a change before it is published. Default: nobody.",
        ),
        Key::optional(
            "posters",
            Shape::Keys(&POSTERS),
            "What its campaigns' posters may use: hosts of pictures, fonts, a store for what was drawn.",
        ),
    ],
};

pub(super) static REVIEW: Keys = Keys {
    name: "review",
    doc: "Who must look at a change before it is published.",
    keys: &[Key::required(
        "approvals",
        Shape::Int(0, 10),
        "How many people other than its authors must approve a draft.",
    )],
};

pub(super) static CURRENCY: Keys = Keys {
    name: "currency",
    doc: "A currency that the program does not know.",
    keys: &[
        Key::required("code", Shape::String, "Its code: three capital letters."),
        Key::required(
            "digits",
            Shape::Int(0, 4),
            "How many digits stand after the point.",
        ),
    ],
};

pub(super) static KEY: Keys = Keys {
    name: "key",
    doc: "A key, by where it is found: exactly one of `env`, `file` and `dev`.",
    keys: &[
        Key::required(
            "kid",
            Shape::String,
            "Its id, as the header of a token names it.",
        ),
        Key::required("alg", Shape::OneOf(&ALGS), "The algorithm it is for."),
        Key::optional(
            "env",
            Shape::String,
            "The environment variable that holds it.",
        ),
        Key::optional(
            "file",
            Shape::String,
            "The file that holds it, from the tenant's folder.",
        ),
        Key::optional(
            "dev",
            Shape::Bool,
            "Made on first use, for this machine only.",
        ),
    ],
};

pub(super) static CLAIM: Keys = Keys {
    name: "claim",
    doc: "A claim of a token. `level: int` is short for one that is 0 when missing.",
    keys: &[
        Key::required("type", Shape::OneOf(&TYPES), "What it holds."),
        Key::optional(
            "default",
            Shape::Any,
            "What it is when missing, or of another type; zero, false or empty unless said.",
        ),
    ],
};

pub(super) static QUOTAS: Keys = Keys {
    name: "quota",
    doc: "How often. Each that is missing keeps its default.",
    keys: &[
        Key::optional(
            "per_second",
            Shape::Int(1, 10_000_000),
            "Requests of the whole tenant per second. Default: 2000.",
        ),
        Key::optional(
            "burst",
            Shape::Int(1, 10_000_000),
            "As many at once after a quiet time. Default: 4000.",
        ),
        Key::optional(
            "user_per_second",
            Shape::Int(1, 10_000_000),
            "Requests of one user per second. Default: 10.",
        ),
        Key::optional(
            "user_burst",
            Shape::Int(1, 10_000_000),
            "As many at once after a quiet time. Default: 20.",
        ),
        Key::optional(
            "list_members",
            Shape::Int(1, 10_000_000),
            "How many members a list in the store may have. Default: 5000000.",
        ),
        Key::optional(
            "pool_codes",
            Shape::Int(1, 50_000_000),
            "How many codes one file may put into a pool. Default: 10000000.",
        ),
    ],
};
