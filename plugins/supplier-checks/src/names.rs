//! Names of people and companies: what of them is compared, and how alike two are. It knows no lists.

/// Words that say what sort of company it is, or nothing at all.
const NOISE: [&str; 44] = [
    "AB",
    "AG",
    "AND",
    "AS",
    "BV",
    "CIC",
    "CO",
    "COMPANY",
    "CORP",
    "CORPORATION",
    "DR",
    "FZE",
    "GMBH",
    "INC",
    "INCORPORATED",
    "JSC",
    "LIMITED",
    "LLC",
    "LLP",
    "LP",
    "LTD",
    "MISS",
    "MR",
    "MRS",
    "MS",
    "NV",
    "OAO",
    "OF",
    "OJSC",
    "OOO",
    "OY",
    "PAO",
    "PJSC",
    "PLC",
    "PTE",
    "PTY",
    "PVT",
    "SA",
    "SARL",
    "SL",
    "SPA",
    "SRL",
    "THE",
    "ZAO",
];

/// How alike two names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// The whole of the shorter name, two words or more, is in the longer.
    Partial,
    /// The same words but for a letter in some.
    Near,
    /// The same words, in whatever order.
    Same,
}

/// The words of a name that are compared: capitals without accents, without what names the sort of company.
///
/// A name that consists of such words alone keeps them.
#[must_use]
pub fn words(name: &str) -> Vec<String> {
    let all: Vec<String> = split(name).map(|word| fold(&word)).collect();
    let telling: Vec<String> = all.iter().filter(|word| !NOISE.contains(&word.as_str())).cloned().collect();
    if telling.is_empty() { all } else { telling }
}

/// The words to look a name up by, in small letters without accents: apart and together where an apostrophe parts them.
///
/// The table's column `words` is made the same way, by `make_sanctions.py`.
#[must_use]
pub fn keys(name: &str) -> Vec<String> {
    let parted: String = name.chars().filter(|c| !is_hidden(*c)).collect();
    let parted = parted.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let all: Vec<String> = parted.map(fold).chain(split(name).map(|word| fold(&word))).collect();
    let telling = |word: &&String| word.chars().count() > 1 && !NOISE.contains(&word.as_str());
    let chosen: Vec<&String> =
        if all.iter().any(|word| telling(&word)) { all.iter().filter(telling).collect() } else { all.iter().collect() };
    let mut keys: Vec<String> = Vec::new();
    for key in chosen.into_iter().map(|word| word.to_lowercase()) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// How alike two names are, each as its words; none if they are not.
#[must_use]
pub fn likeness(one: &[String], other: &[String]) -> Option<Likeness> {
    if one.is_empty() || other.is_empty() {
        return None;
    }
    let run_together = one.concat() == other.concat();
    let (one, other) = (sorted(one), sorted(other));
    if one == other || run_together {
        return Some(Likeness::Same);
    }
    if one.len() == other.len() && pairs_up(&one, &other) {
        return Some(Likeness::Near);
    }
    let (short, long) = if one.len() < other.len() { (&one, &other) } else { (&other, &one) };
    (short.len() >= 2 && short.len() < long.len() && contains_all(long, short)).then_some(Likeness::Partial)
}

/// Whether a name has characters that do not show, or that turn the direction of writing, so that it reads as another.
#[must_use]
pub fn has_hidden_characters(name: &str) -> bool {
    name.chars().any(is_hidden)
}

/// Whether a name mixes Latin letters with Greek or Cyrillic ones, some of which look the same.
#[must_use]
pub fn mixes_alphabets(name: &str) -> bool {
    let foreign = |c: char| matches!(c, '\u{370}'..='\u{52f}');
    name.chars().any(foreign) && name.chars().any(|c| c.is_ascii_alphabetic())
}

/// A postcode in capitals with its one space before the last three characters.
#[must_use]
pub fn postcode(text: &str) -> String {
    let plain: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    match plain.char_indices().rev().nth(2) {
        Some((place, _)) if place > 0 => format!("{} {}", &plain[..place], &plain[place..]),
        _ => plain,
    }
}

fn split(name: &str) -> impl Iterator<Item = String> {
    let shown: String = name.chars().filter(|c| !is_hidden(*c) && !matches!(c, '\'' | '’')).collect();
    let words: Vec<String> = shown.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    words.into_iter()
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn fold(word: &str) -> String {
    let mut folded = String::with_capacity(word.len());
    for c in word.chars().flat_map(char::to_uppercase) {
        match c {
            'À'..='Å' | 'Ā' | 'Ă' | 'Ą' => folded.push('A'),
            'Ç' | 'Ć' | 'Ĉ' | 'Ċ' | 'Č' => folded.push('C'),
            'Ď' | 'Đ' | 'Ð' => folded.push('D'),
            'È'..='Ë' | 'Ē' | 'Ė' | 'Ę' | 'Ě' => folded.push('E'),
            'Ğ' | 'Ģ' => folded.push('G'),
            'Ì'..='Ï' | 'Ī' | 'Į' | 'İ' => folded.push('I'),
            'Ķ' => folded.push('K'),
            'Ĺ' | 'Ļ' | 'Ľ' | 'Ł' => folded.push('L'),
            'Ñ' | 'Ń' | 'Ņ' | 'Ň' => folded.push('N'),
            'Ò'..='Ö' | 'Ø' | 'Ō' | 'Ő' => folded.push('O'),
            'Ŕ' | 'Ř' => folded.push('R'),
            'Ś' | 'Ş' | 'Š' | 'Ș' => folded.push('S'),
            'Ţ' | 'Ť' | 'Ț' => folded.push('T'),
            'Ù'..='Ü' | 'Ū' | 'Ů' | 'Ű' | 'Ų' => folded.push('U'),
            'Ý' | 'Ÿ' => folded.push('Y'),
            'Ź' | 'Ż' | 'Ž' => folded.push('Z'),
            'Æ' => folded.push_str("AE"),
            'Œ' => folded.push_str("OE"),
            'Þ' => folded.push_str("TH"),
            'ẞ' => folded.push_str("SS"),
            other => folded.push(other),
        }
    }
    folded
}

fn sorted(words: &[String]) -> Vec<String> {
    let mut words = words.to_vec();
    words.sort();
    words
}

/// Whether every word has its like among the others. One word must be the same, else nothing ties the names together.
fn pairs_up(one: &[String], other: &[String]) -> bool {
    let mut left: Vec<&String> = other.iter().collect();
    let mut unlike: Vec<&String> = Vec::new();
    for word in one {
        match left.iter().position(|candidate| *candidate == word) {
            Some(place) => drop(left.swap_remove(place)),
            None => unlike.push(word),
        }
    }
    unlike.len() < one.len()
        && unlike.iter().all(|word| {
            let near = left.iter().position(|candidate| one_letter_apart(word, candidate));
            near.is_some_and(|place| {
                left.swap_remove(place);
                true
            })
        })
}

fn contains_all(long: &[String], short: &[String]) -> bool {
    let mut left: Vec<&String> = long.iter().collect();
    short.iter().all(|word| {
        let found = left.iter().position(|candidate| *candidate == word);
        found.is_some_and(|place| {
            left.swap_remove(place);
            true
        })
    })
}

/// Whether two words of five letters or more differ by one letter put in, left out or changed.
fn one_letter_apart(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    if short.len() < 5 || long.len() - short.len() > 1 {
        return false;
    }
    let before = short.iter().zip(&long).take_while(|(a, b)| a == b).count();
    let skip = before + 1 - (long.len() - short.len());
    short.get(skip..).unwrap_or_default() == long.get(before + 1..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(one: &str, other: &str) -> Option<Likeness> {
        likeness(&words(one), &words(other))
    }

    #[test]
    fn names_that_are_alike() {
        for (one, other, expect) in [
            ("Acme Fleet Ltd", "ACME FLEET LIMITED", Some(Likeness::Same)),
            ("Acme Fleet Ltd", "Fleet, Acme", Some(Likeness::Same)),
            ("The Acme Fleet Co.", "Acme Fleet", Some(Likeness::Same)),
            ("FleetCar Ltd", "Fleet Car Ltd", Some(Likeness::Same)),
            ("CarFleet Ltd", "Fleet Car Ltd", None),
            ("Société Générale", "Societe Generale", Some(Likeness::Same)),
            ("Łukasz Żak", "Lukasz Zak", Some(Likeness::Same)),
            ("O'Neill & Sons", "ONeill and Sons", Some(Likeness::Same)),
            ("Acme\u{202e} Fleet", "Acme Fleet", Some(Likeness::Same)),
            ("Acme Fleet", "Acme Fleets", Some(Likeness::Near)),
            ("Acme Fleet", "Acme Fleer", Some(Likeness::Near)),
            ("Acme Fleet", "Acme Fleer Hire", None),
            ("Acme Cars", "Acme Cats", None),
            ("Vaskel Zorin", "Vaskel Tamir Zorin", Some(Likeness::Partial)),
            ("Zorin", "Vaskel Tamir Zorin", None),
            ("Vaskel Zorin", "Vaskel Ivanov Tamir", None),
            ("Zorin Zorin", "Vaskel Tamir Zorin", None),
            ("Limited Company", "Limited Company", Some(Likeness::Same)),
            ("", "Acme", None),
            ("...", "...", None),
        ] {
            assert_eq!(compare(one, other), expect, "{one} / {other}");
            assert_eq!(compare(other, one), expect, "{other} / {one}");
        }
    }

    #[test]
    fn keys_are_as_written_and_without_accents() {
        assert_eq!(keys("Société Acme Ltd"), ["societe", "acme"]);
        assert_eq!(keys("O'Neill & Co"), ["neill", "oneill"]);
        assert_eq!(keys("X Y"), ["x", "y"]);
        assert_eq!(keys("The Company"), ["the", "company"]);
    }

    #[test]
    fn characters_that_deceive() {
        assert!(has_hidden_characters("Acme\u{202e}teelF") && has_hidden_characters("Ac\u{200b}me") && !has_hidden_characters("Société"));
        assert!(mixes_alphabets("\u{410}cme") && !mixes_alphabets("Акме") && !mixes_alphabets("Acme"));
    }

    #[test]
    fn postcodes_have_one_form() {
        for text in ["st4 2df", "ST42DF", " S T 4  2 D F "] {
            assert_eq!(postcode(text), "ST4 2DF");
        }
        assert_eq!(postcode("12"), "12");
    }

    proptest::proptest! {
        #[test]
        fn order_and_case_do_not_matter(mut list in proptest::collection::vec("[A-Za-z]{1,9}", 1..6)) {
            let forward = words(&list.join(" "));
            list.reverse();
            let backward = words(&list.join("-").to_lowercase());
            proptest::prop_assert_eq!(likeness(&forward, &backward), Some(Likeness::Same));
        }

        #[test]
        fn likeness_is_mutual(one in ".{0,20}", other in ".{0,20}") {
            let (one, other) = (words(&one), words(&other));
            proptest::prop_assert_eq!(likeness(&one, &other), likeness(&other, &one));
        }
    }
}
