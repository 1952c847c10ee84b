//! `cargo xtask book`: the documentation as one book, and the pages of it that are made from the contract.
//!
//! The book is made of the repository's own pages, each where it lies: its source is a copy of them in the same tree, so that a link
//! from one to another holds in the repository and in the book alike. What is linked and is no page of the book is left as a name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;

use crate::prerequisites;
use crate::tools::{command, output, root, target};

/// What the book consists of, in its order.
const SUMMARY: &str = "docs/SUMMARY.md";

/// Versions of the contract, and the worlds that each brought.
const WORLDS: &[(&str, &[&str])] = &[("0.1.0", &["adapter", "rule-set"]), ("0.2.0", &["format", "connector"])];

const SETTINGS: &str = r#"[book]
title = "Bailiwick"
description = "An integration hub for shared public services"
language = "en"
src = "pages"

[build]
build-dir = "html"
create-missing = false

[output.html]
default-theme = "light"
preferred-dark-theme = "navy"
no-section-label = true
"#;

/// Makes the book and says where it is.
pub(crate) fn run() -> Result<()> {
    let made = make()?;
    println!("the book is at {}", made.join("index.html").display());
    Ok(())
}

/// Makes the book, once the pages about the contract are what the contract says.
pub(crate) fn test() -> Result<()> {
    for (path, text) in contract()? {
        let there = fs::read_to_string(root().join(&path)).unwrap_or_default();
        ensure!(there == text, "{path} is not what wit/ says: run `cargo xtask docs`");
    }
    run()
}

/// Writes the pages about the contract.
pub(crate) fn write_contract() -> Result<()> {
    for (path, text) in contract()? {
        let to = root().join(&path);
        fs::create_dir_all(to.parent().context("a page is in a folder")?)?;
        let same = fs::read_to_string(&to).is_ok_and(|there| there == text);
        println!("{path}: {}", if same { "as the contract says" } else { "written" });
        fs::write(to, text)?;
    }
    Ok(())
}

/// A page for each world of the contract.
fn contract() -> Result<Vec<(String, String)>> {
    let mut resolve = Resolve::default();
    let mut pages = Vec::new();
    for (version, worlds) in WORLDS {
        let (package, _) = resolve.push_dir(root().join("wit").join(version))?;
        for name in *worlds {
            let world = resolve.select_world(&[package], Some(name))?;
            let mut files = Files::default();
            wit_bindgen_markdown::Opts::default().build().generate(&mut resolve.clone(), world, &mut files)?;
            let made = files.iter().find(|(name, _)| name.ends_with(".md")).context("the generator makes a page")?;
            pages.push((format!("docs/contract/{name}.md"), String::from_utf8(made.1.to_vec())?));
        }
    }
    Ok(pages)
}

fn make() -> Result<PathBuf> {
    let mdbook = prerequisites::mdbook()?;
    let book = target().join("book");
    if book.is_dir() {
        fs::remove_dir_all(&book)?;
    }
    let summary = from_the_root(&fs::read_to_string(root().join(SUMMARY))?);
    let pages: BTreeSet<String> = links(&summary).map(|(_, link)| link.to_owned()).collect();
    fs::create_dir_all(book.join("pages"))?;
    fs::write(book.join("book.toml"), SETTINGS)?;
    fs::write(book.join("pages/SUMMARY.md"), &summary)?;
    for page in &pages {
        let text = fs::read_to_string(root().join(page)).with_context(|| format!("{SUMMARY} names {page}, which is not there"))?;
        let to = book.join("pages").join(page);
        fs::create_dir_all(to.parent().context("a page is in a folder")?)?;
        fs::write(to, within_the_book(page, &text, &pages)?)?;
    }
    copy_pictures(&book)?;
    let said = output(command(mdbook, &["build", &book.to_string_lossy()]))?;
    ensure!(!said.contains("WARN") && !said.contains("ERROR"), "mdbook is not content:\n{said}");
    for page in &pages {
        let html = book.join("html").join(page.replace("README.md", "index.md")).with_extension("html");
        ensure!(html.is_file(), "the book has no page {}", html.display());
    }
    Ok(book.join("html"))
}

/// The summary with its links as they are from the repository's root.
fn from_the_root(summary: &str) -> String {
    summary.replace("](", "](docs/").replace("](docs/../", "](")
}

fn copy_pictures(book: &Path) -> Result<()> {
    let folder = root().join("docs/screenshots");
    for picture in fs::read_dir(&folder).into_iter().flatten() {
        let picture = picture?.path();
        let to = book.join("pages/docs/screenshots");
        fs::create_dir_all(&to)?;
        fs::copy(&picture, to.join(picture.file_name().context("a picture has a name")?))?;
    }
    Ok(())
}

/// A page as the book has it: links to what is not in the book become names. A link to what is not there at all is an error.
fn within_the_book(page: &str, text: &str, pages: &BTreeSet<String>) -> Result<String> {
    let mut told = text.to_owned();
    for (name, link) in links(text) {
        let path = link.split('#').next().unwrap_or_default();
        if path.is_empty() || link.contains("://") || link.starts_with("mailto:") {
            continue;
        }
        let to = resolved(page, path).with_context(|| format!("{page}: the link to {link} leads out of the repository"))?;
        if !root().join(&to).exists() {
            bail!("{page}: the link to {link} leads nowhere");
        }
        if !pages.contains(&to) && !to.ends_with(".png") {
            told = told.replace(&format!("[{name}]({link})"), name);
        }
    }
    Ok(told)
}

/// The path of a link on a page, from the repository's root.
fn resolved(page: &str, link: &str) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in Path::new(page).parent()?.join(link).components() {
        match part {
            Component::Normal(name) => parts.push(name.to_str()?.to_owned()),
            Component::ParentDir => drop(parts.pop()?),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

/// The links of a page, outside of its blocks of code: name and place.
fn links(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut inside = false;
    let lines = text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    });
    lines.flat_map(|line| {
        line.match_indices("](").filter_map(|(at, _)| {
            let name = line[..at].rfind('[').map(|from| &line[from + 1..at])?;
            let rest = &line[at + 2..];
            let link = &rest[..rest.find(')')?];
            (!link.contains(' ')).then_some((name, link))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_outside_of_code() {
        let text = "see [one](a.md) and [two](../b.md#part).\n```\n[no](c.md)\n```\n[`code`](d/)\n";
        assert_eq!(links(text).collect::<Vec<_>>(), [("one", "a.md"), ("two", "../b.md#part"), ("`code`", "d/")]);
    }

    #[test]
    fn a_link_is_resolved_from_its_page() {
        assert_eq!(resolved("docs/a.md", "../SECURITY.md").as_deref(), Some("SECURITY.md"));
        assert_eq!(resolved("docs/a.md", "b/c.md").as_deref(), Some("docs/b/c.md"));
        assert_eq!(resolved("a.md", "../../etc/passwd"), None);
    }

    #[test]
    fn what_is_not_in_the_book_is_a_name() {
        let pages = BTreeSet::from(["README.md".to_owned(), "SECURITY.md".to_owned()]);
        let told = within_the_book("README.md", "[safe](SECURITY.md), [free](LICENSE), [far](https://example.org)", &pages);
        assert_eq!(told.expect("all are there"), "[safe](SECURITY.md), free, [far](https://example.org)");
        assert!(within_the_book("README.md", "[gone](nothing.md)", &pages).is_err());
    }
}
