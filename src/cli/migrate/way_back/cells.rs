//! Finds the cells and values that cannot become plaintext again.

use std::collections::BTreeMap;
use std::sync::Arc;

use sea_orm::DatabaseConnection;
use strongroom::internal::db;
use strongroom::internal::reseal::{self, Extent};
use strongroom::internal::schema;
use strongroom::key::{OpenFailure, Ring};
use strongroom::migration::{Engine, Limit, Phase};

use super::{TABLE, Way, step};
use crate::failure::Failure;

/// The most cells that a refusal names.
const NAMED: usize = 5;

impl Way<'_> {
    /// Names cells that do not open, and values that the restored columns do not take.
    pub(super) async fn cells(&self, ring: &Arc<Ring>) -> Result<Vec<String>, Failure> {
        let phase = ring.manifest().phase(TABLE.name).unwrap_or(Phase::Plain);
        if !self.takes(step::PLAINTEXT) || !phase.cells_count() {
            return Ok(Vec::new());
        }
        let mut obstacles = Vec::new();
        let there: Vec<_> =
            if phase == Phase::Sealed { TABLE.plain_columns().collect() } else { Vec::new() };
        for column in there {
            if has_column(self.db, self.engine, column).await? {
                obstacles.push(format!(
                    "column `{column}` of table `{}` is there, and is not Strongroom's",
                    TABLE.name
                ));
            }
        }
        if !obstacles.is_empty() {
            return Ok(obstacles);
        }
        let options =
            reseal::Options { stop: self.session.stop.clone(), ..reseal::Options::default() };
        let mut found = reseal::verify(self.db, ring, TABLE, phase, &options).await?;
        // The way down overwrites plaintext that differs, and reads no index.
        found.failed.retain(|bad| {
            !matches!(bad.reason, OpenFailure::DiffersFromPlaintext | OpenFailure::IndexMismatch)
        });
        let named = found.failed.iter().take(NAMED);
        obstacles.extend(named.map(|bad| {
            format!("cell `{}` of row `{}` does not open: {}", bad.column, bad.row, bad.reason)
        }));
        if found.failed.len() > NAMED {
            obstacles.push(format!("{} more cells do not open", found.failed.len() - NAMED));
        }
        obstacles.extend(too_wide(&found.extents, &self.limits().await?));
        Ok(obstacles)
    }

    /// Returns the limits of the restored plaintext columns.
    async fn limits(&self) -> Result<Vec<Limit>, Failure> {
        let own = Limit {
            column: "access_key".to_owned(),
            characters: 255,
            bytes: u64::MAX,
            highest: u32::MAX,
        };
        let adopted = schema::adopted(self.db).await?.filter(|_| self.takes(step::CREDENTIAL));
        Ok(adopted.map(|it| it.limits).unwrap_or_default().into_iter().chain([own]).collect())
    }
}

fn too_wide(extents: &BTreeMap<&'static str, Extent>, limits: &[Limit]) -> Vec<String> {
    let beyond = |limit: &Limit| {
        let extent = extents.get(limit.column.as_str())?;
        let (what, most) = if extent.characters > limit.characters {
            (
                format!("{} characters", extent.characters),
                format!("{} characters", limit.characters),
            )
        } else if extent.bytes > limit.bytes {
            (format!("{} bytes", extent.bytes), format!("{} bytes", limit.bytes))
        } else if extent.highest > limit.highest {
            (
                format!("character U+{:04X}", extent.highest),
                format!("characters up to U+{:04X}", limit.highest),
            )
        } else {
            return None;
        };
        Some(format!(
            "a value of `{}` has {what}, and the column takes {most} once it is back",
            limit.column
        ))
    };
    limits.iter().filter_map(beyond).collect()
}

/// Returns whether a column is there that no killed run left.
async fn has_column(
    db: &DatabaseConnection,
    engine: Engine,
    column: &str,
) -> Result<bool, Failure> {
    if !db::has_column(db, TABLE.name, column).await? {
        return Ok(false);
    }
    Ok(engine.has_transactional_ddl() || !schema::is_half_way(db, TABLE).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_wide_names_the_column_and_both_measures() {
        let extents = BTreeMap::from([(
            "access_key",
            Extent { characters: 300, bytes: 300, highest: 0x1f510 },
        )]);
        let limit = |characters, highest| Limit {
            column: "access_key".into(),
            characters,
            bytes: u64::MAX,
            highest,
        };
        assert!(too_wide(&extents, &[limit(300, u32::MAX)]).is_empty());
        let found = too_wide(&extents, &[limit(64, u32::MAX), limit(300, 0xffff)]);
        assert_eq!(
            found,
            [
                "a value of `access_key` has 300 characters, and the column takes 64 characters once it is back",
                "a value of `access_key` has character U+1F510, and the column takes characters up to U+FFFF once it is back",
            ]
        );
    }
}
