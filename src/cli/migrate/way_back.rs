//! Checks a run's whole way before its first change.
//!
//! Promises: a way down that cannot end drops no audit row, login, policy, quarantine entry or key. One refusal names every
//! obstacle of every step.

mod adopted;
mod cells;

use std::sync::Arc;

use sea_orm::DatabaseConnection;
use strongroom::entity::{SealedTable, credential};
use strongroom::migration::Engine;

use super::plan::Planned;
use crate::failure::Failure;
use crate::session::Session;
use strongroom::internal::component;
use strongroom::internal::db::{self, Access};
use strongroom::internal::reseal;
use strongroom::internal::schema::{self, Target};
use strongroom::key::{Ring, RingAccess, Roots};

const TABLE: &SealedTable = credential::TABLE;
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
