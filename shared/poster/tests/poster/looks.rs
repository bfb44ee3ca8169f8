//! How posters look: as Figma exports them, with contents from the edges.

use poster::Scale;

use crate::kit::{composed, good, look, person};

const STREAK: &str = include_str!("../templates/streak.svg");

#[test]
fn a_poster_as_figma_exports_it() {
    let template = good(STREAK);
    let people = [
        ("plain", person("王小明", "128", true)),
        (
            "long",
            person(
                "尼古拉斯·凯奇·佛朗西斯·福特·科波拉三世陛下",
                "1,284,907",
                true,
            ),
        ),
        (
            "latin",
            person("Maximilian Featherstonehaugh-Cholmondeley", "7", true),
        ),
        ("bare", person("喆堃玥珺赟昇淼曦", "0", false)),
        ("emoji", person("小鹿🦌🎉 Lucky✨", "32", true)),
        ("arabic", person("محمد عبد الله", "1,024", true)),
        ("mixed", person("Ali علي 王", "99", false)),
        ("strange", person("김민수 𝓐𝓷𝓷𝓪 🇨🇳 Z̸̢̛a̷l̶g̵o̴", "1", true)),
    ];
    for (name, content) in people {
        let poster = composed(&template, Scale::X1, &content);
        println!("{name}: {:?} {:?}", poster.touched, poster.warnings);
        look(&format!("streak-{name}"), &poster.canvas);
    }
    look(
        "streak-2x",
        &composed(&template, Scale::X2, &person("王小明", "128", true)).canvas,
    );
}
