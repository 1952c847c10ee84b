//! Everything that a hostile guest can be told to do, listed once.
//!
//! The guests include this file and do each; the suite includes it and says what becomes of each. Both match without a
//! catch-all, so that a misdeed that nobody performs, or whose end nobody knows, does not compile.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each includer uses a part, and the names say it")]

macro_rules! misdeeds {
    ($(#[$about:meta])* $list:ident { $($misdeed:ident = $name:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $list { $($misdeed,)+ }

        impl $list {
            pub const ALL: &'static [Self] = &[$(Self::$misdeed,)+];

            /// As settings and cases name it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$misdeed => $name,)+ }
            }

            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|misdeed| misdeed.name() == name)
            }
        }
    };
}

misdeeds! {
    /// Of an adapter: it takes time, memory, stack and handles, dies in one of its calls, or looks around in its memory.
    Takes {
        Nothing = "",
        EndlessLoop = "endless-loop",
        NeverDone = "never-done",
        MemoryBySteps = "memory-by-steps",
        MemoryAtOnce = "memory-at-once",
        MemoryRefusedAndWell = "memory-refused-and-well",
        DeepRecursion = "deep-recursion",
        DeepRecursionInMemory = "deep-recursion-in-memory",
        HandlesFlood = "handles-flood",
        PanicWithLargeMessage = "panic-with-large-message",
        TrapInOpen = "trap-in-open",
        TrapInPush = "trap-in-push",
        TrapInEnd = "trap-in-end",
        TrapInFinish = "trap-in-finish",
        TrapInDrop = "trap-in-drop",
        SettingsUnusable = "settings-unusable",
        FailureMisleading = "failure-misleading",
        FailureWithLargeMessage = "failure-with-large-message",
        CountCalls = "count-calls",
        LeaveMark = "leave-mark",
        SeekMark = "seek-mark",
    }
}

misdeeds! {
    /// Of an adapter: its rows contradict themselves, the manifest or what it was given, or do not end.
    Answers {
        NoColumns = "no-columns",
        WrongKind = "wrong-kind",
        WrongScale = "wrong-scale",
        TooFewValues = "too-few-values",
        TooManyRows = "too-many-rows",
        OffsetsOutside = "offsets-outside",
        OffsetsFall = "offsets-fall",
        OffsetsCutACharacter = "offsets-cut-a-character",
        RequiredAbsent = "required-absent",
        ShortValidity = "short-validity",
        NoSuchDay = "no-such-day",
        NoSuchOutput = "no-such-output",
        OutputFlood = "output-flood",
        OneLargeOutput = "one-large-output",
        TenMillionEntries = "ten-million-entries",
        MoneyInvented = "money-invented",
        RowsWithheld = "rows-withheld",
    }
}

misdeeds! {
    /// Of an adapter: its findings are about what it was not given, contradict each other, or mislead their readers.
    Finds {
        RejectOne = "reject-one",
        RejectTwice = "reject-twice",
        RowNotGiven = "row-not-given",
        RowBeforeTheFirst = "row-before-the-first",
        NoSuchInput = "no-such-input",
        NoReason = "no-reason",
        NoSuchColumn = "no-such-column",
        CodeIsASentence = "code-is-a-sentence",
        CodeMisleading = "code-misleading",
        MisleadingMessage = "misleading-message",
        EndlessMessage = "endless-message",
        SpeakOfAbsentInput = "speak-of-absent-input",
    }
}

misdeeds! {
    /// Of an adapter: it asks the hub for too much, for what it may not have, or with handles that are not its own.
    Asks {
        LogFlood = "log-flood",
        LogOneLargeLine = "log-one-large-line",
        LogMisleading = "log-misleading",
        LogBeyondHostCall = "log-beyond-host-call",
        RandomFlood = "random-flood",
        RandomTooManyAtOnce = "random-too-many-at-once",
        ClockForever = "clock-forever",
        StateFlood = "state-flood",
        StateCount = "state-count",
        StateKept = "state-kept",
        TablesFlood = "tables-flood",
        TablesInTurn = "tables-in-turn",
        TableNotGranted = "table-not-granted",
        TableNotInForce = "table-not-in-force",
        TableTooManyRows = "table-too-many-rows",
        TableNoSuchColumn = "table-no-such-column",
        TableUsedAfterDrop = "table-used-after-drop",
        TableDroppedTwice = "table-dropped-twice",
        HandleForged = "handle-forged",
        TellWhatIsLent = "tell-what-is-lent",
    }
}

misdeeds! {
    /// Of a rule set.
    Rules {
        Nothing = "",
        EndlessLoop = "endless-loop",
        MemoryAtOnce = "memory-at-once",
        OneLargeAnswer = "one-large-answer",
        ManyActions = "many-actions",
        TrapAfterANote = "trap-after-a-note",
        TableMissing = "table-missing",
        FailureMisleading = "failure-misleading",
        UndeclaredOutcome = "undeclared-outcome",
        OutcomeMisleading = "outcome-misleading",
        UndeclaredFigure = "undeclared-figure",
        FigureTwice = "figure-twice",
        ScaleTooLarge = "scale-too-large",
        EvidenceIsASentence = "evidence-is-a-sentence",
        EvidenceMisleading = "evidence-misleading",
        RuleIsASentence = "rule-is-a-sentence",
        RuleMisleading = "rule-misleading",
        DueOnNoDay = "due-on-no-day",
        TableFromNoDay = "table-from-no-day",
        MisleadingText = "misleading-text",
        Remember = "remember",
    }
}

misdeeds! {
    /// Of a connector: it asks without end, asks for what it may not have, or leaves what misleads.
    Speaks {
        Nothing = "",
        EndlessLoop = "endless-loop",
        RequestFlood = "request-flood",
        SentFlood = "sent-flood",
        ReceivedFlood = "received-flood",
        SlowAnswers = "slow-answers",
        WaitForEver = "wait-for-ever",
        WaitTooLong = "wait-too-long",
        LargeBody = "large-body",
        NotAskedFor = "not-asked-for",
        MethodNotAskedFor = "method-not-asked-for",
        PathLeadsUp = "path-leads-up",
        PathHidden = "path-hidden",
        AnotherHost = "another-host",
        SetsHost = "sets-host",
        SetsAuthorization = "sets-authorization",
        HeaderSplits = "header-splits",
        PageFlood = "page-flood",
        NeverDone = "never-done",
        CursorEndless = "cursor-endless",
        CursorMisleading = "cursor-misleading",
        FailureMisleading = "failure-misleading",
        SentMisleading = "sent-misleading",
    }
}

misdeeds! {
    /// Components that no compiler makes: the suite writes them by hand, as rule sets.
    Forgeries {
        Sound = "sound",
        TextOfFourGigabytes = "text-of-four-gigabytes",
        ListOfFourBillion = "list-of-four-billion",
        TextOutside = "text-outside",
        NotUtf8 = "not-utf8",
        NoSuchVariant = "no-such-variant",
        NoSuchVerdict = "no-such-verdict",
        OneTextAThousandTimes = "one-text-a-thousand-times",
        AnswerOutside = "answer-outside",
        AnswerMisaligned = "answer-misaligned",
        LogOfOneGigabyte = "log-of-one-gigabyte",
        TableGrowth = "table-growth",
        LoopInStart = "loop-in-start",
        LoopInRealloc = "loop-in-realloc",
        ReallocOutside = "realloc-outside",
        LoopInPostReturn = "loop-in-post-return",
        TrapInPostReturn = "trap-in-post-return",
        MisleadingNames = "misleading-names",
        MisleadingImport = "misleading-import",
        MisleadingImportOfModule = "misleading-import-of-module",
        LongImport = "long-import",
        ManyInstances = "many-instances",
        ManyMemories = "many-memories",
        ManyTables = "many-tables",
        TwoHundredMegabytes = "two-hundred-megabytes",
        DeepNesting = "deep-nesting",
        DeepTypes = "deep-types",
        DeepComponents = "deep-components",
        OneHugeFunction = "one-huge-function",
        ThousandsOfFunctions = "thousands-of-functions",
    }
}

/// Whatever an adapter can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misdeed {
    Takes(Takes),
    Answers(Answers),
    Finds(Finds),
    Asks(Asks),
}

impl Misdeed {
    pub fn all() -> impl Iterator<Item = Self> {
        let (takes, answers) = (Takes::ALL.iter().copied().map(Self::Takes), Answers::ALL.iter().copied().map(Self::Answers));
        let (finds, asks) = (Finds::ALL.iter().copied().map(Self::Finds), Asks::ALL.iter().copied().map(Self::Asks));
        takes.chain(answers).chain(finds).chain(asks)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Takes(misdeed) => misdeed.name(),
            Self::Answers(misdeed) => misdeed.name(),
            Self::Finds(misdeed) => misdeed.name(),
            Self::Asks(misdeed) => misdeed.name(),
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|misdeed| misdeed.name() == name)
    }
}

/// Characters that steer a terminal, turn the direction of reading or cannot be seen. None may reach a reader.
pub const MISLEADING: &str = "\u{1b}[2J\u{0}\u{7}\u{202e}\u{2066}\u{200b}\u{feff}\u{9b}\u{e0041}\u{2028}";
