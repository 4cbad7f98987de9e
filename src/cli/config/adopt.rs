//! `[adopt]`: which table is taken over, and which of its columns is which.

use serde::Deserialize;

use strongroom::schema::AdoptionOptions;

/// `[adopt]`: the table that `migrate adopt` takes over.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Adopt {
    table: Option<String>,
    columns: AdoptColumns,
}

/// `[adopt.columns]`: our columns by their names in that table.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AdoptColumns {
    id: Option<String>,
    user_id: Option<String>,
    project_id: Option<String>,
    r#type: Option<String>,
    access_key: Option<String>,
    secret_key: Option<String>,
    extra: Option<String>,
    created_at: Option<String>,
}

impl Adopt {
    pub(super) fn options(&self) -> AdoptionOptions {
        let columns = &self.columns;
        let pairs = [
            ("id", &columns.id),
            ("user_id", &columns.user_id),
            ("project_id", &columns.project_id),
            ("type", &columns.r#type),
            ("access_key", &columns.access_key),
            ("secret_key", &columns.secret_key),
            ("extra", &columns.extra),
            ("created_at", &columns.created_at),
        ];
        let named =
            pairs.into_iter().filter_map(|(ours, theirs)| Some((ours.to_owned(), theirs.clone()?)));
        AdoptionOptions {
            table: self.table.clone().unwrap_or_else(|| "credential".to_owned()),
            columns: named.collect(),
        }
    }
}
