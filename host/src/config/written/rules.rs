//! `hub.toml` and `partners.toml` as they are written.

use serde::Deserialize;
use toml::Spanned;

use crate::registry::manifest::Pairs;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Partners {
    pub partner: Vec<Partner>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::config) struct Partner {
    pub name: Spanned<String>,
    pub title: Spanned<String>,
    pub runs_at_once: Option<Spanned<u64>>,
    #[serde(default)]
    pub releases: ReleasesWord,
    pub changes: Option<Spanned<String>>,
    #[serde(default)]
    pub proof: Proof,
    #[serde(default)]
    pub retention: Retention,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::config) struct Proof {
    pub clean_runs: Option<Spanned<u64>>,
    #[serde(default)]
    pub differences: DifferencesWord,
    #[serde(default)]
    pub plugin: Vec<ProofOf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::config) struct ProofOf {
    pub name: Spanned<String>,
    pub clean_runs: Spanned<u64>,
    #[serde(default)]
    pub differences: DifferencesWord,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum DifferencesWord {
    #[default]
    None,
    Explained,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct HubFile {
    #[serde(default)]
    pub ceiling: Ceiling,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Ceiling {
    #[serde(default)]
    pub without: Vec<Spanned<String>>,
    #[serde(default)]
    pub limits: Pairs<Spanned<u64>>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum ReleasesWord {
    #[default]
    Open,
    Signed,
    Approved,
    ThreePersons,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::config) struct Retention {
    pub artefacts_days: Option<Spanned<u64>>,
    pub rejects_days: Option<Spanned<u64>>,
    pub events_days: Option<Spanned<u64>>,
}
