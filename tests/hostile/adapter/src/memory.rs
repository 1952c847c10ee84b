//! Looks for what others left in memory, or what the hub should never have put there.
//!
//! A mark is told as hexadecimal digits, each byte turned by a mask, so that looking for it does not write it anywhere.

use core::arch::wasm32::{memory_grow, memory_size};

use crate::bailiwick::plugin::types::Failure;
use crate::problem;

const MASK: u8 = 0x5a;
const PAGE: usize = 65_536;
/// Fresh pages beside those that every instance begins with.
const PAGES: usize = 32;

/// Fills fresh pages with the mark, and leaves it in the older ones too.
pub fn leave_mark(masked: &str) {
    let mark: Vec<u8> = unmasked(masked).collect();
    let start = fresh_pages();
    // SAFETY: these pages were added just now, and nothing else has them.
    let pages = unsafe { std::slice::from_raw_parts_mut(start as *mut u8, PAGES * PAGE) };
    for place in pages.chunks_exact_mut(mark.len()) {
        place.copy_from_slice(&mark);
    }
    std::mem::forget(mark.repeat(1_000));
}

/// Says how often the mark stands in memory, the fresh pages that an instance may add included.
pub fn seek_mark(masked: &str) -> Failure {
    fresh_pages();
    let masked: Vec<u8> = unmasked(masked).map(|byte| byte ^ MASK).collect();
    let end = memory_size(0) * PAGE;
    let mut found = 0;
    for start in 1..end - masked.len() {
        // SAFETY: all of linear memory may be read; reading it through pointers is what an intruder would do.
        let stands = |place: usize| unsafe { std::ptr::read_volatile((start + place) as *const u8) };
        if stands(0) ^ MASK == masked[0] && (1..masked.len()).all(|place| stands(place) ^ MASK == masked[place]) {
            found += 1;
        }
    }
    Failure::InputUnusable(problem("found", &found.to_string()))
}

fn fresh_pages() -> usize {
    let before = memory_grow(0, PAGES);
    assert_ne!(before, usize::MAX, "the pages are within the limit");
    before * PAGE
}

fn unmasked(digits: &str) -> impl Iterator<Item = u8> {
    let digits = if digits.is_empty() { "0123456789abcdef" } else { digits };
    let digit = |at: usize| u8::try_from((digits.as_bytes()[at] as char).to_digit(16).expect("a digit")).expect("below 16");
    (0..digits.len() / 2).map(move |place| (digit(2 * place) << 4 | digit(2 * place + 1)) ^ MASK)
}
