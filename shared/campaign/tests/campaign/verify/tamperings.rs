//! What can be done to a ledger, and what must be said of it.

use campaign::verify::{Draw, Grant, Kind, Row, What};
use machine::luck::Seed;

use crate::ledger::{Ledger, definition};

pub(crate) fn draw(row: &mut Row) -> &mut Draw {
    match &mut row.what {
        What::Draw { draw } => draw,
        _ => panic!("not a draw"),
    }
}

pub(crate) fn find(ledger: &Ledger, wanted: impl Fn(&Draw) -> bool) -> usize {
    let found = ledger
        .rows
        .iter()
        .position(|row| matches!(&row.what, What::Draw { draw } if wanted(draw)));
    found.expect("the ledger has such a draw")
}

/// A way to tamper: what is done, and the finding it must lead to, with its row where there is one.
pub(crate) type Tampering = (&'static str, fn(&mut Ledger) -> Option<u64>, Kind);

pub(crate) const TAMPERINGS: &[Tampering] = &[
    (
        "another seed",
        |ledger| {
            ledger.seed = Seed([9; 32]);
            None
        },
        Kind::Seed,
    ),
    (
        "another seed, promised too",
        |ledger| {
            ledger.seed = Seed([9; 32]);
            ledger.commitment = ledger.seed.commitment();
            Some(ledger.rows[find(ledger, |draw| !draw.pity)].number)
        },
        Kind::Rolled,
    ),
    (
        "other odds",
        |ledger| {
            let published = ledger.revisions.get_mut(&2).unwrap();
            published.definition = campaign::encode(&definition(500));
            None
        },
        Kind::Config,
    ),
    (
        "other odds, published too",
        |ledger| {
            let other = definition(500);
            let published = ledger.revisions.get_mut(&2).unwrap();
            published.definition = campaign::encode(&other);
            published.sha256 = campaign::codec::sha256(&other);
            None
        },
        Kind::Rolled,
    ),
    (
        "no such revision",
        |ledger| {
            ledger.rows[100].revision = 3;
            Some(100)
        },
        Kind::Config,
    ),
    (
        "a draw dropped, numbers closed",
        |ledger| {
            let at = find(ledger, |draw| draw.index == 7 && draw.given.is_none());
            let user = ledger.rows.remove(at).user;
            for (number, row) in ledger.rows.iter_mut().enumerate() {
                row.number = number as u64;
            }
            ledger.rows[at..]
                .iter()
                .position(|row| row.user == user && matches!(row.what, What::Draw { .. }))
                .map(|more| (at + more) as u64)
        },
        Kind::Index,
    ),
    (
        "the last row dropped from the middle",
        |ledger| {
            ledger.rows.remove(50);
            Some(51)
        },
        Kind::Number,
    ),
    (
        "a draw repeated",
        |ledger| {
            let at = find(ledger, |draw| draw.index == 7);
            let row = ledger.rows[at].clone();
            ledger.rows.insert(at, row);
            Some(at as u64)
        },
        Kind::Index,
    ),
    (
        "two draws of one participant swapped",
        |ledger| {
            let (first, user) = {
                let at = find(ledger, |draw| draw.index == 3);
                (at, ledger.rows[at].user.clone())
            };
            let second = ledger
                .rows
                .iter()
                .position(|row| {
                    row.user == user && matches!(&row.what, What::Draw { draw } if draw.index == 4)
                })
                .unwrap();
            let what = ledger.rows[first].what.clone();
            ledger.rows[first].what = std::mem::replace(&mut ledger.rows[second].what, what);
            Some(first as u64)
        },
        Kind::Index,
    ),
    (
        "rows out of order",
        |ledger| {
            ledger.rows.swap(20, 30);
            Some(30)
        },
        Kind::Number,
    ),
    (
        "another pick",
        |ledger| {
            let at = find(ledger, |draw| !draw.pity);
            draw(&mut ledger.rows[at]).pick ^= 1;
            Some(at as u64)
        },
        Kind::Rolled,
    ),
    (
        "another reward rolled",
        |ledger| {
            let at = find(ledger, |draw| draw.rolled == "nothing");
            draw(&mut ledger.rows[at]).rolled = "laptop".to_owned();
            Some(at as u64)
        },
        Kind::Rolled,
    ),
    (
        "pity denied",
        |ledger| {
            let at = find(ledger, |draw| draw.pity);
            draw(&mut ledger.rows[at]).misses = 2;
            Some(at as u64)
        },
        Kind::Misses,
    ),
    (
        "pity forged",
        |ledger| {
            let at = find(ledger, |draw| !draw.pity && draw.misses == 1);
            draw(&mut ledger.rows[at]).misses = 5;
            Some(at as u64)
        },
        Kind::Misses,
    ),
    (
        "a prize kept back",
        |ledger| {
            let at = find(ledger, |draw| draw.given.as_deref() == Some("mug"));
            draw(&mut ledger.rows[at]).given = None;
            Some(at as u64)
        },
        Kind::Given,
    ),
    (
        "a better prize slipped in",
        |ledger| {
            let at = find(ledger, |draw| draw.given.as_deref() == Some("coupon"));
            draw(&mut ledger.rows[at]).given = Some("laptop".to_owned());
            Some(at as u64)
        },
        Kind::Given,
    ),
    (
        "said to be sold out early",
        |ledger| {
            let at = find(ledger, |draw| {
                draw.rolled == "laptop" && draw.given.as_deref() == Some("laptop")
            });
            draw(&mut ledger.rows[at])
                .exhausted
                .push("stock/laptop".to_owned());
            Some(at as u64)
        },
        Kind::Exhausted,
    ),
    (
        "an unlimited reward said to be sold out",
        |ledger| {
            let at = find(ledger, |draw| draw.given.as_deref() == Some("badge"));
            draw(&mut ledger.rows[at])
                .exhausted
                .push("stock/badge".to_owned());
            Some(at as u64)
        },
        Kind::Exhausted,
    ),
    (
        "a counter nobody knows",
        |ledger| {
            draw(&mut ledger.rows[0])
                .exhausted
                .push("patience".to_owned());
            Some(0)
        },
        Kind::Exhausted,
    ),
    (
        "the budget said to be spent early",
        |ledger| {
            let at = find(ledger, |draw| draw.given.as_deref() == Some("mug"));
            draw(&mut ledger.rows[at])
                .exhausted
                .push("budget".to_owned());
            Some(at as u64)
        },
        Kind::Exhausted,
    ),
    (
        "said to have had it",
        |ledger| {
            let at = find(ledger, |draw| draw.given.as_deref() == Some("laptop"));
            draw(&mut ledger.rows[at]).had.push("laptop".to_owned());
            Some(at as u64)
        },
        Kind::Had,
    ),
    (
        "said not to have had it",
        |ledger| {
            let at = find(ledger, |draw| draw.had == ["badge"] && draw.given.is_none());
            draw(&mut ledger.rows[at]).had.clear();
            draw(&mut ledger.rows[at]).given = Some("badge".to_owned());
            Some(at as u64)
        },
        Kind::Had,
    ),
    (
        "a grant dropped",
        |ledger| {
            let at = find(ledger, |draw| draw.given.is_some());
            ledger.rows[at - 1].what = What::Message;
            Some(at as u64)
        },
        Kind::Grant,
    ),
    (
        "a grant of something else",
        |ledger| {
            let at = find(ledger, |draw| draw.given.as_deref() == Some("coupon"));
            grant(&mut ledger.rows[at - 1]).reward = "laptop".to_owned();
            Some(at as u64)
        },
        Kind::Grant,
    ),
    (
        "a grant under another rule",
        |ledger| {
            let at = find(ledger, |draw| {
                draw.given.as_deref() == Some("coupon") && !draw.pity
            });
            grant(&mut ledger.rows[at - 1]).rule = "wheel-pity".to_owned();
            Some(at as u64)
        },
        Kind::Grant,
    ),
    (
        "a grant of more",
        |ledger| {
            let at = find(ledger, |draw| draw.given.is_some()) - 1;
            grant(&mut ledger.rows[at]).amount = 1_000;
            Some(at as u64)
        },
        Kind::Grant,
    ),
    (
        "a grant that no draw made",
        |ledger| {
            let at = find(ledger, |draw| draw.given.is_none());
            let forged = Grant {
                rule: "wheel-laptop".to_owned(),
                reward: "laptop".to_owned(),
                period: "draw-999".to_owned(),
                amount: 0,
            };
            ledger.rows[at].what = What::Grant { grant: forged };
            Some(at as u64)
        },
        Kind::Grant,
    ),
    (
        "sold out, and more had been released by then",
        |ledger| {
            let at = find(ledger, |draw| {
                draw.exhausted.iter().any(|key| key == "stock/mug")
            });
            ledger.rows[at].at = Some("2036-01-01T00:00:00+08:00".to_owned());
            Some(at as u64)
        },
        Kind::Exhausted,
    ),
    (
        "sold out, and nobody knows when",
        |ledger| {
            let at = find(ledger, |draw| {
                draw.exhausted.iter().any(|key| key == "stock/mug")
            });
            ledger.rows[at].at = None;
            Some(at as u64)
        },
        Kind::Exhausted,
    ),
    (
        "another wheel",
        |ledger| {
            draw(&mut ledger.rows[0]).purpose = "egg".to_owned();
            Some(0)
        },
        Kind::Purpose,
    ),
    (
        "another's row",
        |ledger| {
            ledger.rows[10].campaign = "other".to_owned();
            Some(10)
        },
        Kind::Foreign,
    ),
    (
        "the test lane's row",
        |ledger| {
            ledger.rows[10].lane = "test".to_owned();
            Some(10)
        },
        Kind::Foreign,
    ),
    (
        "another user's draw",
        |ledger| {
            let at = find(ledger, |draw| draw.index == 5);
            ledger.rows[at].user = ledger
                .rows
                .iter()
                .map(|row| &row.user)
                .find(|user| **user != ledger.rows[at].user)
                .cloned()
                .unwrap();
            Some(at as u64)
        },
        Kind::Index,
    ),
    (
        "no user at all",
        |ledger| {
            ledger.rows[10].user = "me".to_owned();
            Some(10)
        },
        Kind::Foreign,
    ),
];

pub(crate) fn grant(row: &mut Row) -> &mut Grant {
    match &mut row.what {
        What::Grant { grant } => grant,
        _ => panic!("not a grant"),
    }
}
