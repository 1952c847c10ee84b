//! What becomes of each misdeed that a hostile guest can be told to do. The list is `tests/hostile/misdeeds.rs`, which the
//! guests do: what nobody performs, and what nobody expects an end of, does not compile.

use bailiwick::model::limits::Limit;

pub(super) use listed::{Answers, Asks, Finds, Forgeries, MISLEADING, Misdeed, Rules, Speaks, Takes};

#[path = "../../hostile/misdeeds.rs"]
mod listed;

/// Limits in force, and the end under them.
pub(super) struct Trial(pub(super) &'static [(Limit, u64)], pub(super) End);

/// How a call or a run ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// It dies of a limit; the reason names limit and amount.
    Dies(Limit),
    /// It goes on, and has no more than the limit allows.
    Curbed(Limit),
    /// It traps, and the reason has these words.
    Traps(&'static str),
    /// Its answer cannot be, and the reason has these words.
    Unsound(&'static str),
    /// It says itself that it failed, in these words.
    Fails(&'static str),
    /// It is not even installed, for a reason with these words.
    Refused(&'static str),
    /// It is installed, or compiling it was stopped by a limit: which, is for the machine to say.
    CompilesOrStops,
    /// Nothing comes of it.
    Unharmed,
}

use End::{CompilesOrStops, Curbed, Dies, Fails, Refused, Traps, Unharmed, Unsound};

const MIB: u64 = 1 << 20;

impl Misdeed {
    pub(super) const fn trials(self) -> &'static [Trial] {
        match self {
            Self::Takes(misdeed) => misdeed.trials(),
            Self::Answers(misdeed) => misdeed.trials(),
            Self::Finds(misdeed) => misdeed.trials(),
            Self::Asks(misdeed) => misdeed.trials(),
        }
    }
}

impl Takes {
    const fn trials(self) -> &'static [Trial] {
        match self {
            Self::Nothing => &[
                Trial(&[], Unharmed),
                Trial(&[(Limit::MemoryBytes, MIB)], Dies(Limit::MemoryBytes)),
                Trial(&[(Limit::TableEntries, 1)], Dies(Limit::TableEntries)),
                Trial(&[(Limit::Instances, 1)], Dies(Limit::Instances)),
            ],
            Self::EndlessLoop => &[
                Trial(&[(Limit::CpuMs, 100)], Dies(Limit::CpuMs)),
                Trial(&[(Limit::WallMs, 100), (Limit::CpuMs, 60_000)], Dies(Limit::WallMs)),
            ],
            Self::NeverDone => &[Trial(&[(Limit::WallMs, 100)], Dies(Limit::WallMs))],
            Self::MemoryBySteps => &[Trial(&[(Limit::MemoryBytes, 20 * MIB)], Dies(Limit::MemoryBytes))],
            Self::MemoryAtOnce | Self::PanicWithLargeMessage => &[Trial(&[], Dies(Limit::MemoryBytes))],
            Self::DeepRecursion => &[Trial(&[], Dies(Limit::StackBytes))],
            Self::DeepRecursionInMemory => &[Trial(&[], Traps("recursion"))],
            Self::HandlesFlood => &[Trial(&[], Dies(Limit::Handles)), Trial(&[(Limit::Handles, 1_000)], Dies(Limit::Handles))],
            Self::TrapInOpen | Self::TrapInPush | Self::TrapInEnd | Self::TrapInFinish => &[Trial(&[], Traps("unreachable"))],
            // The hub never asks a guest to tidy up: its memory goes as a whole.
            Self::TrapInDrop | Self::MemoryRefusedAndWell => &[Trial(&[], Unharmed)],
            Self::SettingsUnusable => &[Trial(&[], Fails("The rate is below zero.[2J"))],
            Self::FailureMisleading => &[Trial(&[], Fails("Pay[2J now ([2J)"))],
            Self::FailureWithLargeMessage => &[Trial(&[], Fails("xxx…"))],
            Self::CountCalls => &[Trial(&[], Fails("0 (called-before)")), Trial(&[], Fails("0 (called-before)"))],
            Self::LeaveMark => &[Trial(&[], Unharmed)],
            Self::SeekMark => &[Trial(&[], Fails("0 (found)"))],
        }
    }
}

impl Answers {
    const fn trials(self) -> &'static [Trial] {
        match self {
            Self::NoColumns => &[Trial(&[], Unsound("0 columns where the manifest declares 5"))],
            Self::WrongKind => &[Trial(&[], Unsound("column number does not hold"))],
            Self::WrongScale => &[Trial(&[], Unsound("column pay does not hold"))],
            Self::TooFewValues => &[Trial(&[], Unsound("column number does not have one value"))],
            Self::TooManyRows => &[Trial(&[], Unsound("4294967295 rows"))],
            Self::OffsetsOutside | Self::OffsetsFall | Self::OffsetsCutACharacter => &[Trial(&[], Unsound("text offsets"))],
            Self::RequiredAbsent => &[Trial(&[], Unsound("column number lacks a value in row 0"))],
            Self::ShortValidity => &[Trial(&[], Unsound("column name"))],
            Self::NoSuchDay => &[Trial(&[], Unsound("column joined holds a day"))],
            Self::NoSuchOutput => &[Trial(&[], Unsound("output 7"))],
            Self::OutputFlood => &[
                Trial(&[(Limit::OutputRows, 8_999)], Dies(Limit::OutputRows)),
                Trial(&[(Limit::OutputBytes, 50_000)], Dies(Limit::OutputBytes)),
                Trial(&[], Unharmed),
            ],
            Self::OneLargeOutput | Self::TenMillionEntries => &[Trial(&[], Dies(Limit::HostCallBytes))],
            // Whether sums are right is for the hub's books: `faults` has these two held.
            Self::MoneyInvented | Self::RowsWithheld => &[Trial(&[], Unharmed)],
        }
    }
}

impl Finds {
    const fn trials(self) -> &'static [Trial] {
        match self {
            // A row that is decided twice is seen by the hub's books: `faults` has it.
            Self::RejectOne | Self::RejectTwice | Self::MisleadingMessage | Self::EndlessMessage => &[Trial(&[], Unharmed)],
            Self::RowNotGiven => &[Trial(&[], Unsound("row 19 of input lines"))],
            Self::RowBeforeTheFirst => &[Trial(&[], Unsound("row 9 of input lines"))],
            Self::NoSuchInput => &[Trial(&[], Unsound("input 9"))],
            Self::NoReason => &[Trial(&[], Unsound("gives no reason"))],
            Self::NoSuchColumn => &[Trial(&[], Unsound("column 5 of input lines"))],
            Self::CodeIsASentence => &[Trial(&[], Unsound("\"This is <b>not</b> a code\""))],
            Self::CodeMisleading => &[Trial(&[], Unsound("\"pay-negative[2J\""))],
            Self::SpeakOfAbsentInput => &[Trial(&[], Unsound("row 0 of input lines"))],
        }
    }
}

impl Asks {
    const fn trials(self) -> &'static [Trial] {
        match self {
            Self::LogFlood => &[
                Trial(&[], Curbed(Limit::LogLines)),
                Trial(&[(Limit::LogBytes, 69)], Curbed(Limit::LogBytes)),
                Trial(&[(Limit::RetainedBytes, 1_000)], Dies(Limit::RetainedBytes)),
            ],
            Self::LogOneLargeLine | Self::LogMisleading | Self::StateKept | Self::TablesInTurn => &[Trial(&[], Unharmed)],
            Self::LogBeyondHostCall => &[Trial(&[], Dies(Limit::HostCallBytes))],
            Self::RandomFlood => &[Trial(&[], Dies(Limit::RandomBytes))],
            Self::RandomTooManyAtOnce => &[Trial(&[], Traps("65537 random bytes in one call, and may have 65536"))],
            Self::ClockForever => &[
                Trial(&[(Limit::CpuMs, 100)], Dies(Limit::CpuMs)),
                Trial(&[(Limit::WallMs, 100), (Limit::CpuMs, 60_000)], Dies(Limit::WallMs)),
            ],
            Self::StateFlood => {
                &[Trial(&[], Curbed(Limit::StateBytes)), Trial(&[(Limit::RetainedBytes, 10_000)], Dies(Limit::RetainedBytes))]
            }
            Self::StateCount => &[Trial(&[], Fails("41 Ok(())"))],
            Self::TablesFlood => &[Trial(&[], Dies(Limit::Handles))],
            Self::TableNotGranted => &[Trial(&[], Fails("refused a table"))],
            Self::TableNotInForce => &[Trial(&[], Fails("rates has no version in force on 2054-03-06"))],
            Self::TableTooManyRows => &[Trial(&[], Fails("TooManyRows(1500)"))],
            Self::TableNoSuchColumn => &[Trial(&[], Fails("NoSuchColumn(\"no-such\")"))],
            Self::TableUsedAfterDrop | Self::TableDroppedTwice => &[Trial(&[], Traps("unknown handle index"))],
            Self::HandleForged => &[Trial(&[], Traps("unknown handle index 7777"))],
            Self::TellWhatIsLent => &[Trial(&[], Fails("second rate"))],
        }
    }
}

impl Rules {
    pub(super) const fn trials(self) -> &'static [Trial] {
        match self {
            Self::Nothing | Self::MisleadingText | Self::Remember => &[Trial(&[], Unharmed)],
            Self::EndlessLoop => &[Trial(&[(Limit::CpuMs, 100)], Dies(Limit::CpuMs))],
            Self::MemoryAtOnce => &[Trial(&[], Dies(Limit::MemoryBytes))],
            Self::OneLargeAnswer | Self::ManyActions => &[Trial(&[], Dies(Limit::HostCallBytes))],
            Self::TrapAfterANote => &[Trial(&[], Traps("unreachable"))],
            Self::TableMissing => &[Trial(&[], Fails("table bands has no version in force on 2026-10-19"))],
            Self::FailureMisleading => &[Trial(&[], Fails("Pay[2J now ([2J)"))],
            Self::UndeclaredOutcome => &[Trial(&[], Unsound("no outcome \"anything\""))],
            Self::OutcomeMisleading => &[Trial(&[], Unsound("no outcome \"fund[2J\""))],
            Self::UndeclaredFigure => &[Trial(&[], Unsound("no figure \"bonus\""))],
            Self::FigureTwice => &[Trial(&[], Unsound("figure fund_share is fixed twice"))],
            Self::ScaleTooLarge => &[Trial(&[], Unsound("19 digits"))],
            Self::EvidenceIsASentence => &[Trial(&[], Unsound("\"the claimant\" is no JSON Pointer"))],
            Self::EvidenceMisleading => &[Trial(&[], Unsound("\"/loss\" is no JSON Pointer"))],
            Self::RuleIsASentence => &[Trial(&[], Unsound("\"Rule 7\""))],
            Self::RuleMisleading => &[Trial(&[], Unsound("\"rule[2J\""))],
            Self::DueOnNoDay => &[Trial(&[], Unsound("day -2147483648"))],
            Self::TableFromNoDay => &[Trial(&[], Unsound("day 2147483647"))],
        }
    }
}

impl Speaks {
    pub(super) const fn trials(self) -> &'static [Trial] {
        match self {
            Self::Nothing | Self::SentMisleading => &[Trial(&[], Unharmed)],
            Self::EndlessLoop => &[Trial(&[(Limit::CpuMs, 100)], Dies(Limit::CpuMs))],
            Self::RequestFlood => &[Trial(&[(Limit::HttpRequests, 10)], Dies(Limit::HttpRequests))],
            Self::SentFlood => &[Trial(&[(Limit::HttpSentBytes, 100_000)], Dies(Limit::HttpSentBytes))],
            Self::ReceivedFlood => &[
                Trial(&[(Limit::HttpReceivedBytes, 10 * MIB)], Dies(Limit::HttpReceivedBytes)),
                Trial(&[(Limit::HttpReceivedBytes, 10 * MIB + 1)], Dies(Limit::HttpReceivedBytes)),
            ],
            Self::SlowAnswers => &[
                Trial(&[(Limit::HttpRequestMs, 200)], Curbed(Limit::HttpRequestMs)),
                Trial(&[(Limit::HttpRequestMs, 200)], Fails("TimedOut")),
                Trial(&[(Limit::WallMs, 200)], Dies(Limit::WallMs)),
            ],
            Self::WaitForEver => &[Trial(&[(Limit::WallMs, 200)], Dies(Limit::WallMs))],
            Self::WaitTooLong => &[Trial(&[], Traps("waits 61 s in one call, and may wait 60"))],
            Self::LargeBody => &[Trial(&[(Limit::MemoryBytes, 128 * MIB)], Dies(Limit::HostCallBytes))],
            Self::NotAskedFor => &[Trial(&[], Fails("does not ask for GET /admin"))],
            Self::MethodNotAskedFor => &[Trial(&[], Fails("does not ask for DELETE /v2/payments"))],
            Self::PathLeadsUp | Self::PathHidden | Self::AnotherHost => &[Trial(&[], Fails("Malformed(\"the path"))],
            Self::SetsHost => &[Trial(&[], Fails("ForbiddenHeader(\"host\")"))],
            Self::SetsAuthorization => &[Trial(&[], Fails("ForbiddenHeader(\"authorization\")"))],
            Self::HeaderSplits => &[Trial(&[], Fails("Malformed(\"a header's value"))],
            Self::PageFlood => &[Trial(&[(Limit::OutputBytes, 4 * MIB)], Dies(Limit::OutputBytes))],
            Self::NeverDone => &[Trial(&[(Limit::WallMs, 100)], Dies(Limit::WallMs))],
            Self::CursorEndless => &[Trial(&[], Unsound("a cursor of 1025 bytes"))],
            Self::CursorMisleading => &[Trial(&[], Unsound("a cursor of "))],
            Self::FailureMisleading => &[Trial(&[], Fails("Wait[2J please. (busy[2J)"))],
        }
    }
}

impl Forgeries {
    pub(super) const fn trials(self) -> &'static [Trial] {
        match self {
            Self::Sound => &[Trial(&[], Unharmed)],
            Self::TextOfFourGigabytes | Self::TextOutside => &[Trial(&[], Traps("out of bounds"))],
            Self::ListOfFourBillion => &[Trial(&[], Traps("out of bounds"))],
            Self::NotUtf8 => &[Trial(&[], Traps("utf-8"))],
            Self::NoSuchVariant => &[Trial(&[], Traps("discriminant"))],
            Self::NoSuchVerdict => &[Trial(&[], Traps("discriminant"))],
            Self::OneTextAThousandTimes => &[Trial(&[], Dies(Limit::HostCallBytes))],
            Self::AnswerOutside => &[Trial(&[], Traps("out of bounds"))],
            Self::AnswerMisaligned => &[Trial(&[], Traps("aligned"))],
            Self::LogOfOneGigabyte => &[Trial(&[], Traps("out of bounds"))],
            Self::TableGrowth => {
                &[Trial(&[], Dies(Limit::TableEntries)), Trial(&[(Limit::TableEntries, 200_000)], Dies(Limit::TableEntries))]
            }
            Self::LoopInStart => &[Trial(&[(Limit::CpuMs, 100)], Dies(Limit::CpuMs))],
            Self::LoopInRealloc | Self::LoopInPostReturn => &[Trial(&[(Limit::CpuMs, 100)], Dies(Limit::CpuMs))],
            Self::ReallocOutside => &[Trial(&[], Traps("beyond end of memory"))],
            Self::TrapInPostReturn => &[Trial(&[], Traps("unreachable"))],
            Self::MisleadingNames => &[Trial(&[], Traps("out of bounds"))],
            Self::MisleadingImport => &[Trial(&[], Refused("is named \"[2J\""))],
            Self::MisleadingImportOfModule => &[Trial(&[], Refused("missing module instantiation argument named"))],
            Self::LongImport => &[Trial(&[], Refused("longer than 256 bytes"))],
            Self::ManyInstances => &[Trial(&[], Dies(Limit::Instances))],
            Self::ManyMemories => &[Trial(&[], Dies(Limit::MemoryBytes))],
            Self::ManyTables => &[Trial(&[], Refused("hostile does not fit the contract: the compiled component cannot be loaded"))],
            Self::TwoHundredMegabytes => {
                &[Trial(&[], Dies(Limit::ComponentBytes)), Trial(&[(Limit::ComponentBytes, 128 * MIB)], Dies(Limit::ComponentBytes))]
            }
            Self::DeepTypes | Self::DeepComponents => &[Trial(&[(Limit::CompileMs, 1_500)], Refused("compil"))],
            Self::DeepNesting => &[Trial(&[(Limit::CompileMs, 1_500)], CompilesOrStops)],
            Self::OneHugeFunction => &[
                Trial(&[(Limit::CompileMs, 100)], Dies(Limit::CompileMs)),
                Trial(&[(Limit::CompileBytes, 64 * MIB)], Dies(Limit::CompileBytes)),
                Trial(&[(Limit::CompileMs, 1_500)], CompilesOrStops),
            ],
            Self::ThousandsOfFunctions => &[Trial(&[(Limit::CompileMs, 1_500)], CompilesOrStops)],
        }
    }
}
