//! Prometheus text, as far as it is needed: each sample's name, labels and number. Lines that are none are counted, not believed.

/// One sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The metric.
    pub name: String,
    /// Its labels, with their escapes undone.
    pub labels: Vec<(String, String)>,
    /// What it is: never a NaN, which says that there is nothing to say.
    pub value: f64,
}

impl Sample {
    /// A label's value.
    pub fn label(&self, name: &str) -> Option<&str> {
        let mut labels = self.labels.iter();
        labels.find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }
}

/// What a text holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples {
    /// The samples, as written.
    pub samples: Vec<Sample>,
    /// Lines that are neither empty nor a comment nor a sample.
    pub broken: usize,
}

impl Samples {
    /// Reads a text (version 0.0.4, and what of OpenMetrics looks the same). Never fails: what is broken is passed over and counted.
    pub fn read(text: &str) -> Self {
        let mut read = Self::default();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match sample(line) {
                Some(sample) if sample.value.is_nan() => {}
                Some(sample) => read.samples.push(sample),
                None => read.broken += 1,
            }
        }
        read
    }

    /// The samples of a metric.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Sample> {
        self.samples.iter().filter(move |held| held.name == name)
    }

    /// The sum of a metric over the labels that `which` takes; `None` if there is none at all of that name.
    pub fn sum(&self, name: &str, which: impl Fn(&Sample) -> bool) -> Option<f64> {
        self.named(name).next()?;
        let those = self.named(name).filter(|sample| which(sample));
        Some(those.map(|sample| sample.value).sum())
    }

    /// The sum of all samples of a metric; `None` if there are none.
    pub fn all(&self, name: &str) -> Option<f64> {
        self.sum(name, |_| true)
    }
}

/// `name{label="value",...} value [timestamp]`.
fn sample(line: &str) -> Option<Sample> {
    let end = line.find(|c: char| c == '{' || c.is_whitespace())?;
    let (name, rest) = line.split_at(end);
    if !is_name(name) {
        return None;
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    let mut words = rest.split_whitespace();
    let value = words.next()?.parse().ok()?;
    // What follows is a time, or an exemplar: neither is asked for.
    Some(Sample {
        name: name.to_owned(),
        labels,
        value,
    })
}

fn is_name(name: &str) -> bool {
    let sound = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(sound)
}

/// Labels up to their `}`, and what follows.
fn labels(mut rest: &str) -> Option<(Vec<(String, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, after) = rest.split_once('=')?;
        if !is_name(name.trim_end()) {
            return None;
        }
        let (value, after) = quoted(after.trim_start())?;
        labels.push((name.trim_end().to_owned(), value));
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(after) => after,
            None if after.starts_with('}') => after,
            None => return None,
        };
    }
}

/// A text in quotes, its escapes undone, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let text = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut letters = text.char_indices();
    loop {
        match letters.next()? {
            (at, '"') => return Some((value, text.get(at + 1..)?)),
            (_, '\\') => value.push(match letters.next()?.1 {
                'n' => '\n',
                letter => letter,
            }),
            (_, letter) => value.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn samples_are_read_with_their_labels() {
        let read = Samples::read(
            "# HELP a Something.\n# TYPE a counter\n\
             a 1\n\
             a{} 2 1700000000000\n\
             b_total{ x = \"one\" , y=\"a \\\"b\\\" \\\\ \\n,}\", } 3.5e2\n\
             c{le=\"+Inf\"} +Inf\n\
             d NaN\n\
             \n",
        );
        assert_eq!(read.broken, 0);
        assert_eq!(read.all("a"), Some(3.0));
        let b = read.named("b_total").next().unwrap();
        assert_eq!(b.label("x"), Some("one"));
        assert_eq!(b.label("y"), Some("a \"b\" \\ \n,}"));
        assert!((b.value - 350.0).abs() < 1e-9);
        assert_eq!(read.all("c"), Some(f64::INFINITY));
        assert_eq!(read.all("d"), None, "a NaN is nothing");
        assert_eq!(
            read.sum("b_total", |b| b.label("x") == Some("two")),
            Some(0.0)
        );
        assert_eq!(read.sum("none", |_| true), None);
    }

    #[test]
    fn broken_lines_are_counted() {
        for line in [
            "a",
            "a{",
            "a{x} 1",
            "a{x=1} 1",
            "a{x=\"1} 1",
            "a{x=\"1\" y=\"2\"} 1",
            "a{x=\"1\\",
            "a{x=\"1\"}",
            "a one",
            "1a 1",
            "a-b 1",
            "{x=\"1\"} 1",
            "<html>",
        ] {
            let read = Samples::read(&format!("ok 1\n{line}\nok 2"));
            assert_eq!((read.broken, read.samples.len()), (1, 2), "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_broken(text in ".*", cut in "[a{}\"=,\\\\ 1\n]*") {
            let _ = Samples::read(&text);
            let _ = Samples::read(&cut);
        }

        #[test]
        fn labels_come_back_as_they_were(value in "[ -~\\n]*", number in any::<i32>()) {
            let said = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let read = Samples::read(&format!("m{{l=\"{said}\"}} {number}"));
            prop_assert_eq!(read.samples.len(), 1);
            prop_assert_eq!(read.samples[0].label("l"), Some(value.as_str()));
            prop_assert_eq!(read.samples[0].value.to_bits(), f64::from(number).to_bits());
        }
    }
}
