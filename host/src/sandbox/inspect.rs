//! Reads a component without running it: what it imports, what it exports, what stands in its manifest section.
//!
//! It decides nothing about grants; `install` does. What it reads is untrusted: nothing is allocated by what it says, and
//! nothing is read that can be nested without end. Types can, and the validator calls itself for each level of them until
//! the process dies of it. So only the compiler child asks whether a component is valid.

use std::fmt;

use wasmparser::{Encoding, Instance, Parser, Payload};

use super::contract::text::clean;
use super::error::SandboxError;
use crate::model::limits::MESSAGE_BYTES_MAX;
use crate::model::manifest::{Kind, Manifest};

/// Name of the custom section that holds a plugin's manifest, its schemas and its tables.
pub const MANIFEST_SECTION: &str = "bailiwick:manifest";

/// Longest name of an import or export, in bytes: three times that of any interface in use.
const NAME_BYTES_MAX: usize = 256;

/// The kinds of plugin, as the worlds of the contract name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// Rows in, rows out.
    Adapter,
    /// A case in, a decision out.
    RuleSet,
    /// Rows into a file, a file into rows.
    Format,
    /// Files fetched from a provider's API and sent to it.
    Connector,
}

impl World {
    /// Every one of them.
    pub const ALL: [Self; 4] = [Self::Adapter, Self::RuleSet, Self::Format, Self::Connector];

    /// The world that a manifest declares.
    #[must_use]
    pub const fn of(manifest: &Manifest) -> Self {
        match manifest.kind {
            Kind::Adapter(_) => Self::Adapter,
            Kind::RuleSet(_) => Self::RuleSet,
            Kind::Format(_) => Self::Format,
            Kind::Connector(_) => Self::Connector,
        }
    }

    /// The interface that a plugin of the kind exports.
    #[must_use]
    pub const fn export(self) -> &'static str {
        match self {
            Self::Adapter => "bailiwick:plugin/rows@0.1.0",
            Self::RuleSet => "bailiwick:plugin/decisions@0.1.0",
            Self::Format => "bailiwick:plugin/formats@0.2.0",
            Self::Connector => "bailiwick:plugin/connectors@0.2.0",
        }
    }

    pub(super) const fn with_article(self) -> &'static str {
        match self {
            Self::Adapter => "an adapter",
            Self::RuleSet => "a rule set",
            Self::Format => "a format",
            Self::Connector => "a connector",
        }
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Adapter => "adapter",
            Self::RuleSet => "rule-set",
            Self::Format => "format",
            Self::Connector => "connector",
        })
    }
}

/// What a component says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The kind that its exports make it, if they make it one.
    pub world: Option<World>,
    /// What it imports, in its order.
    pub imports: Vec<String>,
    /// What it exports, in its order.
    pub exports: Vec<String>,
    /// The contents of its manifest section.
    pub manifest: Option<Vec<u8>>,
    /// Its size.
    pub component_bytes: u64,
    /// Core modules in it, those of nested components included.
    pub core_modules: u32,
    /// Core instances that one instance of it has.
    pub core_instances: u32,
}

/// Reads a component. Nothing of it is run, and whether it is valid is not asked: see above.
///
/// # Errors
/// [`SandboxError::NotAComponent`].
pub fn inspect(wasm: &[u8]) -> Result<Inspection, SandboxError> {
    let mut found = Inspection {
        world: None,
        imports: Vec::new(),
        exports: Vec::new(),
        manifest: None,
        component_bytes: wasm.len() as u64,
        core_modules: 0,
        core_instances: 0,
    };
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| unreadable(&error))?;
        match payload {
            Payload::Version { encoding, .. } => {
                if depth == 0 && encoding == Encoding::Module {
                    return Err(SandboxError::NotAComponent {
                        detail: "it is a core module; `bailiwick plugin build` wraps it into a component".to_owned(),
                    });
                }
                depth += 1;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            other => {
                whole(&other, wasm.len())?;
                note(&mut found, depth, other)?;
            }
        }
    }
    found.world = World::ALL.into_iter().find(|world| found.exports.iter().any(|export| export == world.export()));
    Ok(found)
}

/// Refuses what is cut off inside a nested module or component: parser and runtime take the end of the file for its end.
fn whole(payload: &Payload<'_>, bytes: usize) -> Result<(), SandboxError> {
    let (Payload::ModuleSection { unchecked_range, .. } | Payload::ComponentSection { unchecked_range, .. }) = payload else {
        return Ok(());
    };
    if unchecked_range.end > bytes {
        let missing = unchecked_range.end - bytes;
        return Err(SandboxError::NotAComponent { detail: format!("it is cut off: {missing} bytes of what it nests are missing") });
    }
    Ok(())
}

fn note(found: &mut Inspection, depth: u32, payload: Payload<'_>) -> Result<(), SandboxError> {
    match payload {
        Payload::ModuleSection { .. } => found.core_modules = found.core_modules.saturating_add(1),
        Payload::InstanceSection(instances) => {
            for instance in instances {
                if let Instance::Instantiate { .. } = instance.map_err(|error| unreadable(&error))? {
                    found.core_instances = found.core_instances.saturating_add(1);
                }
            }
        }
        // Only the outermost component talks to the hub; what nested ones import, it gives them.
        Payload::ComponentImportSection(imports) if depth == 1 => {
            for import in imports {
                found.imports.push(plain_name(import.map_err(|error| unreadable(&error))?.name.name)?);
            }
        }
        Payload::ComponentExportSection(exports) if depth == 1 => {
            for export in exports {
                found.exports.push(plain_name(export.map_err(|error| unreadable(&error))?.name.name)?);
            }
        }
        Payload::CustomSection(section) if depth == 1 && section.name() == MANIFEST_SECTION => {
            found.manifest = Some(section.data().to_vec());
        }
        _ => {}
    }
    Ok(())
}

/// A name that people will be shown: what no name has could make them read another.
fn plain_name(name: &str) -> Result<String, SandboxError> {
    if name.len() <= NAME_BYTES_MAX && name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(name.to_owned());
    }
    let shown = clean(name.to_owned(), NAME_BYTES_MAX, &mut 0);
    Err(SandboxError::NotAComponent {
        detail: format!(
            "an import or export is named {shown:?}, which is longer than {NAME_BYTES_MAX} bytes or has characters that no name has"
        ),
    })
}

/// The parser's words may hold names from the component.
fn unreadable(error: &wasmparser::BinaryReaderError) -> SandboxError {
    SandboxError::NotAComponent { detail: clean(error.to_string(), MESSAGE_BYTES_MAX, &mut 0) }
}

/// The contents of a component's manifest section, if it has one.
///
/// # Errors
/// [`SandboxError::NotAComponent`].
pub fn read_section(wasm: &[u8]) -> Result<Option<Vec<u8>>, SandboxError> {
    Ok(inspect(wasm)?.manifest)
}

/// The component with a manifest section that holds some bytes, in place of any that it had.
///
/// # Errors
/// [`SandboxError::NotAComponent`].
pub fn embed_section(wasm: &[u8], bytes: &[u8]) -> Result<Vec<u8>, SandboxError> {
    inspect(wasm)?;
    let mut without = Vec::with_capacity(wasm.len() + bytes.len() + MANIFEST_SECTION.len() + 16);
    let mut copied = 0;
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(|error| unreadable(&error))? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if depth == 1 && section.name() == MANIFEST_SECTION => {
                let range = section_with_header(wasm, section.range())?;
                without.extend_from_slice(&wasm[copied..range.start]);
                copied = range.end;
            }
            _ => {}
        }
    }
    without.extend_from_slice(&wasm[copied..]);
    let mut contents = Vec::with_capacity(bytes.len() + MANIFEST_SECTION.len() + 1);
    put_length(&mut contents, MANIFEST_SECTION.len());
    contents.extend_from_slice(MANIFEST_SECTION.as_bytes());
    contents.extend_from_slice(bytes);
    without.push(0);
    put_length(&mut without, contents.len());
    without.extend_from_slice(&contents);
    Ok(without)
}

/// The bytes of a custom section from its id on, given the range of its contents (its name and its data).
fn section_with_header(wasm: &[u8], contents: std::ops::Range<usize>) -> Result<std::ops::Range<usize>, SandboxError> {
    // The header is the id 0 and the length in LEB128, which may be written longer than it need be.
    for length_bytes in 1..=5_usize {
        let Some(start) = contents.start.checked_sub(length_bytes + 1) else { break };
        if wasm[start] == 0 && get_length(&wasm[start + 1..contents.start]) == Some(contents.len()) {
            return Ok(start..contents.end);
        }
    }
    Err(SandboxError::NotAComponent { detail: "its manifest section has no readable length".to_owned() })
}

fn put_length(to: &mut Vec<u8>, mut length: usize) {
    loop {
        let low = u8::try_from(length & 0x7f).expect("seven bits fit a byte");
        length >>= 7;
        if length == 0 {
            to.push(low);
            return;
        }
        to.push(low | 0x80);
    }
}

/// The number that exactly these bytes code, if they do.
fn get_length(bytes: &[u8]) -> Option<usize> {
    let (last, before) = bytes.split_last()?;
    if last & 0x80 != 0 || before.iter().any(|byte| byte & 0x80 == 0) {
        return None;
    }
    Some(bytes.iter().rev().fold(0, |number, byte| number << 7 | usize::from(byte & 0x7f)))
}

/// Wraps a core module, built for `wasm32-unknown-unknown` with the SDK's bindings, into a component.
///
/// # Errors
/// [`SandboxError::NotAComponent`] if it was not built against the contract, or asks for what a component cannot have.
pub fn componentise(core_module: &[u8]) -> Result<Vec<u8>, SandboxError> {
    wit_component::ComponentEncoder::default()
        .module(core_module)
        .and_then(|encoder| encoder.validate(true).encode())
        .map_err(|error| SandboxError::NotAComponent { detail: format!("{error:#}") })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn component(text: &str) -> Vec<u8> {
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn tells_imports_exports_and_kind() {
        let wasm = component(
            r#"(component
                (import "bailiwick:plugin/clock@0.1.0" (instance))
                (import "wasi:cli/environment@0.2.0" (instance $env))
                (component $inner (import "not-ours" (func)))
                (core module $m (func (export "f")))
                (core instance $i (instantiate $m))
                (func $f (canon lift (core func $i "f")))
                (export "initialize" (func $f))
                (export "bailiwick:plugin/rows@0.1.0" (instance $env)))"#,
        );
        let found = inspect(&wasm).unwrap();
        assert_eq!(found.imports, ["bailiwick:plugin/clock@0.1.0", "wasi:cli/environment@0.2.0"]);
        assert_eq!(found.exports, ["initialize", "bailiwick:plugin/rows@0.1.0"]);
        assert_eq!((found.world, found.core_modules, found.core_instances), (Some(World::Adapter), 1, 1));
    }

    #[test]
    fn refuses_what_is_no_component() {
        for bytes in [&b""[..], b"not wasm", &component("(module)"), b"\0asm\x0d\0\x01\0\xff"] {
            assert!(matches!(inspect(bytes), Err(SandboxError::NotAComponent { .. })), "{bytes:?}");
        }
        let nested = component("(component (component (core module)))");
        for cut in 9..nested.len() {
            assert!(inspect(&nested[..cut]).is_err() && embed_section(&nested[..cut], b"{}").is_err(), "cut at {cut}");
        }
        let detail = inspect(&component("(module)")).unwrap_err().to_string();
        assert!(detail.contains("bailiwick plugin build"), "{detail}");
    }

    proptest! {
        #[test]
        fn sections_read_back(first in prop::collection::vec(any::<u8>(), 0..400), second in prop::collection::vec(any::<u8>(), 0..400)) {
            let bare = component(r#"(component (core module) (@custom "other" "x"))"#);
            prop_assert_eq!(read_section(&bare).unwrap(), None);
            let once = embed_section(&bare, &first).unwrap();
            prop_assert_eq!(read_section(&once).unwrap(), Some(first));
            let twice = embed_section(&once, &second).unwrap();
            prop_assert_eq!(read_section(&twice).unwrap(), Some(second.clone()));
            prop_assert_eq!(&twice, &embed_section(&bare, &second).unwrap());
            prop_assert!(inspect(&twice).is_ok());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..200) {
            let _ = inspect(&bytes);
            let mut broken = embed_section(&component("(component (core module))"), &bytes).unwrap();
            broken.truncate(cut.min(broken.len()));
            let _ = inspect(&broken);
            let _ = embed_section(&broken, b"x");
        }
    }
}
