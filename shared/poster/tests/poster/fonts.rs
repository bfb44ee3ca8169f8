//! Which letters posters have.

use poster::{Fonts, NotAFont};

use crate::kit::FONTS;

#[test]
fn names_can_be_written() {
    let names = [
        // Rare hanzi of names, and of surnames.
        "喆堃玥珺赟昇淼曦翀昶晟婠嫄砼烎垚犇骉彧祎暐翊煊熠琰瑾璟甯逄亓仉佘麴郗缑邳",
        // The traditional hanzi that names are written with most.
        "陳劉張楊趙黃吳鄭馮蔣韓許鄧曾蕭葉閻盧龍孫馬",
        "ABCXYZabcxyz0123456789 .,;:!?()[]{}<>/\\|@#$%^&*-_=+~`'\"",
        "ÀÉÎÕÜßàéîõüñçøåæœŁłŃńŠšŽžĞğŸ",
        "Nguyễn Thị Hồng Ở ạằ",
        "愛夢風雲國華東車門學樂飛",
        "АБВГДЕЁЖЗИЙЮЯабвгдежзийюя",
        "ひらがなカタカナーっッ",
        "。，、；：？！“”‘’（）《》【】—…·～￥％＋－１２３ＡＢＣ",
        "€£¥₩₽₹¢",
        "محمد عبد الله فاطمة زينب ١٢٣",
        "😀🎉🦌❤★☆✨🔥👍🎂🏆",
    ];
    for name in names {
        assert_eq!(FONTS.lacks(name), Vec::<char>::new(), "{name}");
    }
    assert_eq!(FONTS.lacks("김민수 김"), vec!['김', '민', '수']);
}

#[test]
fn all_standard_hanzi_are_there() {
    let listed = include_str!("../../fonts/hanzi.txt");
    assert!(listed.chars().filter(|char| !char.is_whitespace()).count() >= 8105);
    assert_eq!(FONTS.lacks(listed), Vec::<char>::new());
}

#[test]
fn families_have_the_names_that_designs_use() {
    assert_eq!(
        FONTS.families(),
        [
            "Noto Sans SC",
            "Noto Sans",
            "Noto Sans Arabic",
            "Noto Emoji"
        ]
    );
}

#[test]
fn web_fonts_and_other_files_are_no_fonts() {
    let fonts = Fonts::built_in();
    assert_eq!(
        fonts.with(b"wOF2....".to_vec()).unwrap_err(),
        NotAFont::Woff
    );
    assert_eq!(
        fonts.with(b"wOFF....".to_vec()).unwrap_err(),
        NotAFont::Woff
    );
    assert_eq!(fonts.with(Vec::new()).unwrap_err(), NotAFont::Unreadable);
    assert_eq!(fonts.with(vec![0; 4000]).unwrap_err(), NotAFont::Unreadable);
    let mut broken = include_bytes!("../../fonts/noto-sans-arabic-regular.ttf").to_vec();
    for byte in broken.iter_mut().skip(300).step_by(7) {
        *byte ^= 0x5a;
    }
    // Whatever it says to a broken font, it says it.
    let _ = fonts.with(broken);
}
