//! What rejections say to users: the activity's words, and the campaign's over them.

use std::collections::BTreeMap;

use blocks::streak::{NO_CARDS, NOT_ENOUGH, TOO_DEAR};
use blocks::{pack, redeem, tasks};
use machine::Text;

use crate::check::Check;
use crate::codes;
use crate::diagnostic::meant;
use crate::document::{Entry, Node};
use crate::read::{buy, earn};
use crate::reserved::{RESERVED, is_reserved};

/// What the sections' own codes say unless a campaign says otherwise.
const OWN: &[(&str, [(&str, &str); 2])] = &[
    (
        earn::ALREADY,
        [
            ("zh-CN", "今天已经获得过啦"),
            ("en", "You have earned this already today"),
        ],
    ),
    (
        buy::CANT_PAY,
        [
            ("zh-CN", "积分不够哦"),
            ("en", "You have too few points for this"),
        ],
    ),
    (
        buy::ENOUGH,
        [
            ("zh-CN", "今天已经换满啦，明天再来"),
            ("en", "You have bought as many as you can today"),
        ],
    ),
    (
        buy::FULL,
        [
            ("zh-CN", "机会已经攒满啦，先用掉一些吧"),
            ("en", "You hold as many chances as you can: use some first"),
        ],
    ),
    (
        blocks::wheel::DRAW_LIMIT,
        [
            ("zh-CN", "抽奖次数已达上限"),
            ("en", "You have drawn as often as you can for now"),
        ],
    ),
    (
        pack::ALREADY,
        [
            ("zh-CN", "你已经领过了"),
            ("en", "You have already claimed this"),
        ],
    ),
    (
        pack::stages::NOT_YET,
        [
            ("zh-CN", "还没到领取的日子"),
            ("en", "The next part is not open yet"),
        ],
    ),
    (
        pack::stages::MISSED,
        [
            ("zh-CN", "领取的日子已经过了"),
            ("en", "The day for this is over"),
        ],
    ),
    (
        pack::flash::OUTSIDE,
        [
            ("zh-CN", "现在不是领取时间"),
            ("en", "This can't be claimed right now"),
        ],
    ),
    (
        tasks::DONE,
        [
            ("zh-CN", "这个任务已经完成啦"),
            ("en", "You have done this already"),
        ],
    ),
    (
        tasks::LOCKED,
        [
            ("zh-CN", "请先完成前面的任务"),
            ("en", "Do the task before this one first"),
        ],
    ),
    (
        tasks::NOT_DONE,
        [
            ("zh-CN", "任务还没完成"),
            ("en", "This task is not done yet"),
        ],
    ),
    (
        tasks::CLAIMED,
        [
            ("zh-CN", "这个任务的奖励已经领过了"),
            ("en", "You have claimed this task already"),
        ],
    ),
    (
        redeem::UNKNOWN,
        [
            ("zh-CN", "兑换码不正确，请核对后再试"),
            ("en", "This code is not valid here: please check it"),
        ],
    ),
    (
        redeem::MISTYPED,
        [
            ("zh-CN", "兑换码输入有误，请核对每一位"),
            (
                "en",
                "There is a slip in this code: please check each letter",
            ),
        ],
    ),
    (
        redeem::USED,
        [
            ("zh-CN", "这个兑换码已经被使用了"),
            ("en", "This code has been used already"),
        ],
    ),
    (
        redeem::LIMIT,
        [
            ("zh-CN", "你可以兑换的次数已经用完了"),
            ("en", "You have used as many codes as you can"),
        ],
    ),
    (
        NO_CARDS,
        [
            ("zh-CN", "没有补签卡了"),
            ("en", "You have no make-up card"),
        ],
    ),
    (
        TOO_DEAR,
        [
            ("zh-CN", "余额不够补签"),
            ("en", "You do not have enough for a make-up"),
        ],
    ),
    (
        NOT_ENOUGH,
        [
            ("zh-CN", "今天还没有达标，达标后自动签到"),
            (
                "en",
                "Today does not count yet: it is signed by itself once you have done enough",
            ),
        ],
    ),
];

/// The messages by code; `default` is what the activity's machine file says.
pub(crate) fn read(default: Option<&Node>, check: &mut Check<'_>) -> BTreeMap<String, Text> {
    let mut messages = BTreeMap::new();
    for (code, words) in OWN {
        if check.rejected.contains_key(*code) {
            let words = words
                .iter()
                .map(|(language, words)| ((*language).to_owned(), (*words).to_owned()));
            messages.insert((*code).to_owned(), spoken(words.collect(), check));
        }
    }
    for entry in default.map_or(&[][..], entries) {
        if check.rejected.contains_key(entry.name()) {
            let words = entries(&entry.value).iter();
            let words = words.filter_map(|entry| {
                Some((entry.name().to_owned(), entry.value.scalar()?.to_owned()))
            });
            messages.insert(entry.name().to_owned(), spoken(words.collect(), check));
        }
    }
    let own = check
        .root
        .get("messages")
        .and_then(|node| node.map(&mut check.out))
        .unwrap_or(&[]);
    for entry in own {
        known(entry, check);
        if let Some(text) = check.text(&entry.value) {
            messages.insert(entry.name().to_owned(), text);
        }
    }
    for (code, place) in &check.rejected {
        if !messages.contains_key(&**code) {
            check
                .out
                .warn(
                    codes::NO_MESSAGE,
                    place,
                    format!("users see the bare code `{code}`"),
                )
                .help(format!("say it in words: `messages: {{ {code}: .. }}`"));
        }
    }
    messages
}

/// Our own words in the tenant's languages; in English where it has none of them.
fn spoken(words: BTreeMap<String, String>, check: &Check<'_>) -> Text {
    let languages = &check.input.tenant.languages;
    let kept: BTreeMap<_, _> = words
        .iter()
        .filter(|(language, _)| languages.contains(language))
        .collect();
    let kept = kept
        .into_iter()
        .map(|(language, words)| (language.clone(), words.clone()))
        .collect::<BTreeMap<_, _>>();
    if kept.is_empty() {
        return Text(
            words
                .into_iter()
                .filter(|(language, _)| language == "en")
                .collect(),
        );
    }
    Text(kept)
}

fn known(entry: &Entry, check: &mut Check<'_>) {
    let code = entry.name();
    if check.rejected.contains_key(code) || is_reserved(code) {
        return;
    }
    let codes = check.rejected.keys().map(|code| &**code).chain(RESERVED);
    let help = meant(code, codes);
    check
        .out
        .warn(
            codes::UNUSED_CODE,
            &entry.key.place,
            format!("nothing rejects with `{code}`"),
        )
        .maybe_help(help);
}

/// The entries of a map, in silence: a default machine's file was checked when it was written.
fn entries(node: &Node) -> &[Entry] {
    match &node.kind {
        crate::document::Kind::Map(entries) => entries,
        _ => &[],
    }
}
