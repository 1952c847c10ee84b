//! What the hub lends, asked for without measure.

use crate::bailiwick::plugin::log::{self, Level};
use crate::bailiwick::plugin::types::Failure;
use crate::bailiwick::plugin::{clock, lookup, random, state};
use crate::misdeeds::{Asks, MISLEADING};
use crate::problem;

/// 2026-10-19.
const DAY: i32 = 20_745;

/// Misuses the hub as told.
pub fn misuse(misdeed: Asks) -> Result<(), Failure> {
    match misdeed {
        Asks::LogFlood => (0..5_000).for_each(|note| log::write(Level::Info, &format!("note {note}"))),
        Asks::LogOneLargeLine => log::write(Level::Warn, &"\u{1b}[31mred\u{1b}[0m \0line\n".repeat(65_536)),
        Asks::LogBeyondHostCall => log::write(Level::Warn, &"x".repeat(20 << 20)),
        Asks::RandomFlood => loop {
            random::bytes(65_536);
        },
        Asks::RandomTooManyAtOnce => drop(random::bytes(65_537)),
        Asks::ClockForever => loop {
            clock::now();
        },
        Asks::StateFlood => return Err(fill_state()),
        Asks::StateCount => return Err(count_up()),
        Asks::StateKept => {
            count_up();
        }
        Asks::TablesFlood => loop {
            if let Ok(table) = lookup::open("rates", DAY) {
                std::mem::forget(table);
            }
        },
        Asks::TablesInTurn => {
            for _ in 0..1_000 {
                drop(lookup::open("rates", DAY));
            }
        }
        Asks::TableNotGranted => return Err(why_not("secrets", DAY)),
        Asks::TableNotInForce => return Err(why_not("rates", DAY + 10_000)),
        Asks::TableTooManyRows => return Err(find_all("band", "all")),
        Asks::TableNoSuchColumn => return Err(find_all("no-such", "all")),
        Asks::TellWhatIsLent => return Err(tell()),
        Asks::LogMisleading => log::write(Level::Error, &format!("Pay{MISLEADING} now")),
        Asks::TableUsedAfterDrop => {
            let dropped = std::mem::ManuallyDrop::new(open_and_drop());
            dropped.size();
        }
        Asks::TableDroppedTwice => drop(open_and_drop()),
        Asks::HandleForged => {
            let forged = std::mem::ManuallyDrop::new(forged(7_777));
            forged.size();
        }
    }
    Ok(())
}

/// A handle whose table was dropped.
fn open_and_drop() -> lookup::Table {
    let table = lookup::open("rates", DAY).expect("the test gives the table");
    let handle = table.handle();
    drop(table);
    forged(handle)
}

/// A handle that the hub did not give.
fn forged(handle: u32) -> lookup::Table {
    // SAFETY: it is not safe, and the hub must not care.
    unsafe { lookup::Table::from_handle(handle) }
}

fn fill_state() -> Failure {
    for key in 0.. {
        if let Err(error) = state::set(&format!("key-{key}"), &[7; 1_000]) {
            return Failure::PluginDefect(problem("state-full", &format!("{error:?} after {key}")));
        }
    }
    unreachable!()
}

fn count_up() -> Failure {
    let before = state::get("count").ok().flatten().map_or(0, |bytes| bytes[0]);
    let set = state::set("count", &[before + 1]).and_then(|()| state::delete("gone"));
    Failure::PluginDefect(problem("state-counted", &format!("{before} {set:?}")))
}

fn why_not(table: &str, on: i32) -> Failure {
    let why = lookup::open(table, on).err();
    if why.is_some_and(|why| matches!(why, lookup::LookupError::NoVersionInForce)) {
        return Failure::TableMissing(crate::bailiwick::plugin::types::MissingTable { table: table.to_owned(), on });
    }
    Failure::PluginDefect(problem("table-refused", "The hub refused a table."))
}

fn find_all(column: &str, value: &str) -> Failure {
    let answer = lookup::open("rates", DAY).and_then(|table| table.find(column, value));
    Failure::PluginDefect(problem("table-answer", &format!("{:?}", answer.map(|rows| rows.len()))))
}

/// Everything that should be the same on a replay, in one text.
fn tell() -> Failure {
    let (now, today) = (clock::now(), clock::today());
    let table = lookup::open("rates", today).expect("the test gives the table");
    let found = table.find_word("name", "second").map(|rows| rows.concat());
    let text = format!(
        "{}.{:09} {today} {:x} {:x} {} {} {:?} {found:?} {:?}",
        now.seconds,
        now.nanoseconds,
        random::next(),
        random::bytes(3).iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)),
        table.version().version,
        table.size(),
        table.columns(),
        table.read(0, 1),
    );
    Failure::InputUnusable(problem("told", &text))
}
