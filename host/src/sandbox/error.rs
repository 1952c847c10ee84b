//! What can go wrong in the sandbox, by what the reader must do about it.

use std::path::PathBuf;

use super::inspect::World;
use super::worker::Report;
use crate::model::ids::PluginName;
use crate::model::limits::Limit;
use crate::model::outcome::PluginFailure;

/// Why a component could not be installed, or why the sandbox itself could not work.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The author builds the component anew.
    #[error("this is not a WebAssembly component that the hub can run: {detail}")]
    NotAComponent {
        /// What is wrong with the bytes.
        detail: String,
    },
    /// The author makes it smaller, or the operator allows more.
    #[error("the component has {bytes} bytes and {limit} allows {allowed}", limit = Limit::ComponentBytes)]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// What is allowed.
        allowed: u64,
    },
    /// The author removes what needs it. Nothing can grant it.
    #[error("the component imports {interface}, which the hub never lends: plugins import bailiwick:plugin interfaces and nothing else")]
    ForbiddenImport {
        /// The import, as the component names it.
        interface: String,
    },
    /// The author builds against a contract that this hub serves.
    #[error("the component uses {interface}, and this hub serves version {served} of the contract")]
    ContractVersion {
        /// The import or export, as the component names it.
        interface: String,
        /// The version that is served.
        served: &'static str,
    },
    /// The author declares what the plugin uses.
    #[error("plugin {plugin} imports {interface} but does not ask for it: add `{want}` to [wants] in plugin.toml")]
    ImportNotWanted {
        /// The plugin.
        plugin: PluginName,
        /// The import.
        interface: String,
        /// The line to add.
        want: &'static str,
    },
    /// The author exports what its kind must have.
    #[error("plugin {plugin} is {kind} and must export {export}", kind = kind.with_article())]
    ExportMissing {
        /// The plugin.
        plugin: PluginName,
        /// What its manifest says that it is.
        kind: World,
        /// What is missing.
        export: &'static str,
    },
    /// The author asks for less, or the operator raises what may be allowed.
    #[error("plugin {plugin} asks for more than may be allowed: {detail}")]
    LimitAboveCeiling {
        /// The plugin.
        plugin: PluginName,
        /// Which limit and how much.
        detail: String,
    },
    /// The author mends the types of imports and exports.
    #[error("plugin {plugin} does not fit the contract: {detail}")]
    DoesNotLink {
        /// The plugin.
        plugin: PluginName,
        /// What does not fit.
        detail: String,
    },
    /// The author makes the component easier to compile, or the operator allows more.
    #[error("compiling the component was stopped: it may take {allowed} by {limit}")]
    CompileLimit {
        /// Time or memory.
        limit: Limit,
        /// What is allowed.
        allowed: u64,
    },
    /// The author builds the component anew.
    #[error("the component cannot be compiled: {detail}")]
    CompileFailed {
        /// What the compiler said.
        detail: String,
    },
    /// The operator mends the installation.
    #[error("the compiler {program} cannot be started: {source}")]
    CompilerMissing {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The operator mends the folder of compiled components.
    #[error("the cache of compiled components at {path}: {detail}")]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A defect of the hub: the work on a sandbox thread panicked. The thread goes on.
    #[error("a defect of the hub: work on a sandbox thread panicked: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// The hub is shutting down, or its threads could not be started.
    #[error("the sandbox's threads do not run: {detail}")]
    ThreadsStopped {
        /// Why.
        detail: String,
    },
}

/// Why a call into a plugin did not succeed. The instance is gone; others are not touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The author makes the plugin use less, or the operator allows more. Not to be retried as it is.
    #[error("plugin {plugin} reached its limit {limit}: {allowed} allowed{}", used.map(|used| format!(", {used} wanted")).unwrap_or_default())]
    LimitReached {
        /// The plugin.
        plugin: PluginName,
        /// The limit.
        limit: Limit,
        /// What is allowed, in the limit's unit.
        allowed: u64,
        /// What it used or wanted, where that is known.
        used: Option<u64>,
    },
    /// A person grants it, or the author does without. Not to be retried as it is.
    #[error("plugin {plugin} imports {interface}, which it is not granted")]
    NotGranted {
        /// The plugin.
        plugin: PluginName,
        /// The import.
        interface: String,
    },
    /// The author mends the plugin: it stopped itself or broke the rules of WebAssembly. Not to be retried as it is.
    #[error("plugin {plugin} trapped: {message}")]
    Trapped {
        /// The plugin.
        plugin: PluginName,
        /// What the runtime said.
        message: String,
    },
    /// The plugin answered that the call failed, and says who mends it.
    #[error("{0}")]
    Failed(PluginFailure),
    /// The author mends the plugin: its answer contradicts itself or its manifest. Not to be retried as it is.
    #[error("plugin {plugin} gave an answer that cannot be: {detail}")]
    Unsound {
        /// The plugin.
        plugin: PluginName,
        /// The first contradiction.
        detail: String,
    },
    /// The hub called again although an earlier call of the same run had failed.
    #[error("plugin {plugin} was called after a call of the same run had failed")]
    Spent {
        /// The plugin.
        plugin: PluginName,
    },
    /// A defect or shortage of the hub, not of the plugin. May be retried.
    #[error("the hub failed while it ran plugin {plugin}: {detail}")]
    HubFault {
        /// The plugin.
        plugin: PluginName,
        /// What failed.
        detail: String,
    },
}

/// A call that did not succeed, with what the instance had used and logged until then.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct FailedCall {
    /// Why.
    pub error: CallError,
    /// What was used and logged.
    pub report: Report,
}
