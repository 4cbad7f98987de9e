//! Checks a run's whole way before its first change.
//!
//! Promises: a way down that cannot end drops no audit row, login, policy, quarantine entry or key. One refusal names every
//! obstacle of every step.

use std::collections::BTreeMap;
use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseConnection};
use strongroom::entity::{SealedTable, credential};
use strongroom::migration::{Engine, Limit, Phase};

use super::plan::Planned;
use crate::failure::Failure;
use crate::session::Session;
use strongroom::internal::component;
use strongroom::internal::db::{self, Access};
use strongroom::internal::reseal::{self, Extent};
use strongroom::internal::schema::{self, Target};
use strongroom::key::{OpenFailure, Ring, RingAccess, Roots};

const TABLE: &SealedTable = credential::TABLE;
/// The most cells that a refusal names.
const NAMED: usize = 5;
/// The numbers of steps that the checks are about.
mod step {
    pub(super) const CREDENTIAL: usize = 1;
    pub(super) const RING: usize = 2;
    pub(super) const CELLS: usize = 3;
    pub(super) const PLAINTEXT: usize = 6;
    pub(super) const STORED_POLICY: usize = 8;
    pub(super) const POLICY: usize = 9;
    pub(super) const AUDIT: usize = 10;
    pub(super) const NEWEST_POLICY: usize = 11;
}

/// Checks a dry run, without the lock.
pub(super) async fn foresee(planned: &Planned, session: &Session) -> Result<(), Failure> {
    let needs_keys = planned.steps.iter().any(|(_, step)| step.needs_keys());
    let root = if needs_keys && !planned.is_up() { Some(session.roots().await?) } else { None };
    let access = if planned.is_up() { Access::Read } else { Access::Schema };
    let db = session.connect(access).await?;
    require(planned, &db, root.as_ref(), session).await
}

/// Refuses a run that cannot end.
pub(super) async fn require(
    planned: &Planned,
    db: &DatabaseConnection,
    root: Option<&Arc<Roots>>,
    session: &Session,
) -> Result<(), Failure> {
    if planned.steps.is_empty() {
        return Ok(());
    }
    let engine = Engine::of(db).await?;
    let way = Way { db, engine, planned, root, session };
    let mut obstacles = way.foreign_triggers().await?;
    let Target::Down(version) = planned.target else {
        obstacles.extend(way.columns(step::PLAINTEXT, &PLAINTEXT).await?);
        return refuse("the way up", &obstacles);
    };
    let ring = way.ring().await?;
    if let Some(ring) = &ring {
        if way.takes(step::CREDENTIAL) {
            schema::require_adoption(db, &ring.manifest()).await?;
        }
        obstacles.extend(way.other_tables(ring)?);
        obstacles.extend(way.cells(ring).await?);
    }
    obstacles.extend(way.policies().await?);
    obstacles.extend(way.tables().await?);
    obstacles.extend(way.columns(step::CELLS, &CELLS).await?);
    obstacles.extend(way.adopted().await?);
    refuse(&format!("the way down to version {version}"), &obstacles)
}

fn refuse(way: &str, obstacles: &[String]) -> Result<(), Failure> {
    if obstacles.is_empty() {
        return Ok(());
    }
    let list = obstacles.iter().fold(String::new(), |list, line| list + "\n  - " + line);
    let failure = Failure::refused(
        "way_blocked",
        format!("{way} is blocked, and nothing was dropped or changed:{list}"),
    );
    Err(failure.help(
        "remove what is named, and run the same command again; `strongroom keys verify` lists every cell that does not open",
    ))
}

struct Way<'a> {
    db: &'a DatabaseConnection,
    engine: Engine,
    planned: &'a Planned,
    root: Option<&'a Arc<Roots>>,
    session: &'a Session,
}

impl Way<'_> {
    fn takes(&self, number: usize) -> bool {
        self.planned.steps.iter().any(|(step, _)| *step == number)
    }

    /// Names foreign triggers: they would run for each row that is sealed or opened, and could copy it.
    async fn foreign_triggers(&self) -> Result<Vec<String>, Failure> {
        if !(step::CELLS..=step::PLAINTEXT).any(|number| self.takes(number))
            || !db::has_table(self.db, TABLE.name).await?
        {
            return Ok(Vec::new());
        }
        let found = schema::foreign_triggers(self.db, self.engine, TABLE.name).await?;
        Ok(found
            .into_iter()
            .map(|it| it + ", which would run for each row that is sealed or opened")
            .collect())
    }

    async fn ring(&self) -> Result<Option<Arc<Ring>>, Failure> {
        let is_needed =
            self.root.is_some() && (self.takes(step::RING) || self.takes(step::PLAINTEXT));
        if is_needed { self.session.ring(self.db).await } else { Ok(None) }
    }

    fn other_tables(&self, ring: &Ring) -> Result<Vec<String>, Failure> {
        if !self.takes(step::RING) {
            return Ok(Vec::new());
        }
        let tables = reseal::sealed_tables(&ring.manifest())?;
        let others = tables.iter().map(|(table, _)| table.name).filter(|name| *name != TABLE.name);
        let others: Vec<_> = others.collect();
        if others.is_empty() {
            return Ok(Vec::new());
        }
        let others = others.join(", ");
        Ok(vec![format!(
            "the ring has cells to open in tables of other programs: {others} (bring them back to plaintext first, or go down to \
             version 2 and no further)"
        )])
    }

    /// Names cells that do not open, and values that the restored columns do not take.
    async fn cells(&self, ring: &Arc<Ring>) -> Result<Vec<String>, Failure> {
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

    async fn policies(&self) -> Result<Vec<String>, Failure> {
        let lowest = [(step::POLICY, 1), (step::NEWEST_POLICY, 2)]
            .into_iter()
            .find(|(number, _)| self.takes(*number));
        let (Some((_, version)), Some(root)) = (lowest, self.root) else { return Ok(Vec::new()) };
        if !db::has_table(self.db, "strongroom_policy").await? {
            return Ok(Vec::new());
        }
        let options = self.session.config.policy_options(None)?;
        let epoch = self.session.floor()?;
        let Err(error) = component::foresee_take_back(
            self.db,
            RingAccess::new(root.clone(), epoch),
            &options,
            version,
        )
        .await
        else {
            return Ok(Vec::new());
        };
        let failure = Failure::from(error);
        let help = failure.help.map(|help| format!(" ({help})")).unwrap_or_default();
        Ok(vec![format!("policy {version}: {}{help}", failure.message)])
    }

    /// Names other owners and dependents of the tables that the steps drop.
    async fn tables(&self) -> Result<Vec<String>, Failure> {
        let is_adopted = schema::adopted(self.db).await?.is_some();
        let mut obstacles = Vec::new();
        for (number, tables) in DROPPED {
            for table in tables.iter().filter(|_| self.takes(*number)) {
                if !db::has_table(self.db, table).await? {
                    continue;
                }
                obstacles.extend(schema::not_owned(self.db, self.engine, table).await?);
                if *number != step::CREDENTIAL || !is_adopted {
                    obstacles.extend(schema::dependents(self.db, self.engine, table).await?);
                }
            }
        }
        Ok(obstacles)
    }

    /// Names foreign objects on the columns that a step drops.
    async fn columns(&self, step: usize, columns: &[&str]) -> Result<Vec<String>, Failure> {
        if !self.takes(step) || !db::has_table(self.db, TABLE.name).await? {
            return Ok(Vec::new());
        }
        Ok(schema::column_dependents(self.db, self.engine, TABLE.name, columns).await?)
    }

    /// Names conflicts with the original names and types of an adopted table.
    async fn adopted(&self) -> Result<Vec<String>, Failure> {
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
        let sql = match self.engine {
            Engine::Postgres => format!("SELECT count({column}::{kind}) AS found FROM credential"),
            _ => format!(
                "SELECT count(*) AS found FROM credential WHERE {column} IS NOT NULL AND NOT json_valid({column})"
            ),
        };
        let found =
            self.db.query_one_raw(db::statement(self.db.get_database_backend(), &sql, [])).await;
        let misfit = || {
            format!(
                "column `{column}` of table `{}` has values that are no {kind}, which its type is once it is given back",
                TABLE.name
            )
        };
        match found {
            Err(_) => Ok(Some(misfit())),
            Ok(row) => {
                let rows: i64 = row.map_or(Ok(0), |row| row.try_get("", "found"))?;
                Ok((self.engine != Engine::Postgres && rows > 0).then(misfit))
            }
        }
    }
}

/// The columns that step 6 drops.
const PLAINTEXT: [&str; 2] = ["access_key", "secret_key"];
/// The columns that step 3 drops on its way down.
const CELLS: [&str; 3] = ["access_key_sealed", "secret_key_sealed", "access_key_index"];
/// The tables that each step drops on its way down.
const DROPPED: &[(usize, &[&str])] = &[
    (step::CREDENTIAL, &["credential"]),
    (
        step::RING,
        &["strongroom_manifest", "strongroom_key", "strongroom_reseal", "strongroom_quarantine"],
    ),
    (step::STORED_POLICY, &["strongroom_policy", "strongroom_database_login"]),
    (step::AUDIT, &["strongroom_audit", "strongroom_audit_head", "strongroom_signature"]),
];

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
