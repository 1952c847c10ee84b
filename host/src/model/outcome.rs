//! What plugins answer: findings about rows, decisions about cases, failures of whole calls.

use std::borrow::Cow;

use jiff::civil::Date;

use super::rows::{Amount, Batch};
use super::table::TableVersion;

/// Whether a character in a text for people could mislead them: it steers a terminal, turns the direction of reading or
/// cannot be seen.
#[must_use]
pub fn misleads(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            // Direction of reading.
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // Invisible: zero width, joiners, variation of language tags, byte order mark.
            | '\u{00ad}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
            // Line and paragraph separators.
            | '\u{2028}' | '\u{2029}'
        )
}

/// A text with the characters that mislead written out, as in `pay\u202e.csv`: the way that JSON writes them, so that JSON stays as it is.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(misleads) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if misleads(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                shown += &format!("\\u{unit:04x}");
            }
        } else {
            shown.push(character);
        }
    }
    shown.into()
}

/// What a finding means for its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Refused: it waits in quarantine.
    Reject,
    /// In order, but not of this job's concern.
    Skip,
    /// Accepted, and somebody should look at it.
    Warn,
}

/// One thing found about a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The name of the column that it concerns.
    pub column: Option<String>,
    /// Short and stable: `ni-number-invalid`.
    pub code: String,
    /// One sentence that a clerk understands.
    pub message: String,
}

/// What was found about one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The place of the input.
    pub input: usize,
    /// The row's number in that input, from 0 over all rows that could be read.
    pub row: u64,
    /// What it means for the row.
    pub effect: Effect,
    /// Why; at least one.
    pub reasons: Vec<Reason>,
}

/// What a call of an adapter produced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Rows, each batch with the place of its output.
    pub outputs: Vec<(usize, Batch)>,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// What a plugin answers when a whole call fails. It is data: a run fails of it, the hub does not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginFailure {
    /// The operator mends the job's settings.
    #[error("the job's settings cannot be used: {message} ({code})")]
    SettingsUnusable {
        /// Stable code.
        code: String,
        /// Sentence.
        message: String,
    },
    /// The operator adds a version of a table.
    #[error("table {table} has no version in force on {on}: add one under tables/ of the configuration and run `bailiwick apply`")]
    TableMissing {
        /// The table.
        table: String,
        /// The date.
        on: String,
    },
    /// The sender mends the input.
    #[error("the input cannot be used: {message} ({code})")]
    InputUnusable {
        /// Stable code.
        code: String,
        /// Sentence.
        message: String,
    },
    /// The plugin's author mends the plugin.
    #[error("the plugin reports a defect of its own: {message} ({code})")]
    PluginDefect {
        /// Stable code.
        code: String,
        /// Sentence.
        message: String,
    },
    /// The hub tries again, later.
    #[error("the provider cannot be asked now: {message} ({code})")]
    TryLater {
        /// Stable code.
        code: String,
        /// Sentence.
        message: String,
        /// How many seconds the provider asks to be left alone.
        seconds: Option<u32>,
    },
    /// The operator asks the provider, or mends the job.
    #[error("the provider says no: {message} ({code})")]
    Refused {
        /// Stable code.
        code: String,
        /// Sentence.
        message: String,
    },
}

/// One stretch of a file that a connector fetches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedPage {
    /// Bytes that follow those before.
    pub content: Vec<u8>,
    /// Where the next run goes on.
    pub cursor: Option<String>,
    /// Whether that was all.
    pub done: bool,
}

/// What a provider said of a file that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It has it, and answered this.
    Taken(String),
    /// It had it before.
    HadBefore(String),
    /// A person must look; why.
    Uncertain(String),
}

/// What one rule made of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Applied and content.
    Pass,
    /// Applied; a person must look.
    Refer,
    /// Applied and against.
    Fail,
    /// Could not be applied. Never a pass.
    CannotCheck,
    /// Decided how the case is handled; judges nothing.
    Applies,
}

/// Why a decision is what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleReason {
    /// The rule.
    pub rule: String,
    /// What it made of the case.
    pub verdict: Verdict,
    /// One sentence.
    pub text: String,
    /// JSON Pointers into the case.
    pub evidence: Vec<String>,
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// What.
    pub kind: String,
    /// By whom or to whom.
    pub party: String,
    /// One sentence.
    pub text: String,
    /// By when at the latest.
    pub due: Option<Date>,
}

/// What was decided about a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// One of the declared outcomes.
    pub outcome: String,
    /// Why.
    pub reasons: Vec<RuleReason>,
    /// What is to be done.
    pub actions: Vec<Action>,
    /// Declared figures and their amounts.
    pub figures: Vec<(String, Amount)>,
    /// The tables that it rests on.
    pub tables: Vec<TableVersion>,
}
