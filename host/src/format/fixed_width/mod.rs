//! Fixed width: every value at its place in the line, filled up to its width.
//!
//! Places are counted in characters. An absent value is spaces. Nothing is ever cut off: a value that is wider than its
//! field is an error. A truth value is `true` or `false` where the field has five characters, else `Y` or `N`.

mod layout;
mod read;
mod write;

pub(super) use layout::Layout;
pub(super) use read::Reader;
pub(super) use write::Writer;
