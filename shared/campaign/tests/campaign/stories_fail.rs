//! Stories that come out differently say so at their line.

use campaign::{Diagnostics, Source, link, story};

use crate::sound;

const CAMPAIGN: &str = "
activity: lottery
title: Test
opens: 2026-12-01 10:00
closes: 2026-12-15 22:00
rewards:
  coupon: { title: Coupon, kind: coupon, stock: 1, odds: 100% }
chances: { first_visit: 2 }
";

fn told(stories: &str) -> String {
    let definition = sound::definition("wheel", CAMPAIGN);
    let campaign = link(definition, 1).unwrap();
    let mut out = Diagnostics::new();
    let read = story::read(
        &Source::new("wheel.stories.yaml", stories),
        &campaign,
        &mut out,
    );
    out.extend(story::run(&campaign, &read).failures);
    out.sorted().lines()
}

#[test]
fn what_came_out_stands_beside_what_was_expected() {
    let stories = "
- story: everything is different
  steps:
    - { event: draw, gives: [], outcome: missed, state: playing, context: { chances: 5 } }
- story: rejections
  steps:
    - { event: draw, rejected: no-chances }
- story: taken
  steps:
    - { event: draw }
    - { event: draw }
    - { after: 1 day, event: draw }
- story: the page
  steps:
    - { at: 2026-12-16, view: { phase: open, eligible: false, possible: [draw] } }
- story: a message
  steps:
    - { event: draw, emits: [won] }
";
    insta::assert_snapshot!(told(stories), @r"
    E0905 4:29 expected nothing, got `coupon`
    E0905 4:42 expected the outcome `missed`, got `won`
    E0905 4:86 expected `chances` to be 5, got 1
    E0905 7:32 expected a rejection with `no-chances`, got it was taken, and gave `coupon`
    E0905 12:7 expected it to be taken, got rejected: no-chances
    E0905 15:40 expected the phase `open`, got `ended`
    E0905 15:56 expected eligible to be false, got true
    E0905 15:73 expected these to be possible: `draw`, got nothing
    E0905 18:29 expected the messages `won`, got nothing
    ");
}

#[test]
fn what_cannot_be_played_is_said() {
    let stories = "
- story: names
  user: { levle: 3 }
  lists: [vip]
  stock: { cupon: 3 }
  steps:
    - { event: drow }
- story: time
  steps:
    - { at: 2026-12-05, event: draw }
    - { at: 2026-12-04, event: draw }
    - { at: 2026-12-06, after: 1 day, event: draw }
- story: nothing is sent
  steps:
    - { at: 2026-12-05, outcome: won, payload: {} }
- story: no such reward
  steps:
    - { event: draw, gives: [cupon], state: plying, context: { chance: 1 } }
- steps: []
- story: x
";
    insta::assert_snapshot!(told(stories), @r"
    E0904 3:11 the tenant has no claim `levle`
      = did you mean `level`?
    W0902 4:11 no rule of this campaign reads the list `vip`
    E0904 5:12 there is no reward `cupon` with limited stock
      = did you mean `coupon`?
    E0206 7:16 the campaign has no event `drow`
      = did you mean `draw`?
    E0904 11:9 this is before the step before it: time does not run backwards
    E0904 12:32 a step has `at` or `after`, not both
    E0904 15:25 `outcome` is about an event, and none is sent
    E0904 15:39 `payload` is about an event, and none is sent
    E0201 18:29 there is no reward `cupon`
      = did you mean `coupon`?
    E0202 18:45 there is no state `plying`
      = did you mean `playing`?
    E0205 18:64 there is no variable `chance`
      = did you mean `chances`?
    E0008 19:3 `story` is missing: its name: what it shows
    E0008 20:3 `steps` is missing: what happens, in order
    ");
}
