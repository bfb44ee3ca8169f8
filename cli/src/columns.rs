//! Columns of text as wide as they are on a terminal, where a Chinese character takes two.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Rows under their heads, each column as wide as its widest cell.
pub fn columns(head: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.width()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (cell, width) in cells.zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
        }
        line.trim_end().to_owned()
    };
    let mut lines = vec![line(&mut head.iter().copied())];
    lines.extend(
        rows.iter()
            .map(|row| line(&mut row.iter().map(String::as_str))),
    );
    lines
}

/// A text cut to so many columns, with a sign where it goes on.
pub fn cut(text: &str, most: usize) -> String {
    if text.width() <= most {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut width = 0;
    for letter in text.chars() {
        width += letter.width().unwrap_or(0);
        if width >= most {
            break;
        }
        cut.push(letter);
    }
    cut + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_takes_two_columns() {
        let rows = vec![
            vec!["新春大转盘".to_owned(), "1".to_owned()],
            vec!["wheel".to_owned(), "20".to_owned()],
        ];
        assert_eq!(
            columns(&["title", "n"], &rows),
            ["title       n", "新春大转盘  1", "wheel       20"]
        );
        assert_eq!(cut("新春大转盘", 10), "新春大转盘");
        assert_eq!(cut("新春大转盘", 9), "新春大转…");
        assert_eq!(cut("新春大转盘", 8), "新春大…");
        assert_eq!(cut("wheel", 4), "whe…");
    }
}
