//! How the console looks: one layout, and parts that every page is made of.
//!
//! ```text
//! page    the layout: title, one h1, landmarks, sections, who is signed in, what is told
//! parts   tags, summary and task lists, figures, warnings, insets, details, further pages
//! table   tables that stand row by row on a narrow screen
//! form    fields, faults, buttons, and the page on which answers are checked
//! day     days as people type them
//! words   counts, money, moments, durations, states of runs, the British way
//! ```
//!
//! Nothing here has a style or a script of its own: pages are served under a policy that forbids both.
//! It must not know what any page shows.

pub(crate) mod day;
pub(crate) mod form;
pub(crate) mod page;
pub(crate) mod parts;
pub(crate) mod table;
pub(crate) mod words;

pub(crate) use day::{DAY_HINT, day_of, day_shown};
pub(crate) use form::{Check, Faults, Field, Weight, button, filter, form, hidden, link_button, upload_form};
pub(crate) use page::{Frame, Page, Section};
pub(crate) use parts::{Figures, Summary, Tasks, Tone, bad_inset, details, digest, inset, pages, share_bar, tag, warning};
pub(crate) use table::{Column, Table};
