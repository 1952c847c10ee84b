//! Counts, money, moments and durations as people here write them, and states as words.
//!
//! It must not know any page.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use maud::{Markup, html};

use super::parts::{Tone, tag};
use crate::ledger::{Actor, Run, RunState};
use crate::model::rows::Amount;

/// Where the console's times are told.
pub(crate) const ZONE: &str = "Europe/London";

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// A count with its thousands parted.
pub(crate) fn count(number: u64) -> String {
    format!("{:#}", Amount { coefficient: i128::from(number), scale: 0 })
}

/// A count and what is counted: `1 row`, `12,000 rows`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// Money: `£1,234.50`, with a true minus before the pound where it is owed.
pub(crate) fn pounds(amount: Amount) -> String {
    let text = format!("{:#}", with_pence(amount));
    match text.strip_prefix('-') {
        Some(owed) => format!("−£{owed}"),
        None => format!("£{text}"),
    }
}

/// An amount with at least two places, as pounds are written.
fn with_pence(amount: Amount) -> Amount {
    let missing = 2_u8.saturating_sub(amount.scale);
    let raised = amount.coefficient.checked_mul(10_i128.pow(u32::from(missing)));
    raised.map_or(amount, |coefficient| Amount { coefficient, scale: amount.scale + missing })
}

/// A moment where the reader lives.
pub(crate) fn local(ms: i64) -> Zoned {
    let moment = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    moment.to_zoned(TimeZone::get(ZONE).expect("the zones are built in"))
}

/// A moment in full: `22 November 2026 at 14:30 GMT`.
pub(crate) fn moment(ms: i64) -> Markup {
    time(ms, "%-d %B %Y at %H:%M %Z")
}

/// A moment in a table: `22 Nov 2026, 14:30 GMT`.
pub(crate) fn short_moment(ms: i64) -> Markup {
    time(ms, "%-d %b %Y, %H:%M %Z")
}

/// A moment of which the seconds matter: `22 Nov 2026, 14:30:07 GMT`.
pub(crate) fn exact_moment(ms: i64) -> Markup {
    time(ms, "%-d %b %Y, %H:%M:%S %Z")
}

/// A day: `22 November 2026`.
pub(crate) fn day(ms: i64) -> Markup {
    time(ms, "%-d %B %Y")
}

fn time(ms: i64, form: &str) -> Markup {
    let moment = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    html! { time datetime=(moment) { (local(ms).strftime(form)) } }
}

/// How long something took: `350 milliseconds`, `2 minutes 5 seconds`, `1 day 3 hours`.
pub(crate) fn duration(ms: u64) -> String {
    let parts = |large: (u64, &str), small: (u64, &str)| {
        let word = |(number, name): (u64, &str)| format!("{number} {name}{}", if number == 1 { "" } else { "s" });
        if small.0 == 0 { word(large) } else { format!("{} {}", word(large), word(small)) }
    };
    match ms {
        0..SECOND_MS => parts((ms, "millisecond"), (0, "")),
        SECOND_MS..MINUTE_MS if ms % SECOND_MS / 100 == 0 => parts((ms / SECOND_MS, "second"), (0, "")),
        SECOND_MS..MINUTE_MS => format!("{}.{} seconds", ms / SECOND_MS, ms % SECOND_MS / 100),
        MINUTE_MS..HOUR_MS => parts((ms / MINUTE_MS, "minute"), (ms % MINUTE_MS / SECOND_MS, "second")),
        HOUR_MS..DAY_MS => parts((ms / HOUR_MS, "hour"), (ms % HOUR_MS / MINUTE_MS, "minute")),
        _ => parts((ms / DAY_MS, "day"), (ms % DAY_MS / HOUR_MS, "hour")),
    }
}

/// How long ago, or in how long, to the nearest word: `just now`, `3 hours ago`, `in 2 days`.
pub(crate) fn away(ms: i64, now_ms: i64) -> String {
    let apart = now_ms.abs_diff(ms);
    let (number, name) = match apart {
        0..MINUTE_MS => return if ms > now_ms { "in less than a minute".to_owned() } else { "just now".to_owned() },
        MINUTE_MS..HOUR_MS => (apart / MINUTE_MS, "minute"),
        HOUR_MS..DAY_MS => (apart / HOUR_MS, "hour"),
        _ => (apart / DAY_MS, "day"),
    };
    let words = format!("{number} {name}{}", if number == 1 { "" } else { "s" });
    if ms > now_ms { format!("in {words}") } else { format!("{words} ago") }
}

/// A size: `812 bytes`, `14 KB`, `3.2 MB`, by thousands, as people's file windows have it.
pub(crate) fn size(bytes: u64) -> String {
    let tenths = |unit: u64, name: &str| {
        let tenths = (bytes.saturating_mul(10) + unit / 2) / unit;
        if tenths.is_multiple_of(10) || tenths >= 1_000 {
            format!("{} {name}", count(tenths / 10))
        } else {
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        }
    };
    match bytes {
        0..1_000 => counted(bytes, "byte", "bytes"),
        1_000..1_000_000 => tenths(1_000, "KB"),
        1_000_000..1_000_000_000 => tenths(1_000_000, "MB"),
        _ => tenths(1_000_000_000, "GB"),
    }
}

/// A state of a run as a word with its colour.
pub(crate) fn state_tag(state: RunState) -> Markup {
    let (tone, word) = state_word(state);
    tag(tone, word)
}

/// The same of a run, which may wait for a person's word about a delivery.
pub(crate) fn run_tag(run: &Run) -> Markup {
    if run.is_uncertain() {
        return tag(Tone::Bad, "Delivery uncertain");
    }
    html! { (state_tag(run.state)) @if run.overdue { " " (tag(Tone::Bad, "Overdue")) } }
}

/// The word for a state, and what it asks of a reader.
pub(crate) const fn state_word(state: RunState) -> (Tone, &'static str) {
    match state {
        RunState::Queued => (Tone::Quiet, "Queued"),
        RunState::Running => (Tone::Busy, "Running"),
        RunState::Staged => (Tone::Busy, "Ready to deliver"),
        RunState::Delivering => (Tone::Busy, "Delivering"),
        RunState::Closed => (Tone::Good, "Closed"),
        RunState::Held => (Tone::Attention, "Held"),
        RunState::Failed => (Tone::Bad, "Failed"),
        RunState::Skipped => (Tone::Attention, "Skipped"),
        RunState::Cancelled => (Tone::Quiet, "Cancelled"),
    }
}

/// Letters that stand for words, and are written large.
const INITIALS: [&str; 8] = ["apc", "avc", "bacs", "fte", "ni", "scapc", "utr", "vat"];

/// A name as a code has it, in words: `ni-number-missing` is `NI number missing`.
pub(crate) fn spaced(name: &str) -> String {
    let word = |word: &str| if INITIALS.contains(&word) { word.to_ascii_uppercase() } else { word.to_owned() };
    capital(&name.split(['-', '_']).map(word).collect::<Vec<_>>().join(" "))
}

/// Words with a capital at their beginning.
pub(crate) fn capital(words: &str) -> String {
    let mut text = words.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// The same within a sentence: `Fund share` is `fund share`, and `NI number` is as it was.
pub(crate) fn spaced_within(name: &str) -> String {
    let mut text = spaced(name);
    let initials = text.as_bytes().get(1).is_some_and(u8::is_ascii_uppercase);
    if let Some(first) = text.get_mut(..1).filter(|_| !initials) {
        first.make_ascii_lowercase();
    }
    text
}

/// Who did something: a person by their name alone.
pub(crate) fn actor(actor: &Actor) -> &str {
    actor.as_str().strip_prefix("person:").unwrap_or(actor.as_str())
}

/// A number with its thousands parted, where it is one.
pub(crate) fn grouped(text: &str) -> String {
    text.parse::<Amount>().map_or_else(|_| text.to_owned(), |amount| format!("{amount:#}"))
}

/// A value as it stands in the query of an address.
pub(crate) fn encoded(value: &str) -> String {
    value.bytes().fold(String::new(), |text, byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text + char::from(byte).encode_utf8(&mut [0; 4]),
        _ => text + &format!("%{byte:02X}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_and_counts_are_written_the_british_way() {
        let written = |coefficient, scale| pounds(Amount { coefficient, scale });
        assert_eq!(written(123_456_789, 2), "£1,234,567.89");
        assert_eq!(written(-5, 2), "−£0.05");
        assert_eq!(written(12, 0), "£12.00");
        assert_eq!(written(1_234, 3), "£1.234");
        assert_eq!(counted(1, "row", "rows"), "1 row");
        assert_eq!(counted(12_000, "row", "rows"), "12,000 rows");
    }

    #[test]
    fn names_of_codes_are_words_and_initials_stay_initials() {
        for (name, alone, within) in [
            ("ni-number-missing", "NI number missing", "NI number missing"),
            ("pay_main", "Pay main", "pay main"),
            ("vat", "VAT", "VAT"),
            ("unit", "Unit", "unit"),
            ("", "", ""),
        ] {
            assert_eq!((spaced(name).as_str(), spaced_within(name).as_str()), (alone, within));
        }
        assert_eq!((grouped("4937641.85"), grouped("-40706.9"), grouped("-")), ("4,937,641.85".into(), "-40,706.9".into(), "-".into()));
    }

    #[test]
    fn a_value_in_an_address_is_read_back() {
        assert_eq!(encoded("/p/staffs/runs?state=held&x=£ 1"), "%2Fp%2Fstaffs%2Fruns%3Fstate%3Dheld%26x%3D%C2%A3%201");
    }

    #[test]
    fn moments_say_their_zone_on_both_sides_of_a_clock_change() {
        assert_eq!(moment(1_774_746_000_000).into_string(), "<time datetime=\"2026-03-29T01:00:00Z\">29 March 2026 at 02:00 BST</time>");
        assert!(moment(1_774_745_940_000).into_string().contains("29 March 2026 at 00:59 GMT"));
    }

    #[test]
    fn lengths_of_time_and_sizes_are_words() {
        for (ms, words) in [
            (1, "1 millisecond"),
            (350, "350 milliseconds"),
            (2_000, "2 seconds"),
            (2_340, "2.3 seconds"),
            (60_000, "1 minute"),
            (125_000, "2 minutes 5 seconds"),
            (3_660_000, "1 hour 1 minute"),
            (97_200_000, "1 day 3 hours"),
        ] {
            assert_eq!(duration(ms), words);
        }
        for (bytes, words) in [(1, "1 byte"), (999, "999 bytes"), (14_000, "14 KB"), (3_249_000, "3.2 MB"), (123_456_789, "123 MB")] {
            assert_eq!(size(bytes), words);
        }
        assert_eq!(away(0, 3 * 3_600_000), "3 hours ago");
        assert_eq!(away(2 * 86_400_000, 0), "in 2 days");
        assert_eq!(away(0, 10), "just now");
    }
}
