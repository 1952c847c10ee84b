//! Passwords: hashed by argon2id, away from the threads that answer, a few at a time.
//!
//! It must not know whose a password is.

use std::sync::OnceLock;
use std::time::Duration;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::model::ids::PersonName;
use crate::model::limits::access::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, PASSWORD_TURN_MS_MAX, PASSWORDS_AT_ONCE};

/// What OWASP's Password Storage Cheat Sheet asks for of argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Chance in a salt, in bytes.
const SALT_BYTES: usize = 16;

/// Whose turn it is.
static TURNS: Semaphore = Semaphore::const_new(PASSWORDS_AT_ONCE);

/// A password that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefused {
    /// Too short to be left to itself.
    #[error("a password has at least {PASSWORD_CHARS_MIN} characters: a few words are easier to remember than signs")]
    Short,
    /// Too long to be hashed.
    #[error("a password has at most {PASSWORD_BYTES_MAX} bytes")]
    Long,
    /// The first thing that is guessed.
    #[error("a password does not hold the name of its owner")]
    HoldsName,
    /// One character over and over, or a row of keys.
    #[error("this password is among the first that are guessed: choose another")]
    Guessed,
}

/// More passwords came in than can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany;

/// The hash of a new password, to be kept.
///
/// # Errors
/// [`PasswordRefused`].
pub async fn hashed(person: &PersonName, password: SecretString) -> Result<SecretString, PasswordRefused> {
    check(person, password.expose_secret())?;
    // Whoever sets a password waits for their turn: they are signed in, or sit at the hub itself.
    let _turn = TURNS.acquire().await.expect("nobody closes it");
    Ok(tokio::task::spawn_blocking(move || hash(password.expose_secret())).await.expect("hashing does not panic"))
}

/// Whether a password is the one that was kept. Where none was kept it takes the same time.
pub(super) async fn matches(password: SecretString, kept: Option<SecretString>) -> Result<bool, TooMany> {
    let turn = tokio::time::timeout(Duration::from_millis(PASSWORD_TURN_MS_MAX), TURNS.acquire());
    let _turn = turn.await.map_err(|_| TooMany)?.expect("nobody closes it");
    let verified = tokio::task::spawn_blocking(move || {
        let nobodys = nobodys();
        let against = kept.as_ref().map_or(nobodys, ExposeSecret::expose_secret);
        // A longer one is no password of anybody's, and is not hashed at length.
        let typed = password.expose_secret();
        let typed = if typed.len() <= PASSWORD_BYTES_MAX { typed } else { "" };
        argon().verify_password(typed.as_bytes(), against).is_ok() && kept.is_some()
    });
    Ok(verified.await.expect("hashing does not panic"))
}

fn check(person: &PersonName, password: &str) -> Result<(), PasswordRefused> {
    let lower = password.to_lowercase();
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(PasswordRefused::Short);
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(PasswordRefused::Long);
    }
    let own = person.as_str().split('@').next().unwrap_or_default();
    if own.len() >= 3 && lower.contains(own) {
        return Err(PasswordRefused::HoldsName);
    }
    let different: std::collections::BTreeSet<char> = lower.chars().collect();
    let rows = ["1234567890", "qwertyuiop", "password", "abcdefghij", "letmein", "bailiwick"];
    let rest = rows.iter().fold(lower, |rest, row| rest.replace(row, ""));
    if different.len() < 5 || rest.chars().count() < 4 {
        return Err(PasswordRefused::Guessed);
    }
    Ok(())
}

fn argon() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("these are within the bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &str) -> SecretString {
    let mut salt = [0_u8; SALT_BYTES];
    getrandom::fill(&mut salt).expect("the system gives random numbers");
    let hash = argon().hash_password_with_salt(password.as_bytes(), &salt).expect("a password of this length can be hashed");
    SecretString::from(hash.to_string())
}

/// The hash of a password that nobody has.
fn nobodys() -> &'static str {
    static NOBODYS: OnceLock<String> = OnceLock::new();
    NOBODYS.get_or_init(|| hash("nobody's, and compared in vain").expose_secret().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_told_from_another_and_its_hash_says_how_it_was_made() {
        let person: PersonName = "j.smith".parse().unwrap();
        let kept = hashed(&person, SecretString::from("three blue lorries")).await.unwrap();
        assert!(kept.expose_secret().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", kept.expose_secret());
        let again = hashed(&person, SecretString::from("three blue lorries")).await.unwrap();
        assert_ne!(kept.expose_secret(), again.expose_secret(), "each has a salt of its own");
        for (typed, fits) in [("three blue lorries", true), ("three blue lorrie", false), ("", false), (&"x".repeat(1 << 20), false)] {
            assert_eq!(matches(SecretString::from(typed), Some(kept.clone())).await, Ok(fits), "{}", typed.len());
        }
        assert_eq!(matches(SecretString::from("nobody's, and compared in vain"), None).await, Ok(false));
        assert_eq!(matches(SecretString::from(""), Some(SecretString::from("no hash"))).await, Ok(false));
    }

    #[test]
    fn what_is_guessed_first_is_not_taken() {
        let person: PersonName = "j.smith@police.example".parse().unwrap();
        let cases = [
            ("three blue lorries", Ok(())),
            ("ünïcödé-wörds", Ok(())),
            ("short", Err(PasswordRefused::Short)),
            (&"aé".repeat(100), Err(PasswordRefused::Long)),
            ("my J.Smith password", Err(PasswordRefused::HoldsName)),
            ("aaaaaaaaaaaaaaaa", Err(PasswordRefused::Guessed)),
            ("1234567890qwertyuiop", Err(PasswordRefused::Guessed)),
            ("Password1234567890!", Err(PasswordRefused::Guessed)),
        ];
        for (password, expected) in cases {
            assert_eq!(check(&person, password), expected, "{password}");
        }
    }
}
