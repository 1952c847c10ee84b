//! Tables: a caption, headings with their scope, numbers on the right; on a narrow screen each row stands as a list of its own.
//!
//! It must not know any page.

use maud::{Markup, Render, html};

/// A column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    name: String,
    number: bool,
}

impl Column {
    /// Of words.
    pub(crate) fn words(name: impl Into<String>) -> Self {
        Self { name: name.into(), number: false }
    }

    /// Of numbers, which stand on the right.
    pub(crate) fn number(name: impl Into<String>) -> Self {
        Self { name: name.into(), number: true }
    }
}

/// A table. The first cell of each row names the row.
pub(crate) struct Table {
    caption: Markup,
    hidden_caption: bool,
    columns: Vec<Column>,
    rows: Vec<Vec<Markup>>,
    empty: String,
    scrolls: bool,
}

impl Table {
    pub(crate) fn new(caption: impl Render, columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            caption: caption.render(),
            hidden_caption: false,
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
            empty: "There is nothing to show.".to_owned(),
            scrolls: false,
        }
    }

    /// Where a heading above says the same: the caption is read out only.
    #[must_use]
    pub(crate) const fn caption_read_out(mut self) -> Self {
        self.hidden_caption = true;
        self
    }

    /// What it says without rows.
    #[must_use]
    pub(crate) fn empty(mut self, sentence: impl Into<String>) -> Self {
        self.empty = sentence.into();
        self
    }

    /// For many columns, as rows of data have: it scrolls sideways instead of standing row by row on a narrow screen.
    #[must_use]
    pub(crate) const fn scrolls(mut self) -> Self {
        self.scrolls = true;
        self
    }

    /// A row, cell by cell.
    pub(crate) fn push(&mut self, cells: impl IntoIterator<Item = Markup>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Many rows.
    #[must_use]
    pub(crate) fn rows<R: IntoIterator<Item = Markup>>(mut self, rows: impl IntoIterator<Item = R>) -> Self {
        rows.into_iter().for_each(|row| self.push(row));
        self
    }

    /// Whether a column has something in it; one of which every cell is empty is left out. The first names the rows, and rows of data
    /// are shown as they are.
    fn shown(&self, place: usize) -> bool {
        place == 0 || self.scrolls || self.rows.iter().any(|row| row.get(place).is_some_and(|cell| !cell.0.is_empty()))
    }

    fn cells(&self, row: &[Markup], shown: &[bool]) -> Markup {
        html! {
            tr {
                @for (place, (column, cell)) in self.columns.iter().zip(row).enumerate().filter(|(place, _)| shown[*place]) {
                    @let class = column.number.then_some("number");
                    @let empty = cell.0.is_empty().then_some("cell-empty");
                    @if place == 0 {
                        th scope="row" class=[class] { (cell) }
                    } @else {
                        td class=[class.or(empty)] data-label=(column.name) { div { (cell) } }
                    }
                }
            }
        }
    }
}

impl Render for Table {
    fn render(&self) -> Markup {
        if self.rows.is_empty() {
            return html! {
                @if !self.hidden_caption { p class="strong" { (self.caption) } }
                p class="none" { (self.empty) }
            };
        }
        let shown: Vec<bool> = (0..self.columns.len()).map(|place| self.shown(place)).collect();
        let table = html! {
            table class=[(!self.scrolls).then_some("stacks")] {
                caption class=[self.hidden_caption.then_some("hidden")] { (self.caption) }
                thead {
                    tr {
                        @for (column, _) in self.columns.iter().zip(&shown).filter(|(_, shown)| **shown) {
                            th scope="col" class=[column.number.then_some("number")] { (column.name) }
                        }
                    }
                }
                tbody { @for row in &self.rows { (self.cells(row, &shown)) } }
            }
        };
        if !self.scrolls {
            return table;
        }
        // Reached by the keyboard, as who does not use a pointer scrolls too.
        html! { div class="wide" tabindex="0" role="region" aria-label="Table that scrolls sideways" { (table) } }
    }
}
