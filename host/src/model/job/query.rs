//! A declared query: one SELECT, and where a value is bound in it. It reads enough of SQL to know what is a text, a name or a remark
//! and what is not; what it lets pass by mistake, the database refuses.

/// What stands in a query for the last value of its cursor column.
const SINCE: &str = "{since}";

/// A query that only reads, as far as its text tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(String);

impl Query {
    /// Takes a text that is one SELECT, or a WITH that ends in one.
    ///
    /// # Errors
    /// Why it is not, as a sentence's end.
    pub fn new(text: &str) -> Result<Self, String> {
        let bare = bare(text)?;
        let mut words = bare.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        let first = words.next().unwrap_or_default().to_ascii_lowercase();
        if first != "select" && first != "with" {
            return Err(format!("it begins with {first:?}, and only SELECT and WITH do nothing but read"));
        }
        if bare.trim_end().trim_end_matches(';').contains(';') {
            return Err("it is more than one statement".to_owned());
        }
        if words.any(|word| word.eq_ignore_ascii_case("into")) {
            return Err("it has INTO, which writes".to_owned());
        }
        if text.matches(SINCE).count() != bare.matches(SINCE).count() {
            return Err(format!("{SINCE} stands in a text or a remark, where no value can be bound: write it without quotation marks"));
        }
        Ok(Self(text.to_owned()))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has a place for the last value of a cursor column, `{since}`.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.0.contains(SINCE)
    }

    /// The query with a placeholder of its database for that value, and without a last semicolon.
    #[must_use]
    pub fn with_placeholder(&self, placeholder: &str) -> String {
        self.0.trim_end().trim_end_matches(';').replace(SINCE, placeholder)
    }
}

/// The query with every text, name in quotation marks and remark left out.
fn bare(query: &str) -> Result<String, String> {
    let (mut bare, mut rest) = (String::with_capacity(query.len()), query);
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("--") {
            Some(rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            Some(remark(rest).ok_or("a remark has no end")?)
        } else if let Some(end) = match first {
            '\'' | '"' | '`' => Some(first),
            '[' if bare.chars().next_back().is_none_or(|before| before.is_whitespace() || before == '.' || before == ',') => Some(']'),
            _ => None,
        } {
            // A quotation mark written twice ends one text and begins the next: the same comes of it.
            Some(rest[1..].find(end).ok_or_else(|| format!("a text that begins with {first} has no end"))? + 2)
        } else if first == '$' {
            dollar_quoted(rest)?
        } else {
            None
        };
        match skipped {
            Some(length) => {
                bare.push(' ');
                rest = &rest[length..];
            }
            None => {
                bare.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    Ok(bare)
}

/// The length of a remark, in which others may stand.
fn remark(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_u32, 0);
    loop {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += rest.chars().next()?.len_utf8();
        }
    }
}

/// The length of a text between `$word$` and `$word$`; none if this is no such text.
fn dollar_quoted(text: &str) -> Result<Option<usize>, String> {
    let Some(end) = text[1..].find('$') else { return Ok(None) };
    let tag = &text[..end + 2];
    if !tag[1..tag.len() - 1].chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Ok(None);
    }
    let close = text[tag.len()..].find(tag).ok_or_else(|| format!("a text that begins with {tag} has no end"))?;
    Ok(Some(tag.len() + close + tag.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_select_passes_and_nothing_else() {
        for fine in [
            "SELECT 1",
            "  select 1 ; ",
            "WITH a AS (SELECT 1) SELECT * FROM a",
            "-- monthly; all\nSELECT ';', \"a;b\", $q$;$q$ /* ; /* ; */ */ FROM t WHERE x > {since}",
            "SELECT 'it''s; fine'",
            "SELECT \"into\" FROM t",
        ] {
            assert!(Query::new(fine).is_ok(), "{fine}");
        }
        for (wrong, says) in [
            ("", "begins with"),
            ("DELETE FROM t", "\"delete\""),
            ("EXPLAIN ANALYZE DELETE FROM t", "\"explain\""),
            ("/* SELECT */ DROP TABLE t", "\"drop\""),
            ("SELECT 1; DROP TABLE t", "more than one"),
            ("SELECT 1; -- x\nSELECT 2;", "more than one"),
            ("SELECT * INTO copy FROM t", "INTO"),
            ("SELECT '{since}'", "bound"),
            ("SELECT 'open", "no end"),
            ("SELECT /* open", "no end"),
            ("SELECT $a$ open $b$", "no end"),
        ] {
            let why = Query::new(wrong).expect_err(wrong);
            assert!(why.contains(says), "{wrong}: {why}");
        }
        let query = Query::new("SELECT {since} ;").expect("a query");
        assert!(query.goes_on() && query.with_placeholder("$1::text") == "SELECT $1::text ");
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(query in any::<String>(), sql in "[-/*'\"$a;\\[\\] é]{0,40}") {
            drop(Query::new(&query));
            drop(Query::new(&format!("SELECT {sql}")));
        }
    }
}
