//! The table of what a test did, printed and kept.

use std::fmt::Write as _;
use std::fs;

use crate::support::repository;

pub struct Report {
    name: &'static str,
    text: String,
}

impl Report {
    /// A table with these columns, in `target/cluster`.
    pub fn new(name: &'static str, columns: &[&str]) -> Self {
        let mut report = Self { name, text: String::new() };
        report.line(columns);
        report.line(&vec!["---"; columns.len()]);
        report
    }

    /// Adds a line, and writes the file anew: a test that fails leaves what it saw.
    pub fn line<T: AsRef<str>>(&mut self, cells: &[T]) {
        let cells: Vec<_> = cells.iter().map(AsRef::as_ref).collect();
        let line = format!("| {} |", cells.join(" | "));
        println!("{line}");
        writeln!(self.text, "{line}").unwrap();
        self.write();
    }

    /// Adds what the table comes to.
    pub fn summary(&mut self, text: &str) {
        println!("{text}");
        writeln!(self.text, "\n{text}").unwrap();
        self.write();
    }

    fn write(&self) {
        let folder = repository().join("target/cluster");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{}.md", self.name)), &self.text).unwrap();
    }
}
