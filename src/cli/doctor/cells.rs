//! The ring, and the cells that it opens: counted from their headers, none is opened.

use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use strongroom::entity::quarantine as listed;
use strongroom::entity::{OWN_TABLES, own_table};
use strongroom::migration::Phase;

use super::check::Check;
use super::facts::{Counted, Facts};
use super::guards;
use crate::counted::counted;
use crate::failure::Failure;
use crate::session::Session;
use strongroom::internal::db::{self, DatabaseConnection};
use strongroom::internal::reseal::{self, Census, GenerationCount};
use strongroom::key::{Epoch, Manifest, Ring, Rolling};

/// Needs the root, but where there is no ring.
pub(super) async fn all(
    session: &Session,
    db: &DatabaseConnection,
    has_root: bool,
    facts: &mut Facts,
) -> Vec<Check> {
    match has_ring(db).await {
        Err(error) => return vec![Check::failed("manifest", error)],
        Ok(true) if !has_root => {
            facts.counted = count_unverified(db).await;
            let hint = "mend the key, then run `strongroom doctor` again";
            return vec![
                Check::advice("manifest", "there, and not verified: that takes the root key", hint)
                    .code("not_verified"),
            ];
        }
        Ok(_) => {}
    }
    let ring = match session.ring_at_any_epoch(db).await {
        Ok(ring) => ring,
        Err(failure) => return vec![Check::failed("manifest", failure)],
    };
    let manifest = ring.as_ref().map(|ring| ring.manifest());
    let pin = session.floor().map_or(Epoch::NONE, |floor| floor.pin());
    let mut checks = vec![judge_manifest(manifest.as_ref(), pin)];
    match count(db, ring.as_deref(), manifest.as_ref()).await {
        Ok(Some((phase, cells, generations))) => {
            checks.push(Check::ok("phase", phase.as_str()));
            // The count may have met keys of a newer generation.
            let manifest = ring.as_ref().map(|ring| ring.manifest());
            checks.extend(
                manifest.as_ref().map(|manifest| judge_generations(manifest, &generations)),
            );
            checks.push(judge_plaintext(phase, &cells));
            checks.push(guards::check(db, manifest.as_ref()).await);
            match programs_tables(db, ring.as_deref(), manifest.as_ref()).await {
                Ok(tables) => checks.extend(tables),
                Err(failure) => checks.push(Check::failed("tables", failure)),
            }
            facts.counted =
                Some(Counted { phase, cells, generations, manifest, is_verified: true });
        }
        Ok(None) => checks.push(Check::ok("cells", "there is no table yet")),
        Err(failure) => checks.push(Check::failed("cells", failure)),
    }
    checks
}

async fn has_ring(db: &DatabaseConnection) -> Result<bool, db::DbErr> {
    db::has_table(db, "strongroom_manifest").await
}

type Counts = (Phase, Census, Vec<GenerationCount>);

/// Counts by what the manifest claims, where no root is there to verify it; nothing is opened or decided by that.
async fn count_unverified(db: &DatabaseConnection) -> Option<Counted> {
    let row = strongroom::entity::manifest::Entity::find_by_id(1_i16).one(db).await.ok()??;
    let manifest: Manifest = serde_json::from_str(&row.body).ok()?;
    let (phase, mut cells, generations) = count(db, None, Some(&manifest)).await.ok()??;
    cells.quarantined = count_quarantine(db).await.unwrap_or(0);
    Some(Counted { phase, cells, generations, manifest: Some(manifest), is_verified: false })
}

async fn count(
    db: &DatabaseConnection,
    ring: Option<&Ring>,
    manifest: Option<&Manifest>,
) -> Result<Option<Counts>, Failure> {
    let tables = reseal::counted_tables(db, manifest).await?;
    let Some((_, phase)) = tables.first().copied() else { return Ok(None) };
    let (_, counts) = reseal::census(db, &tables, ring).await?;
    // The values of programs' tables have lines of their own.
    let ours: Vec<_> =
        tables.into_iter().filter(|(table, _)| own_table(table.name).is_some()).collect();
    let (cells, _) = reseal::census(db, &ours, ring).await?;
    Ok(Some((phase, cells, counts)))
}

/// A line for each table of a program.
async fn programs_tables(
    db: &DatabaseConnection,
    ring: Option<&Ring>,
    manifest: Option<&Manifest>,
) -> Result<Vec<Check>, Failure> {
    let mut checks = Vec::new();
    for (table, phase) in reseal::counted_tables(db, manifest).await? {
        if own_table(table.name).is_some() {
            continue;
        }
        let (cells, _) = reseal::census(db, &[(table, phase)], ring).await?;
        let (sealed, clear) = (counted(cells.sealed, "cell", "cells"), cells.plaintext);
        let message =
            format!("{} of a program is in phase {}: {sealed}", table.name, phase.as_str());
        checks.push(if clear == 0 {
            Check::ok("table", message)
        } else {
            let message = format!("{message}, {} in the clear", counted(clear, "value", "values"));
            Check::left("table", message, "the program's own migrations seal it")
        });
    }
    Ok(checks)
}

fn judge_manifest(manifest: Option<&Manifest>, minimum: Epoch) -> Check {
    let Some(manifest) = manifest else {
        return Check::ok("manifest", "none yet; migration 2 makes it");
    };
    let epoch = manifest.epoch;
    let pinned = if minimum > Epoch::NONE {
        format!("{minimum} and above are accepted")
    } else {
        format!("to pin it, set `keys.minimum_epoch = {epoch}`")
    };
    Check::ok("manifest", format!("verifies; epoch {epoch}; {pinned}"))
}

fn judge_generations(manifest: &Manifest, counts: &[GenerationCount]) -> Check {
    let active = manifest.active;
    if let Some(rolling) = manifest.rolling {
        let left = counts
            .iter()
            .filter(|count| count.generation != Some(active))
            .map(|count| count.cells)
            .sum::<u64>();
        let message = format!(
            "a roll to generation {active} is unfinished; {} left",
            counted(left, "cell", "cells")
        );
        let hint = match rolling {
            Rolling::Forward => "continue with `strongroom keys rotate`",
            Rolling::Back => "continue with `strongroom keys rotate --back`",
        };
        return Check::left("generations", message, hint).code("roll_unfinished");
    }
    let elsewhere: Vec<String> = counts
        .iter()
        .filter(|count| count.generation != Some(active) && count.cells > 0)
        .map(|count| match count.generation {
            Some(generation) => {
                format!("{} on generation {generation}", counted(count.cells, "cell", "cells"))
            }
            None => format!(
                "{} under keys that the ring does not have",
                counted(count.cells, "cell", "cells")
            ),
        })
        .collect();
    if elsewhere.is_empty() {
        return Check::ok(
            "generations",
            format!("generation {active} is active; every cell is on it"),
        );
    }
    let message = format!("generation {active} is active; {}", elsewhere.join(", "));
    Check::left(
        "generations",
        message,
        "`strongroom keys verify` names cells that do not open; `strongroom keys rotate` moves the rest",
    )
    .code("old_generation")
}

fn judge_plaintext(phase: Phase, cells: &Census) -> Check {
    if cells.plaintext == 0 {
        return Check::ok("plaintext", "none");
    }
    let message = format!("{} of {} values stand in the clear", cells.plaintext, cells.total);
    let hint = if phase == Phase::Restoring {
        "finish the way down, or seal them again with `strongroom migrate up --yes`"
    } else {
        "seal them with `strongroom migrate up --yes`"
    };
    Check::left("plaintext", message, hint)
}

/// Needs no key: the names stand there in the clear.
pub(super) async fn quarantine(db: &DatabaseConnection, facts: &mut Facts) -> Check {
    let found = count_quarantine(db).await;
    facts.quarantined = found.as_ref().ok().copied();
    match found {
        Ok(0) => Check::ok("quarantine", "empty"),
        Ok(cells) => {
            let hint = "`strongroom keys quarantine list` names them";
            Check::left(
                "quarantine",
                counted(cells, "cell does not open", "cells do not open"),
                hint,
            )
        }
        Err(error) => Check::unknown("quarantine", error),
    }
}

/// Of programs' tables everything that is named: which of their rows are still there, the next verification tells.
async fn count_quarantine(db: &DatabaseConnection) -> Result<u64, db::DbErr> {
    if !db::has_table(db, "strongroom_quarantine").await? {
        return Ok(0);
    }
    let own = || OWN_TABLES.iter().map(|own| own.name);
    let mut cells =
        listed::Entity::find().filter(listed::Column::TableName.is_not_in(own())).count(db).await?;
    for table in OWN_TABLES {
        if db::has_table(db, table.name).await? {
            cells += reseal::quarantined(db, table).await?;
        }
    }
    Ok(cells)
}
