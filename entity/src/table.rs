//! A table with sealed columns, described for code that moves every row of it.

/// Where the reseal engine finds plaintext, cells and what they are bound to. Names are SQL
/// identifiers from source code, never input.
#[derive(Debug)]
pub struct SealedTable {
    /// The table.
    pub name: &'static str,
    /// The text primary key.
    pub id: &'static str,
    /// The owner columns that every cell is bound to, each under its own name as the label.
    pub owners: &'static [&'static str],
    /// Which of the owner columns is the scope.
    pub scope: &'static str,
    /// The sealed columns.
    pub columns: &'static [SealedColumn],
}

/// One column in its two forms.
#[derive(Debug)]
pub struct SealedColumn {
    /// See [`Label::LABEL`](crate::Label::LABEL).
    pub label: &'static str,
    /// The plaintext column.
    pub plain: &'static str,
    /// The column with the cell.
    pub sealed: &'static str,
    /// The column with the blind index, if the value is searched for.
    pub index: Option<&'static str>,
    /// Whether the value may be NULL.
    pub nullable: bool,
}
