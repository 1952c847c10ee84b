//! Uploaded components: the hub's inspection and the runtime must see the same thing, or what is approved is not what runs.

use std::sync::LazyLock;

use bailiwick::sandbox::{self, World};
use wasmtime::component::Component;
use wasmtime::{Config, Engine};

/// Compiles as little as it can: only what a component asks for and offers is looked at.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let mut config = Config::new();
    config.wasm_component_model(true).cranelift_opt_level(wasmtime::OptLevel::None);
    Engine::new(&config).expect("this machine can compile")
});

/// A component.
pub fn component(input: &[u8]) {
    let found = sandbox::inspect(input);
    let linked = Component::new(&ENGINE, input);
    match (&found, &linked) {
        (Ok(found), Ok(component)) => {
            let kind = component.component_type();
            let imports: Vec<&str> = kind.imports(&ENGINE).map(|(name, _)| name).collect();
            let exports: Vec<&str> = kind.exports(&ENGINE).map(|(name, _)| name).collect();
            assert_eq!(sorted(&found.imports), sorted(&imports), "what would be linked is not what was inspected");
            assert_eq!(sorted(&found.exports), sorted(&exports), "what would be called is not what was inspected");
            if let Some(world) = found.world {
                assert!(exports.contains(&world.export()));
            } else {
                assert!([World::Adapter, World::RuleSet].iter().all(|world| !exports.contains(&world.export())));
            }
        }
        // The runtime takes a nested component that the file's end cuts off, and names that no person can read; the hub does not.
        (Err(refused), Ok(_)) => {
            let told = refused.to_string();
            assert!(told.contains("cut off") || told.contains("characters that no name has"), "the runtime takes what is refused: {told}");
        }
        (Ok(_) | Err(_), Err(_)) => {}
    }
    if let Ok(found) = found {
        assert_eq!(sandbox::read_section(input).expect("it was read before"), found.manifest);
        for section in [&b""[..], b"{}", &input[..input.len().min(300)]] {
            let marked = sandbox::embed_section(input, section).expect("a component takes a section");
            let seen = sandbox::inspect(&marked).expect("a section more is no harm");
            assert_eq!(seen.manifest.as_deref(), Some(section));
            assert_eq!((&seen.imports, &seen.exports, seen.core_modules), (&found.imports, &found.exports, found.core_modules));
            assert_eq!(sandbox::embed_section(&marked, section).expect("again"), marked, "the second time changes it");
        }
    } else {
        // It may be no component and still be asked for its section, or be given one: both only say no.
        let _ = (sandbox::read_section(input), sandbox::embed_section(input, b"{}"));
    }
}

fn sorted<T: AsRef<str>>(names: &[T]) -> Vec<&str> {
    let mut names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    names.sort_unstable();
    names
}
