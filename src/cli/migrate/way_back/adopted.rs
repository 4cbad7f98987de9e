//! Finds what keeps an adopted table from its original names and types.

use strongroom::internal::db;
use strongroom::internal::schema;

use super::{TABLE, Way, step};
use crate::failure::Failure;

impl Way<'_> {
    /// Names conflicts with the original names and types of an adopted table.
    pub(super) async fn adopted(&self) -> Result<Vec<String>, Failure> {
        let Some(adoption) =
            schema::adopted(self.db).await?.filter(|_| self.takes(step::CREDENTIAL))
        else {
            return Ok(Vec::new());
        };
        let mut obstacles = Vec::new();
        if !db::has_table(self.db, TABLE.name).await? {
            return Ok(obstacles);
        }
        if adoption.table != TABLE.name && db::has_table(self.db, &adoption.table).await? {
            obstacles.push(format!(
                "table `{}` is there, and that is the name that the adopted table gets back",
                adoption.table
            ));
        }
        for (column, kind) in &adoption.casts {
            obstacles.extend(self.misfit(column, kind).await?);
        }
        if adoption.added.iter().any(|it| it == "access_key") {
            obstacles.extend(
                schema::column_dependents(self.db, self.engine, TABLE.name, &["access_key"])
                    .await?,
            );
        }
        Ok(obstacles)
    }

    /// Names a column whose values do not fit its original type.
    async fn misfit(&self, column: &str, kind: &str) -> Result<Option<String>, Failure> {
        let fits = schema::fits(self.db, self.engine, TABLE.name, column, kind).await?;
        Ok((!fits).then(|| {
            format!(
                "column `{column}` of table `{}` has values that are no {kind}, which its type is once it is given back",
                TABLE.name
            )
        }))
    }
}
