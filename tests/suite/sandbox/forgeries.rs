//! Components that no compiler makes: lies about lengths and places, code where none is expected, bombs for the compiler.
//!
//! Each is a core module written by hand, wrapped with the section that a real guest carries about its world.

use std::fmt::Write as _;

use bailiwick::sandbox::componentise;
use wasmparser::{Parser, Payload};

use super::misdeeds::{Forgeries, MISLEADING};
use crate::support::hostile_rule_set_module;

/// Where the answer of `decide` lies: a decision, of which each part is eight bytes after its tag.
const ANSWER: u32 = 1024;
const OUTCOME: u32 = ANSWER + 4;
const REASONS: u32 = ANSWER + 12;
/// Where the reasons lie, each of 28 bytes.
const REASON: u32 = 8192;

const STORE_REASONS: &str = "(i32.store (i32.const 1036) (i32.const 8192))";

impl Forgeries {
    /// Its bytes.
    pub(super) fn component(self) -> Vec<u8> {
        let sound = Parts::default();
        let answering = |stores: String| wrapped(&Parts { decide: format!("{stores} (i32.const {ANSWER})"), ..Parts::default() });
        let store = |at: u32, value: u32| format!("(i32.store (i32.const {at}) (i32.const {value}))");
        match self {
            Self::Sound => wrapped(&sound),
            Self::TextOfFourGigabytes => answering(store(OUTCOME + 4, u32::MAX)),
            Self::ListOfFourBillion => answering(store(REASONS + 4, u32::MAX)),
            Self::TextOutside => answering(store(OUTCOME, 0xffff_fff0)),
            Self::NotUtf8 => answering(store(2048, 0xffff_ffff)),
            Self::NoSuchVariant => answering(format!("(i32.store8 (i32.const {ANSWER}) (i32.const 9))")),
            Self::NoSuchVerdict => answering(format!("{STORE_REASONS} {} {}", store(REASONS + 4, 1), store(REASON + 8, 9))),
            Self::OneTextAThousandTimes => answering(thousand_reasons()),
            Self::AnswerOutside => wrapped(&Parts { decide: "(i32.const 0xfffffff8)".to_owned(), ..sound }),
            Self::AnswerMisaligned => wrapped(&Parts { decide: "(i32.const 1025)".to_owned(), ..sound }),
            Self::LogOfOneGigabyte => wrapped(&Parts {
                imports: r#"(import "bailiwick:plugin/log@0.1.0" "write" (func $log (param i32 i32 i32)))"#.to_owned(),
                decide: format!("(call $log (i32.const 1) (i32.const 0) (i32.const 0x40000000)) (i32.const {ANSWER})"),
                ..sound
            }),
            Self::TableGrowth => wrapped(&Parts {
                more: "(table $t 1 funcref)".to_owned(),
                decide: "(loop $more
                    (br_if $more (i32.ne (i32.const -1) (table.grow $t (ref.null func) (i32.const 1000)))))
                    unreachable"
                    .to_owned(),
                ..sound
            }),
            Self::LoopInStart => wrapped(&Parts { more: "(func $start (loop (br 0))) (start $start)".to_owned(), ..sound }),
            Self::LoopInRealloc => wrapped(&Parts { realloc: "(loop (br 0)) unreachable", ..sound }),
            Self::ReallocOutside => wrapped(&Parts { realloc: "(i32.const 0xfffffff0)", ..sound }),
            Self::LoopInPostReturn => wrapped(&Parts { post_return: "(loop (br 0))", ..sound }),
            Self::TrapInPostReturn => wrapped(&Parts { post_return: "unreachable", ..sound }),
            Self::MisleadingNames => misleading_names(),
            Self::MisleadingImport => written(&format!(r#"(component (import "{}" (instance)))"#, escaped(MISLEADING))),
            Self::MisleadingImportOfModule => with_many(1, &format!(r#"(import "{}" "" (func))"#, escaped(MISLEADING))),
            Self::LongImport => written(&format!(r#"(component (import "{}" (instance)))"#, "long-".repeat(20_000))),
            Self::ManyInstances => with_many(20, ""),
            Self::ManyMemories => with_many(6, "(memory 1)"),
            Self::ManyTables => with_many(7, &"(table 1 funcref)".repeat(20)),
            Self::TwoHundredMegabytes => bailiwick::sandbox::embed_section(&wrapped(&sound), &vec![0; 200 << 20]).expect("a component"),
            Self::DeepTypes => {
                let levels = 500_000;
                let mut types = vec![1];
                types.extend([0x42, 1, 1].repeat(levels));
                types.extend([0x42, 0]);
                with_section(7, &types)
            }
            Self::DeepComponents => {
                let empty = written("(component)");
                let deep = (0..5_000).fold(empty.clone(), |inner, _| [empty.as_slice(), &[4], &leb(inner.len()), &inner].concat());
                with_section(4, &deep)
            }
            Self::DeepNesting => {
                let depth = 30_000;
                wrapped(&Parts { more: format!("(func {} {})", "(block ".repeat(depth), ")".repeat(depth)), ..sound })
            }
            Self::OneHugeFunction => wrapped(&Parts { more: huge_function(60_000), ..sound }),
            Self::ThousandsOfFunctions => wrapped(&Parts { more: huge_function(10).repeat(20_000), ..sound }),
        }
    }
}

/// What differs between the modules; by default a rule set that decides `fund`.
struct Parts {
    imports: String,
    realloc: &'static str,
    decide: String,
    post_return: &'static str,
    more: String,
}

impl Default for Parts {
    fn default() -> Self {
        let realloc = "(global.get $free) (global.set $free (i32.add (global.get $free) (local.get 3)))";
        Self { imports: String::new(), realloc, decide: format!("(i32.const {ANSWER})"), post_return: "", more: String::new() }
    }
}

fn wrapped(parts: &Parts) -> Vec<u8> {
    let Parts { imports, realloc, decide, post_return, more } = parts;
    let module = written(&format!(
        r#"(module {imports}
            (memory (export "memory") 3)
            (global $free (mut i32) (i32.const 40000))
            (data (i32.const {OUTCOME}) "\00\08\00\00\04\00\00\00")
            (data (i32.const 2048) "fund")
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})
            (func (export "initialize"))
            (func (export "bailiwick:plugin/decisions@0.1.0#decide") (param i32 i32) (result i32) (local $at i32) {decide})
            (func (export "cabi_post_bailiwick:plugin/decisions@0.1.0#decide") (param i32) {post_return})
            {more})"#
    ));
    componentise(&with_world(module)).expect("it fits the contract as far as types go")
}

fn written(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the test's text is right")
}

/// The module with the section in which a real guest says what its world is.
fn with_world(mut module: Vec<u8>) -> Vec<u8> {
    let guest = hostile_rule_set_module();
    for payload in Parser::new(0).parse_all(&guest) {
        if let Payload::CustomSection(section) = payload.expect("cargo built it")
            && section.name().starts_with("component-type")
        {
            let name = section.name().as_bytes();
            let length = leb(name.len());
            module.push(0);
            module.extend(leb(length.len() + name.len() + section.data().len()));
            module.extend(length);
            module.extend_from_slice(name);
            module.extend_from_slice(section.data());
        }
    }
    module
}

fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(u8::try_from(number & 0x7f).expect("seven bits") | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).expect("seven bits"));
    bytes
}

/// A thousand reasons, all with the same text of 64 KiB: 64 MB of answer in 130 kB of memory.
fn thousand_reasons() -> String {
    format!(
        "{STORE_REASONS} (i32.store (i32.const {}) (i32.const 1000)) (local.set $at (i32.const {REASON}))
        (loop $more
            (i32.store offset=12 (local.get $at) (i32.const 65536))
            (i32.store offset=16 (local.get $at) (i32.const 65536))
            (local.set $at (i32.add (local.get $at) (i32.const 28)))
            (br_if $more (i32.lt_u (local.get $at) (i32.const {}))))",
        REASONS + 4,
        REASON + 28_000,
    )
}

/// Functions whose names, which reasons of the runtime may show, mislead; and an answer that cannot be read.
fn misleading_names() -> Vec<u8> {
    let name = escaped(&MISLEADING.repeat(1_000));
    let decide = format!("(i32.store (i32.const {}) (i32.const -1)) (call $named) (i32.const {ANSWER})", OUTCOME + 4);
    wrapped(&Parts { decide, more: format!("(func $named (@name \"{name}\"))"), ..Parts::default() })
}

fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        write!(escaped, "\\{byte:02x}").expect("a text takes it");
        escaped
    })
}

/// A sound component with another one inside it, in which a module is instantiated some times.
fn with_many(count: usize, contents: &str) -> Vec<u8> {
    let mut component = wrapped(&Parts::default());
    let inner = written(&format!("(component (core module $m {contents}) {})", "(core instance (instantiate $m))".repeat(count)));
    let mut depth = 0;
    let mut components = 0_u8;
    for payload in Parser::new(0).parse_all(&component) {
        match payload.expect("it was made just now") {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentSection { .. } if depth == 1 => components += 1,
            _ => {}
        }
    }
    component.push(4);
    component.extend(leb(inner.len()));
    component.extend(inner);
    // A section of instances: one, of the last component, with no arguments.
    component.extend([5, 4, 1, 0, components, 0]);
    component
}

/// A sound component with a section more.
fn with_section(id: u8, contents: &[u8]) -> Vec<u8> {
    let mut component = wrapped(&Parts::default());
    component.push(id);
    component.extend(leb(contents.len()));
    component.extend_from_slice(contents);
    component
}

/// Arithmetic that no compiler can shorten, as one function.
fn huge_function(steps: usize) -> String {
    let step = "(i64.store (i32.const 0) (i64.rotl (i64.mul (i64.load (i32.const 0)) (local.get 0)) (i64.load (i32.const 8))))";
    format!("(func (param i64) {})", step.repeat(steps))
}
