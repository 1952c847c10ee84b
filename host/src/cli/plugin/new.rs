//! `bailiwick plugin new`: a folder with a small plugin that works, to be changed into the one that is wanted.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::Answer;
use crate::cli::paint::say;
use crate::model::ids::PluginName;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum KindWord {
    /// Rows in, rows out.
    Adapter,
    /// A case in, a decision out.
    RuleSet,
    /// Rows into a file, a file into rows.
    Format,
    /// Files from a provider's API.
    Connector,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Options {
    /// The plugin's name, and that of its folder.
    name: PluginName,
    /// What it does.
    #[arg(long, value_enum)]
    kind: KindWord,
    /// The folder of the SDK, where it is not the one that this program was built beside.
    #[arg(long, env = "BAILIWICK_SDK", value_name = "FOLDER")]
    sdk: Option<PathBuf>,
}

macro_rules! template {
    ($kind:literal: $($file:literal => $name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../sdk/templates/", $kind, "/", $file)))),+]
    };
}

type Template = &'static [(&'static str, &'static str)];

const ADAPTER: Template = template!("adapter":
    "Cargo.toml.tmpl" => "Cargo.toml",
    "README.md.tmpl" => "README.md",
    "gitignore.tmpl" => ".gitignore",
    "plugin.toml.tmpl" => "plugin.toml",
    "settings.schema.json" => "settings.schema.json",
    "src/lib.rs" => "src/lib.rs",
    "cases/first/case.toml" => "cases/first/case.toml",
    "cases/first/in/claims.csv" => "cases/first/in/claims.csv",
    "cases/first/expected/payments.csv" => "cases/first/expected/payments.csv",
    "cases/first/expected/findings.csv" => "cases/first/expected/findings.csv",
    "cases/rate-too-high/case.toml" => "cases/rate-too-high/case.toml",
    "cases/rate-too-high/in/claims.csv" => "cases/rate-too-high/in/claims.csv",
);

const RULE_SET: Template = template!("rule-set":
    "Cargo.toml.tmpl" => "Cargo.toml",
    "README.md.tmpl" => "README.md",
    "gitignore.tmpl" => ".gitignore",
    "plugin.toml.tmpl" => "plugin.toml",
    "case.schema.json" => "case.schema.json",
    "settings.schema.json" => "settings.schema.json",
    "src/lib.rs" => "src/lib.rs",
    "tables/approval-limits.toml" => "tables/approval-limits.toml",
    "tables/approval-limits-2026-27.csv" => "tables/approval-limits-2026-27.csv",
    "cases/limits.json" => "cases/limits.json",
);

const FORMAT: Template = template!("format":
    "Cargo.toml.tmpl" => "Cargo.toml",
    "README.md.tmpl" => "README.md",
    "gitignore.tmpl" => ".gitignore",
    "plugin.toml.tmpl" => "plugin.toml",
    "settings.schema.json" => "settings.schema.json",
    "src/lib.rs" => "src/lib.rs",
    "cases/first/case.toml" => "cases/first/case.toml",
    "cases/first/rows.csv" => "cases/first/rows.csv",
    "cases/first/file.txt" => "cases/first/file.txt",
    "cases/line-wrong/case.toml" => "cases/line-wrong/case.toml",
    "cases/line-wrong/file.txt" => "cases/line-wrong/file.txt",
    "cases/line-wrong/rows.csv" => "cases/line-wrong/rows.csv",
    "cases/line-wrong/refused.csv" => "cases/line-wrong/refused.csv",
    "cases/separator/case.toml" => "cases/separator/case.toml",
    "cases/separator/rows.csv" => "cases/separator/rows.csv",
    "cases/separator/unwritable.csv" => "cases/separator/unwritable.csv",
    "cases/total-wrong/case.toml" => "cases/total-wrong/case.toml",
    "cases/total-wrong/file.txt" => "cases/total-wrong/file.txt",
);

const CONNECTOR: Template = template!("connector":
    "Cargo.toml.tmpl" => "Cargo.toml",
    "README.md.tmpl" => "README.md",
    "gitignore.tmpl" => ".gitignore",
    "plugin.toml.tmpl" => "plugin.toml",
    "settings.schema.json" => "settings.schema.json",
    "src/lib.rs" => "src/lib.rs",
    "cases/busy/case.toml" => "cases/busy/case.toml",
    "cases/refused/case.toml" => "cases/refused/case.toml",
    "cases/two-pages/case.toml" => "cases/two-pages/case.toml",
    "cases/two-pages/absences.jsonl" => "cases/two-pages/absences.jsonl",
    "cases/two-pages/page-1.json" => "cases/two-pages/page-1.json",
    "cases/two-pages/page-2.json" => "cases/two-pages/page-2.json",
);

pub(super) fn new(options: &Options) -> Answer {
    let folder = Path::new(options.name.as_str());
    if folder.exists() {
        return Err(format!("{} is there already: choose another name, or remove it", folder.display()).into());
    }
    let sdk = sdk(options.sdk.as_deref())?;
    let template = match options.kind {
        KindWord::Adapter => ADAPTER,
        KindWord::RuleSet => RULE_SET,
        KindWord::Format => FORMAT,
        KindWord::Connector => CONNECTOR,
    };
    for (name, text) in template {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("every file lies in the folder"))?;
        std::fs::write(&path, text.replace("{{name}}", options.name.as_str()).replace("{{sdk}}", &sdk))?;
    }
    say(format!("{} is made. Next:", folder.display()));
    for step in [
        format!("cd {}", folder.display()),
        "cargo test".to_owned(),
        "bailiwick plugin build".to_owned(),
        "bailiwick plugin test".to_owned(),
    ] {
        say(format!("  {step}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// How Cargo.toml names the SDK: by the folder that was said, else the one that this program was built beside.
fn sdk(said: Option<&Path>) -> Result<String, Box<dyn std::error::Error>> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/rust");
    let folder = said.map_or(beside, Path::to_owned);
    let folder = folder.canonicalize().map_err(|_| format!("the SDK is not at {}: say where it is with --sdk FOLDER", folder.display()))?;
    if !folder.join("Cargo.toml").is_file() {
        return Err(format!("{} is not the SDK's folder: it has no Cargo.toml", folder.display()).into());
    }
    Ok(format!("{{ path = {:?} }}", folder.display().to_string()))
}
