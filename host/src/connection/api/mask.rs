//! Takes credentials out of what a provider says: a careless one repeats them.

use secrecy::zeroize::Zeroizing;

use crate::model::http::HttpResponse;

/// What is shorter than this would be found where nobody meant it.
const BYTES_MIN: usize = 6;

/// The texts that nobody may see, such as a password and what a header makes of it.
#[derive(Default)]
pub(super) struct Mask {
    hidden: Vec<Zeroizing<Vec<u8>>>,
}

impl Mask {
    /// Hides a text from now on.
    pub(super) fn add(&mut self, text: &str) {
        let known = self.hidden.iter().any(|hidden| hidden.as_slice() == text.as_bytes());
        if text.len() >= BYTES_MIN && !known {
            self.hidden.push(Zeroizing::new(text.as_bytes().to_vec()));
            // The longest first: one may be part of another.
            self.hidden.sort_by_key(|hidden| std::cmp::Reverse(hidden.len()));
        }
    }

    /// The answer without them: as many asterisks stand where they stood.
    pub(super) fn response(&self, mut response: HttpResponse) -> HttpResponse {
        self.bytes(&mut response.body);
        for header in &mut response.headers {
            header.value = self.text(std::mem::take(&mut header.value));
        }
        response
    }

    /// The text without them.
    pub(super) fn text(&self, text: String) -> String {
        let mut bytes = text.into_bytes();
        self.bytes(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn bytes(&self, bytes: &mut [u8]) {
        for hidden in &self.hidden {
            let found: Vec<usize> = memchr::memmem::find_iter(bytes, hidden.as_slice()).collect();
            for place in found {
                bytes[place..place + hidden.len()].fill(b'*');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::http::HttpHeader;

    #[test]
    fn whatever_repeats_a_credential_is_masked() {
        let mut mask = Mask::default();
        ["hunter22", "hunter22-and-more", "tiny"].iter().for_each(|text| mask.add(text));
        let header = HttpHeader { name: "x".to_owned(), value: "Bearer hunter22".to_owned() };
        let body = b"a hunter22-and-more tiny hunter22hunter22".to_vec();
        let masked = mask.response(HttpResponse { status: 200, headers: vec![header], body });
        assert_eq!(masked.body, b"a ***************** tiny ****************");
        assert_eq!(masked.headers[0].value, "Bearer ********");
    }
}
