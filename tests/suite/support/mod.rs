//! What the tests stand on: plugins built once, a site of its own for each test, runs taken to their end, guests that misbehave.

mod books;
mod guests;
mod plugins;
mod postgres;
mod program;
mod runs;
mod sealed;
mod servers;
mod site;

pub(crate) use books::{Csv, pence, pounds};
pub(crate) use guests::{compiler_path, hostile_adapter, hostile_connector, hostile_format, hostile_rule_set, hostile_rule_set_module};
pub(crate) use plugins::{component_of, hostile_component, plugin_path, root};
pub(crate) use postgres::Postgres;
pub(crate) use program::{Said, Serving, bailiwick, say};
pub(crate) use runs::{FIRE, POLICE, drain, ended, finished, job, operator, partner, reason, request, runs_of};
pub(crate) use sealed::{content, forge, keys_of};
pub(crate) use servers::{
    Asked, Authority, Cut, Meddling, PasswordServer, REGISTRY_PASSWORD, Registry, RegistryOptions, S3, Smtp, Sshd, Web, Wire,
};
pub(crate) use site::{LGPS, RECEIVER, Site, clock_at, webhook_unreached};

/// Takes a future to its end on a runtime of its own.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime").block_on(future)
}
