//! A sealed file, read from any place: the stretch in which that lies is opened, and held until another is wanted.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt as _;

use super::DataKeys;
use super::layout::{self, FileKey, HEADER_BYTES, Part, STRETCH_BYTES, TAG_BYTES};
use crate::vault::error::VaultError;

/// A sealed file that is open.
pub struct SealedFile {
    file: File,
    key: FileKey,
    partner: String,
    /// How it is named where something is wrong with it.
    name: String,
    size: u64,
    place: u64,
    /// The stretch that is held, and its plain bytes with a tag's length behind them.
    held: Option<u64>,
    block: Vec<u8>,
}

impl SealedFile {
    /// Opens a file that was sealed for a partner, and whose plain bytes have this SHA-256. Its name is for errors.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] if it is none, or was cut, extended, or put in the place of another; [`VaultError::NoSuchDataKey`] if it
    /// was sealed under a key that the partner no longer has; [`VaultError::Io`] if it cannot be read.
    pub fn open(file: File, keys: &DataKeys, (digest, name): (&[u8; 32], &str)) -> Result<Self, VaultError> {
        let failed = |error| VaultError::io(std::path::Path::new(name), error);
        let length = file.metadata().map_err(failed)?.len();
        let mut header = [0; HEADER_BYTES];
        if length < HEADER_BYTES as u64 {
            return Err(keys.altered(name, "it is shorter than the header of a sealed file"));
        }
        file.read_exact_at(&mut header, 0).map_err(failed)?;
        let (size, key) = layout::read(keys, &header, (digest, name))?;
        if layout::sealed_bytes(size) != length {
            return Err(keys.altered(name, "it was cut, or something was put behind it"));
        }
        let (partner, name) = (keys.partner.clone(), name.to_owned());
        Ok(Self { file, key, partner, name, size, place: 0, held: None, block: Vec::new() })
    }

    /// How many plain bytes it has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Opens a stretch, unless it is the one that is held.
    fn hold(&mut self, number: u64) -> io::Result<()> {
        if self.held == Some(number) {
            return Ok(());
        }
        self.held = None;
        let begins = number * STRETCH_BYTES as u64;
        let length = usize::try_from((self.size - begins).min(STRETCH_BYTES as u64)).expect("a stretch is far smaller than memory");
        self.block.resize(length + TAG_BYTES, 0);
        let offset = HEADER_BYTES as u64 + number * (STRETCH_BYTES + TAG_BYTES) as u64;
        self.file.read_exact_at(&mut self.block, offset)?;
        if !self.key.open(Part::of(number, layout::stretches(self.size)), &mut self.block) {
            let why = format!("what stands from byte {begins} on was altered");
            let error = VaultError::Damaged { partner: self.partner.clone(), what: self.name.clone(), why };
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        self.held = Some(number);
        Ok(())
    }
}

impl Read for SealedFile {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.place >= self.size || to.is_empty() {
            return Ok(0);
        }
        self.hold(self.place / STRETCH_BYTES as u64)?;
        let within = usize::try_from(self.place % STRETCH_BYTES as u64).expect("it is less than a stretch");
        let plain = &self.block[within..self.block.len() - TAG_BYTES];
        let length = plain.len().min(to.len());
        to[..length].copy_from_slice(&plain[..length]);
        self.place += length as u64;
        Ok(length)
    }
}

impl Seek for SealedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.place.checked_add_signed(by),
        };
        self.place = place.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a place before the file"))?;
        Ok(self.place)
    }
}

impl fmt::Debug for SealedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedFile").field("name", &self.name).field("size", &self.size).finish_non_exhaustive()
    }
}
