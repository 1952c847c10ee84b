//! Rejects: rows in quarantine, by what is wrong with them; corrected, brought back, assigned, dismissed.
//!
//! ```text
//! GET      /p/{partner}/rejects                    groups, and the rows of one page; ?job= &run= &code= &owner= &after=
//! GET/POST /p/{partner}/rejects/{run}/assign       who sees to some of them
//! GET/POST /p/{partner}/rejects/{run}/dismiss      nothing more is done about some of them
//! GET/POST /p/{partner}/rejects/{run}/correct      their values in a form, judged by the plugin, brought back as a run
//! POST     /p/{partner}/rejects/{run}/check        the same judgement alone, while the form is filled in
//! POST     /p/{partner}/rejects/{run}/download     the rows as they stood in the file, to be corrected elsewhere
//! GET/POST /p/{partner}/rejects/{run}/upload       the corrected file
//! ```
//!
//! It must not know how rows are judged or brought back.

mod choose;
mod correct;
mod file;
mod list;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use super::look::{Page, words};
use super::runs::Titled;
use super::visit::At;
use crate::ledger::{Chosen, Run};
use crate::model::limits::CORRECTED_BYTES_MAX;
use crate::run::Hub;

/// What a form adds to the file that it brings.
const AROUND_FILE_BYTES: usize = 64 << 10;

pub(super) fn routes() -> Router<Hub> {
    let upload = get(file::ask_upload).post(file::upload);
    let file_bytes_max = usize::try_from(CORRECTED_BYTES_MAX).unwrap_or(usize::MAX).saturating_add(AROUND_FILE_BYTES);
    Router::new()
        .route("/p/{partner}/rejects", get(list::page))
        .route("/p/{partner}/rejects/{run}/assign", get(choose::ask_assign).post(choose::assign))
        .route("/p/{partner}/rejects/{run}/dismiss", get(choose::ask_dismiss).post(choose::dismiss))
        .route("/p/{partner}/rejects/{run}/correct", get(correct::ask).post(correct::correct))
        .route("/p/{partner}/rejects/{run}/check", post(correct::check))
        .route("/p/{partner}/rejects/{run}/download", post(file::download))
        .route("/p/{partner}/rejects/{run}/upload", upload.layer(DefaultBodyLimit::max(file_bytes_max)))
}

/// A page about doing something with a run's rejects.
fn act_page(at: &At, run: &Titled, title: &str) -> Page {
    let caption = format!("{}, {}", run.title, words::local(run.enqueued_at_ms).strftime("%-d %b %Y, %H:%M %Z"));
    at.page(title).caption(caption).section("rejects").crumb(at.href("rejects"), "Rejects").crumb(of_run(at, run), "Rejects of one run")
}

/// Where the rejects of a run are.
fn of_run(at: &At, run: &Run) -> String {
    at.href(format_args!("rejects?run={}", run.id))
}

/// Which rejects somebody has chosen: by their numbers, or all with one first reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Choice {
    numbers: Vec<u64>,
    code: String,
}

impl Choice {
    /// From the fields of a form or an address.
    fn of<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut choice = Self::default();
        for (name, value) in fields {
            match name {
                "number" => choice.numbers.extend(value.parse::<u64>()),
                "code" => value.clone_into(&mut choice.code),
                _ => {}
            }
        }
        choice
    }

    const fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.code.is_empty()
    }

    fn chosen(&self) -> Chosen {
        let numbers = (!self.numbers.is_empty()).then(|| self.numbers.clone());
        Chosen { code: (!self.code.is_empty() && numbers.is_none()).then(|| self.code.clone()), numbers }
    }

    /// The same as fields of a form.
    fn fields(&self) -> Vec<(String, String)> {
        let numbers = self.numbers.iter().map(|number| ("number".to_owned(), number.to_string()));
        numbers.chain((!self.code.is_empty()).then(|| ("code".to_owned(), self.code.clone()))).collect()
    }

    fn words(&self) -> String {
        match self.numbers.as_slice() {
            [] => format!("All of this run with the reason “{}”", words::spaced(&self.code)),
            numbers => words::counted(numbers.len() as u64, "rejected row", "rejected rows"),
        }
    }
}
