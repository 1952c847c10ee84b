//! Bacs Standard 18: payments into a payment file that balances, and such a file back into payments.

#![forbid(unsafe_code)]

mod charset;
mod labels;
mod reader;
mod record;
mod section;
mod settings;
mod working_days;
mod writer;

use bailiwick_sdk::{Date, Failure, FileContext, Format, Hub, Money, register};
use serde::{Deserialize, Serialize};

pub use reader::Reader;
pub use settings::Settings;
pub use writer::Writer;

/// The plugin.
#[derive(Debug)]
pub struct BacsStandard18;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
struct Payment<'a> {
    destination_sort_code: &'a str,
    destination_account: &'a str,
    transaction_code: Option<&'a str>,
    originating_sort_code: Option<&'a str>,
    originating_account: Option<&'a str>,
    originator_name: Option<&'a str>,
    free_format: Option<&'a str>,
    amount: Money,
    reference: Option<&'a str>,
    payee: &'a str,
    processing_day: Option<Date>,
}

impl Format for BacsStandard18 {
    type Settings = Settings;
    type Writer = Writer;
    type Reader = Reader;

    fn writer(_: &FileContext, settings: Settings, hub: &Hub) -> Result<Writer, Failure> {
        Writer::open(settings, hub)
    }

    fn reader(_: &FileContext, settings: Settings, _: &Hub) -> Result<Reader, Failure> {
        Ok(Reader::new(settings))
    }
}

register!(format BacsStandard18);
