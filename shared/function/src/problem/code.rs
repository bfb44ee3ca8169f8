//! Every code that an answer of ours can carry: its status, and its words for the user.

use axum::http::StatusCode;

/// One sentence in the languages that we write ourselves; a campaign writes its own in any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// English.
    pub en: &'static str,
    /// Simplified Chinese.
    pub zh: &'static str,
}

impl Words {
    /// The sentence for a BCP 47 tag: Chinese for any `zh`, else English.
    pub fn pick(&self, lang: &str) -> &'static str {
        match lang.as_bytes() {
            [b'z' | b'Z', b'h' | b'H'] | [b'z' | b'Z', b'h' | b'H', b'-' | b'_', ..] => self.zh,
            _ => self.en,
        }
    }
}

/// Declares the list once: variant, wire name, status, title, words.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $wire:literal, $status:ident, $title:literal, $en:literal, $zh:literal;)*) => {
        /// The closed list of codes, each with one status. Wire names never change their meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code, by status, for documents and tests.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as clients see it: lower-case words with hyphens.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $wire,)* }
            }

            /// The HTTP status.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// A few English words for developers; the same for every occurrence (RFC 9457 `title`).
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What the user is told.
            pub const fn words(self) -> Words {
                match self { $(Self::$name => Words { en: $en, zh: $zh },)* }
            }
        }
    };
}

codes! {
    /// A write came without its `Idempotency-Key`.
    IdempotencyKeyRequired = "idempotency-key-required", BAD_REQUEST, "Idempotency-Key required",
        "This action needs an Idempotency-Key header.", "此操作需要 Idempotency-Key 请求头。";
    /// The request cannot be read.
    BadRequest = "bad-request", BAD_REQUEST, "Bad request",
        "We could not read this request.", "无法识别该请求。";
    /// No token, or one that is not good here. Which of them is in the log only.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "Not signed in",
        "Please sign in and try again.", "请登录后重试。";
    /// The user is outside the audience.
    NotEligible = "not-eligible", FORBIDDEN, "Not eligible",
        "This activity is not open to your account.", "您的账号不在本次活动范围内。";
    /// The caller's role or scope does not allow this.
    Forbidden = "forbidden", FORBIDDEN, "Forbidden",
        "You are not allowed to do this.", "您没有权限执行此操作。";
    /// The risk check said no.
    RiskRefused = "risk-refused", FORBIDDEN, "Refused by the risk check",
        "We cannot complete this for your account right now.", "您的账号当前无法完成此操作。";
    /// The risk check wants proof first.
    ChallengeRequired = "challenge-required", FORBIDDEN, "Challenge required",
        "Please complete the verification first.", "请先完成验证。";
    /// No such tenant, or not this caller's.
    NoSuchTenant = "no-such-tenant", NOT_FOUND, "No such tenant",
        "This page does not exist.", "页面不存在。";
    /// No such campaign in this tenant.
    NoSuchCampaign = "no-such-campaign", NOT_FOUND, "No such campaign",
        "This activity does not exist.", "活动不存在。";
    /// The campaign has no event of that name for this caller.
    NoSuchEvent = "no-such-event", NOT_FOUND, "No such event",
        "This action does not exist.", "该操作不存在。";
    /// The campaign has no poster of that name, or none for this user.
    NoSuchPoster = "no-such-poster", NOT_FOUND, "No such poster",
        "This poster does not exist.", "海报不存在。";
    /// Any other address that leads nowhere.
    NotFound = "not-found", NOT_FOUND, "Not found",
        "This page does not exist.", "页面不存在。";
    /// The address exists, the method does not.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "Method not allowed",
        "This page cannot be used in this way.", "不支持该请求方式。";
    /// None of the formats the client accepts can be made.
    NotAcceptable = "not-acceptable", NOT_ACCEPTABLE, "Not acceptable",
        "The requested format is not available.", "不支持所请求的格式。";
    /// Before the window; `opens` says when.
    NotOpen = "not-open", CONFLICT, "Not open yet",
        "This activity has not started yet.", "活动尚未开始。";
    /// After the window.
    Closed = "closed", CONFLICT, "Closed",
        "This activity has ended.", "活动已结束。";
    /// Stopped by the organizer for a while.
    Paused = "paused", CONFLICT, "Paused",
        "This activity is paused. Please come back later.", "活动暂停中，请稍后再来。";
    /// The last unit is gone.
    SoldOut = "sold-out", CONFLICT, "Sold out",
        "All gone. Thank you for taking part.", "已被领完，感谢参与。";
    /// The budget is used up.
    BudgetSpent = "budget-spent", CONFLICT, "Budget spent",
        "All rewards have been given out.", "奖励已全部发放完毕。";
    /// The event has no transition that is possible from here.
    NotPossible = "not-possible", CONFLICT, "Not possible now",
        "This is not possible right now.", "当前无法进行此操作。";
    /// A campaign's own `reject`; the answer carries the campaign's code and words instead.
    Rejected = "rejected", CONFLICT, "Rejected by the campaign",
        "This is not possible right now.", "当前无法进行此操作。";
    /// `If-Match` names a version that is no longer the current one.
    StalePage = "stale-page", PRECONDITION_FAILED, "Stale page",
        "This page is out of date. Please refresh it.", "页面已过期，请刷新。";
    /// The body is longer than allowed.
    PayloadTooLarge = "payload-too-large", PAYLOAD_TOO_LARGE, "Payload too large",
        "Too much data was sent.", "提交的内容过大。";
    /// The body was read, but does not say what the event needs; `pointer` says where.
    InvalidPayload = "invalid-payload", UNPROCESSABLE_ENTITY, "Invalid payload",
        "Something in the form is not right.", "提交的内容有误。";
    /// The key was used for something else.
    IdempotencyKeyReused = "idempotency-key-reused", UNPROCESSABLE_ENTITY, "Idempotency-Key reused",
        "This Idempotency-Key was already used for another action.", "该 Idempotency-Key 已用于其他操作。";
    /// Over the quota; `Retry-After` says when to come back.
    RateLimited = "rate-limited", TOO_MANY_REQUESTS, "Too many requests",
        "Too fast. Please wait a moment and try again.", "操作太频繁，请稍后再试。";
    /// A rule of the campaign broke; nothing was changed.
    RuleFailed = "rule-failed", INTERNAL_SERVER_ERROR, "Rule failed",
        "Something went wrong on our side. Nothing was changed.", "系统出错，本次操作未生效。";
    /// Something of ours broke.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Internal error",
        "Something went wrong on our side.", "系统出错，请稍后再试。";
    /// The store cannot be reached; nothing was changed.
    StoreUnavailable = "store-unavailable", SERVICE_UNAVAILABLE, "Store unavailable",
        "We are busy right now. Nothing was changed. Please try again.", "系统繁忙，本次操作未生效，请重试。";
    /// It may or may not have been done; the same key finds out without doing it twice.
    OutcomeUnknown = "outcome-unknown", SERVICE_UNAVAILABLE, "Outcome unknown",
        "We are not sure whether this went through. Please try again; it will not count twice.",
        "暂时无法确认结果，请重试，不会重复计算。";
    /// A stock counter is missing, so nothing is given out of it until an operator has looked.
    StockFrozen = "stock-frozen", SERVICE_UNAVAILABLE, "Stock frozen",
        "Rewards are being checked. Please try again later.", "奖励核对中，请稍后再试。";
    /// Too much is going on.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "Overloaded",
        "Too many people are here right now. Please try again.", "当前参与人数过多，请稍后再试。";
}

impl Code {
    /// Whether the same request, sent again unchanged after `Retry-After`, may well succeed: 429 and 503.
    pub const fn retryable(self) -> bool {
        matches!(
            self.status(),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        )
    }

    /// `Retry-After` in seconds when the place that refuses knows no better; set exactly for what is retryable.
    pub const fn retry_after_secs(self) -> Option<u32> {
        match self {
            // An operator has to act first.
            Self::StockFrozen => Some(30),
            Self::StoreUnavailable => Some(2),
            _ if self.retryable() => Some(1),
            _ => None,
        }
    }

    /// The problem type: a stable reference, relative to the function's address.
    pub fn type_uri(self) -> String {
        format!("/problems/{}", self.as_str())
    }

    /// The code of that wire name.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == code)
    }
}

/// Whether `code` is one of ours, and so not free for a campaign's `reject`.
pub fn is_reserved(code: &str) -> bool {
    Code::parse(code).is_some()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_list_is_sound() {
        let mut seen = HashSet::new();
        let mut status_before = 0;
        for code in Code::ALL {
            let wire = code.as_str();
            assert!(seen.insert(wire), "{wire} twice");
            assert!(
                wire.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{wire}"
            );
            assert!(is_reserved(wire));
            assert_eq!(Code::parse(wire), Some(*code));
            assert!(
                code.status().as_u16() >= status_before,
                "{wire} is out of order"
            );
            status_before = code.status().as_u16();
            let Words { en, zh } = code.words();
            assert!(en.is_ascii() && en.ends_with('.'), "{wire}: {en}");
            assert!(zh.ends_with('。'), "{wire}: {zh}");
            assert_eq!(
                code.retryable(),
                code.retry_after_secs().is_some(),
                "{wire}"
            );
            assert_eq!(
                code.retryable(),
                matches!(code.status().as_u16(), 429 | 503),
                "{wire}"
            );
        }
        assert!(!is_reserved("no-chances"));
        assert!(!is_reserved(""));
    }

    #[test]
    fn words_by_language() {
        let words = Code::Closed.words();
        for (lang, chinese) in [
            ("zh", true),
            ("zh-CN", true),
            ("ZH-hant", true),
            ("zh_CN", true),
            ("en", false),
            ("zha", false),
            ("", false),
        ] {
            assert_eq!(words.pick(lang) == words.zh, chinese, "{lang}");
        }
    }

    #[test]
    fn the_check_reserves_just_our_codes() {
        let ours: HashSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        let reserved: HashSet<&str> = campaign::reserved::RESERVED.into_iter().collect();
        assert_eq!(
            ours, reserved,
            "campaign::reserved must list what clients can be answered"
        );
    }
}
