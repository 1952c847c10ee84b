//! What the operator says of a provider of identities: a file of TOML. The client's secret stands elsewhere.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

use crate::access::Role;
use crate::model::ids::PartnerName;

/// A file about a provider that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct BadSettings {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub why: String,
}

/// What is said of a provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProviderSettings {
    /// Where it is: `https://login.police.example`, as its tokens name it.
    pub issuer: String,
    /// What people call it.
    pub title: Option<String>,
    /// The hub's name there.
    pub client_id: String,
    /// The file of the hub's secret there.
    pub client_secret_file: Option<PathBuf>,
    /// The variable of the environment with the hub's secret there.
    pub client_secret_env: Option<String>,
    /// Where people's browsers reach the hub: `https://hub.police.example`.
    pub hub_url: String,
    /// The authority of the provider's certificate, where it is none that everybody trusts.
    pub ca_file: Option<PathBuf>,
    /// Which claim is the name under which a person is known here.
    #[serde(default = "preferred_username")]
    pub name_claim: String,
    /// Which claim lists groups.
    #[serde(default = "groups")]
    pub groups_claim: String,
    /// What members of a group are here. Whoever is in one is let in, and who leaves it loses the role when they sign in again.
    #[serde(default, rename = "role")]
    pub roles: Vec<MappedRole>,
    #[serde(skip)]
    path: PathBuf,
}

/// What members of a group are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MappedRole {
    /// As the provider names it.
    pub group: String,
    /// Where.
    #[serde(deserialize_with = "parsed")]
    pub partner: PartnerName,
    /// What.
    #[serde(deserialize_with = "parsed")]
    pub role: Role,
}

fn preferred_username() -> String {
    "preferred_username".to_owned()
}

fn groups() -> String {
    "groups".to_owned()
}

fn parsed<'de, D: serde::Deserializer<'de>, T: std::str::FromStr<Err: std::fmt::Display>>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

impl ProviderSettings {
    pub(super) fn read(path: &Path) -> Result<Self, BadSettings> {
        let bad = |why: String| BadSettings { path: path.to_owned(), why };
        let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
        let mut settings: Self = toml::from_str(&text).map_err(|error| bad(error.to_string()))?;
        path.clone_into(&mut settings.path);
        settings.check()?;
        Ok(settings)
    }

    /// The hub's secret at the provider.
    pub(super) fn secret(&self) -> Result<SecretString, BadSettings> {
        let text = match (&self.client_secret_file, &self.client_secret_env) {
            (Some(file), None) => std::fs::read_to_string(file).map_err(|error| self.bad(format!("{}: {error}", file.display())))?,
            (None, Some(name)) => std::env::var(name).map_err(|_| self.bad(format!("the environment has no {name}")))?,
            _ => return Err(self.bad("name either client-secret-file or client-secret-env".to_owned())),
        };
        Ok(SecretString::from(text.trim_end_matches(['\r', '\n'])))
    }

    pub(super) fn bad(&self, why: String) -> BadSettings {
        BadSettings { path: self.path.clone(), why }
    }

    fn check(&self) -> Result<(), BadSettings> {
        for (what, url) in [("issuer", &self.issuer), ("hub-url", &self.hub_url)] {
            if !is_secure(url) {
                return Err(self.bad(format!("{what} {url:?} must begin with https://, or be on this machine")));
            }
        }
        Ok(())
    }
}

/// Whether nobody on the way can read along: by TLS, or on this very machine.
pub(super) fn is_secure(url: &str) -> bool {
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let host_ends = |rest: &str| rest.is_empty() || rest.starts_with([':', '/']);
    url.starts_with("https://") || local.iter().any(|local| url.strip_prefix(local).is_some_and(host_ends))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_and_what_is_wrong_with_it_is_told() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("provider.toml");
        let good = "issuer = \"https://login.example\"\nclient-id = \"hub\"\nclient-secret-env = \"NO_SUCH_VARIABLE_HERE\"\n\
                    hub-url = \"https://hub.example\"\n[[role]]\ngroup = \"g\"\npartner = \"police\"\nrole = \"viewer\"\n";
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            ProviderSettings::read(&path)
        };
        let settings = read(good).unwrap();
        assert_eq!((settings.name_claim.as_str(), settings.roles[0].role), ("preferred_username", Role::Viewer));
        assert!(settings.secret().unwrap_err().to_string().contains("the environment has no NO_SUCH_VARIABLE_HERE"));
        for (from, to, said) in [
            ("https://login", "http://login", "must begin with https://"),
            ("https://hub.example", "http://127.0.0.1.evil.example", "must begin with https://"),
            ("viewer", "king", "viewer, operator, approver or admin"),
            ("client-id", "client_id", "client_id"),
            ("client-secret-env = \"NO_SUCH_VARIABLE_HERE\"\n", "", "client-secret-file or client-secret-env"),
        ] {
            let error = read(&good.replace(from, to)).and_then(|settings| settings.secret().map(drop)).unwrap_err().to_string();
            assert!(error.contains(said) && error.contains("provider.toml"), "{error}");
        }
        assert!(is_secure("http://127.0.0.1:8470/x") && is_secure("http://localhost"));
    }
}
