//! A session with an SFTP server: resolve, connect, see the host's key, sign in, open the channel. Each step has a time limit, and its
//! failure says which it was.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use russh::Channel;
use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::{HashAlg, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate};
use russh_sftp::client::{RawSftpSession, SftpSession};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpStream;

use crate::connection::error::{ConnectionError, Step};
use crate::connection::outside::{Credentials, TRANSFER_TIME_MAX, within};
use crate::model::ids::SecretName;
use crate::model::job::SftpPlace;

/// Questions that a server may ask in one sign-in by keyboard.
const QUESTIONS_MAX: usize = 4;

/// How soon a connection that is lost shows it, and how often it is looked at.
const LOST_NOTICED: Duration = Duration::from_millis(50);

/// Signed in. Dropped, the connection ends.
pub(super) struct Session {
    handle: Handle<Guard>,
    place: SftpPlace,
}

/// How the server is called in errors.
pub(super) fn name(place: &SftpPlace) -> String {
    format!("sftp://{}@{}:{}", place.user, place.host, place.port)
}

impl Session {
    /// Connects and signs in. `done` hears of every step that succeeded.
    pub(super) async fn open(
        place: &SftpPlace,
        credentials: Credentials<'_>,
        done: &mut dyn FnMut(Step, String),
    ) -> Result<Self, ConnectionError> {
        let limit = silence(place);
        let address = resolve(place).await?;
        done(Step::Resolve, address.to_string());
        let connecting = in_time(place, Step::Connect, TcpStream::connect(address)).await?;
        let stream = connecting.map_err(|error| unreachable(place, Step::Connect, &error))?;
        stream.set_nodelay(true).map_err(|error| unreachable(place, Step::Connect, &error))?;
        done(Step::Connect, String::new());
        // A server that is gone is noticed also while nothing is asked of it.
        let config = client::Config { keepalive_interval: Some(limit / 2), ..client::Config::default() };
        let guard = Guard { host: name(place), pinned: pinned(place)? };
        let greeted = in_time(place, Step::HostKey, client::connect_stream(Arc::new(config), stream, guard)).await?;
        let handle = greeted.map_err(|refusal| match refusal {
            Refusal::HostKey(error) => *error,
            Refusal::Ssh(error) => unreachable(place, Step::HostKey, &error),
        })?;
        done(Step::HostKey, String::new());
        let mut session = Self { handle, place: place.clone() };
        in_time(place, Step::SignIn, session.sign_in(credentials)).await??;
        done(Step::SignIn, place.user.clone());
        Ok(session)
    }

    /// Does something, unless the connection is lost meanwhile: requests that were under way then would wait for their time limit.
    pub(super) async fn unless_lost<T>(
        &self,
        step: Step,
        work: impl Future<Output = Result<T, ConnectionError>>,
    ) -> Result<T, ConnectionError> {
        let lost = async {
            while !self.handle.is_closed() {
                tokio::time::sleep(LOST_NOTICED).await;
            }
        };
        tokio::select! {
            biased;
            done = work => done,
            () = lost => Err(unreachable(&self.place, step, &"the connection was lost")),
        }
    }

    /// Whether the connection is lost.
    pub(super) fn is_lost(&self) -> bool {
        self.handle.is_closed()
    }

    /// Files of the server.
    pub(super) async fn files(&self) -> Result<SftpSession, ConnectionError> {
        let channel = self.channel().await?;
        let config =
            russh_sftp::client::Config { request_timeout_secs: self.place.silence_seconds_max, ..russh_sftp::client::Config::default() };
        let opened = in_time(&self.place, Step::List, SftpSession::new_with_config(channel.into_stream(), config));
        opened.await?.map_err(|error| unreachable(&self.place, Step::List, &error))
    }

    /// The same, a request at a time: a listing is read in parts, so that its length can be bounded.
    pub(super) async fn requests(&self) -> Result<RawSftpSession, ConnectionError> {
        let channel = self.channel().await?;
        let raw = RawSftpSession::new(channel.into_stream());
        raw.set_timeout(self.place.silence_seconds_max);
        in_time(&self.place, Step::List, raw.init()).await?.map_err(|error| unreachable(&self.place, Step::List, &error))?;
        Ok(raw)
    }

    async fn channel(&self) -> Result<Channel<client::Msg>, ConnectionError> {
        let place = &self.place;
        let opening = async {
            let channel = self.handle.channel_open_session().await?;
            channel.request_subsystem(true, "sftp").await?;
            Ok::<_, russh::Error>(channel)
        };
        in_time(place, Step::List, opening).await?.map_err(|error| unreachable(place, Step::List, &error))
    }

    /// By key, then by password, as far as they are named.
    async fn sign_in(&mut self, credentials: Credentials<'_>) -> Result<(), ConnectionError> {
        let place = self.place.clone();
        let mut tried = Vec::new();
        if let Some(key) = credentials.get(place.key.as_ref())? {
            let passphrase = credentials.get(place.key_passphrase.as_ref())?;
            tried.push("key");
            if self.by_key(key, passphrase).await? {
                return Ok(());
            }
        }
        if let Some(password) = credentials.get(place.password.as_ref())? {
            tried.push("password");
            if self.by_password(password).await? || self.by_keyboard(password).await? {
                return Ok(());
            }
        }
        let secrets = [&place.key, &place.password].into_iter().flatten().map(SecretName::as_str).collect::<Vec<_>>().join(" and ");
        Err(ConnectionError::SignIn {
            place: name(&place),
            why: format!("the server does not accept the {} of secret {secrets}", tried.join(" or the ")),
        })
    }

    async fn by_key(&mut self, key: &SecretString, passphrase: Option<&SecretString>) -> Result<bool, ConnectionError> {
        let named = self.place.key.clone().expect("a key was named");
        let decoded = russh::keys::decode_secret_key(key.expose_secret(), passphrase.map(|text| text.expose_secret()));
        // What the decoder says could repeat what it read.
        let key = decoded.map_err(|_| ConnectionError::Credential {
            name: named,
            why: "is no private key that can be read: give the whole file, and its passphrase if it has one".to_owned(),
        })?;
        let hash = if key.algorithm().is_rsa() { self.rsa_hash().await } else { None };
        let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
        let answered = self.handle.authenticate_publickey(self.place.user.clone(), key).await;
        self.accepted(answered).await
    }

    /// How an RSA key signs: as the server says that it can, and never by SHA-1.
    async fn rsa_hash(&self) -> Option<HashAlg> {
        self.handle.best_supported_rsa_hash().await.ok().flatten().flatten().or(Some(HashAlg::Sha512))
    }

    async fn by_password(&mut self, password: &SecretString) -> Result<bool, ConnectionError> {
        let answered = self.handle.authenticate_password(self.place.user.clone(), password.expose_secret()).await;
        self.accepted(answered).await
    }

    /// Servers that ask for the password as a question.
    async fn by_keyboard(&mut self, password: &SecretString) -> Result<bool, ConnectionError> {
        let failed = |place: &SftpPlace, error: russh::Error| unreachable(place, Step::SignIn, &error);
        let user = self.place.user.clone();
        let mut answer =
            self.handle.authenticate_keyboard_interactive_start(user, None).await.map_err(|error| failed(&self.place, error))?;
        for _ in 0..QUESTIONS_MAX {
            match answer {
                KeyboardInteractiveAuthResponse::Success => return Ok(true),
                KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(false),
                KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                    let answers = prompts.iter().map(|_| password.expose_secret().to_owned()).collect();
                    let answered = self.handle.authenticate_keyboard_interactive_respond(answers).await;
                    answer = answered.map_err(|error| failed(&self.place, error))?;
                }
            }
        }
        Ok(false)
    }

    async fn accepted(&self, answered: Result<AuthResult, russh::Error>) -> Result<bool, ConnectionError> {
        let lost = |why: &dyn std::fmt::Display| unreachable(&self.place, Step::SignIn, &why);
        match answered.map_err(|error| lost(&error))? {
            AuthResult::Success => Ok(true),
            // A connection that was lost is told in the same way as a server that offers nothing else.
            AuthResult::Failure { remaining_methods, .. } if remaining_methods.is_empty() => {
                tokio::time::sleep(LOST_NOTICED).await;
                if self.handle.is_closed() { Err(lost(&"the connection was lost")) } else { Ok(false) }
            }
            AuthResult::Failure { .. } => Ok(false),
        }
    }
}

/// Waits for a step, no longer than the server may be silent.
pub(super) async fn in_time<T>(place: &SftpPlace, step: Step, work: impl Future<Output = T>) -> Result<T, ConnectionError> {
    within(silence(place), &name(place), step, work).await
}

/// Waits for a whole transfer, which may take long, but not without end.
pub(super) async fn in_all<T>(
    place: &SftpPlace,
    step: Step,
    work: impl Future<Output = Result<T, ConnectionError>>,
) -> Result<T, ConnectionError> {
    within(TRANSFER_TIME_MAX, &name(place), step, work).await?
}

const fn silence(place: &SftpPlace) -> Duration {
    Duration::from_secs(place.silence_seconds_max)
}

/// A failure that may pass: the way to the server, or the server itself.
pub(super) fn unreachable(place: &SftpPlace, step: Step, why: &impl ToString) -> ConnectionError {
    ConnectionError::Unreachable { place: name(place), step, why: why.to_string() }
}

async fn resolve(place: &SftpPlace) -> Result<SocketAddr, ConnectionError> {
    let looking = tokio::net::lookup_host((place.host.as_str(), place.port));
    let found = in_time(place, Step::Resolve, looking).await?;
    let mut found = found.map_err(|error| unreachable(place, Step::Resolve, &error))?;
    found.next().ok_or_else(|| unreachable(place, Step::Resolve, &"the name has no address"))
}

/// Lets only a server pass that shows a pinned key.
pub(super) struct Guard {
    host: String,
    pinned: Vec<String>,
}

/// Why a server was not greeted.
#[derive(Debug)]
pub(super) enum Refusal {
    HostKey(Box<ConnectionError>),
    Ssh(russh::Error),
}

impl From<russh::Error> for Refusal {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

impl client::Handler for Guard {
    type Error = Refusal;

    async fn check_server_key(&mut self, presented: &PublicKeyOrCertificate) -> Result<bool, Refusal> {
        let presented = match presented {
            PublicKeyOrCertificate::PublicKey { key, .. } => key.fingerprint(HashAlg::Sha256).to_string(),
            PublicKeyOrCertificate::Certificate(_) => "a certificate, and only keys are pinned".to_owned(),
        };
        if self.pinned.contains(&presented) {
            return Ok(true);
        }
        Err(Refusal::HostKey(Box::new(ConnectionError::HostKey { place: self.host.clone(), presented, pinned: self.pinned.join(", ") })))
    }
}

/// The pinned keys as fingerprints.
fn pinned(place: &SftpPlace) -> Result<Vec<String>, ConnectionError> {
    let fingerprint = |key: &String| {
        if key.starts_with("SHA256:") {
            return Ok(key.clone());
        }
        let wrong =
            |_| ConnectionError::Refused { place: name(place), step: Step::HostKey, why: format!("{key:?} in host-key is no public key") };
        PublicKey::from_openssh(key).map(|key| key.fingerprint(HashAlg::Sha256).to_string()).map_err(wrong)
    };
    place.host_keys.iter().map(fingerprint).collect()
}
