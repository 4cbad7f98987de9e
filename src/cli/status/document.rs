//! Everything that the screen shows, as one document.

use serde::Serialize;
use strongroom::migration::Engine;

use crate::doctor::{Check, Checked, Counted, State};
use crate::exit::Exit;
use crate::output::Output;
use strongroom::internal::db::{Address, DatabaseConnection, server_version};
use strongroom::internal::reseal::Census;
use strongroom::key::{Epoch, KeyState, Rolling};
use strongroom::schema::Status;

#[derive(Serialize)]
pub(super) struct Document {
    pub(super) database: Database,
    /// Absent where the database is newer, edited or somebody else's.
    pub(super) version: Option<usize>,
    pub(super) newest: Option<usize>,
    pub(super) pending: Option<usize>,
    pub(super) phase: Option<&'static str>,
    pub(super) cells: Census,
    pub(super) ring: Option<Ring>,
    pub(super) quarantined: Option<u64>,
    pub(super) policy: Option<String>,
    pub(super) audit: Option<Audit>,
    pub(super) service: Option<String>,
    pub(super) findings: Vec<Finding>,
    #[serde(skip)]
    exit: Exit,
}

#[derive(Serialize)]
pub(super) struct Database {
    pub(super) address: String,
    pub(super) engine: Option<String>,
    pub(super) version: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Ring {
    pub(super) active: u32,
    pub(super) epoch: Epoch,
    pub(super) rolling: Option<Rolling>,
    /// Cells that a roll to the active generation has to move; absent where nobody could tell.
    pub(super) to_move: Option<u64>,
    pub(super) generations: Vec<Generation>,
    /// Whether the manifest that says so was verified, which takes the root key.
    pub(super) verified: bool,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the document's member, as `keys status` names it")]
pub(super) struct Generation {
    generation: u32,
    state: KeyState,
    cells: Option<u64>,
}

#[derive(Serialize)]
pub(super) struct Audit {
    pub(super) rows: i64,
    /// What `audit verify --expect` takes; absent where there is no row.
    pub(super) last: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Finding {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) state: State,
}

impl Document {
    pub(super) async fn new(
        looked: &Checked,
        address: &Address,
        db: &DatabaseConnection,
        output: &Output,
    ) -> Self {
        let (facts, checks) = (&looked.facts, &looked.checks);
        let mut found: Vec<_> = checks.all().iter().filter_map(Check::finding).collect();
        found.sort_by_key(|finding| finding.exit == Exit::Done);
        let is_left = found.iter().any(|finding| finding.exit != Exit::Done);
        let said = |name: &str| checks.find(name).map(|check| check.message().to_owned());
        let (status, counted) = (facts.status.as_ref(), facts.counted.as_ref());
        Self {
            database: Database {
                address: address.to_string(),
                engine: Engine::of(db).await.ok().map(|engine| engine.to_string()),
                version: server_version(db).await.ok(),
            },
            version: status.map(Status::version),
            newest: status.map(|status| status.migrations.len()),
            pending: status.map(|status| status.pending),
            phase: counted.map(|counted| counted.phase.as_str()),
            cells: counted.map(|counted| counted.cells.clone()).unwrap_or_default(),
            ring: counted.and_then(ring),
            quarantined: facts.quarantined,
            policy: said("policy"),
            audit: facts.audit.as_ref().map(|(number, code)| Audit {
                rows: *number,
                last: (*number > 0).then(|| format!("{number}:{code}")),
            }),
            service: said("running"),
            findings: found
                .iter()
                .map(|finding| Finding {
                    code: finding.code.to_owned(),
                    message: output.typed(finding.message).into_owned(),
                    hint: finding.hint.map(|hint| output.typed(hint).into_owned()),
                    state: finding.state,
                })
                .collect(),
            exit: if is_left { Exit::Left } else { Exit::Done },
        }
    }

    pub(super) fn exit(&self) -> Exit {
        self.exit
    }
}

fn ring(counted: &Counted) -> Option<Ring> {
    let manifest = counted.manifest.as_ref()?;
    let cells_of = |generation: Option<strongroom::key::Generation>| {
        counted
            .generations
            .iter()
            .find(|count| count.generation == generation)
            .map_or(0, |count| count.cells)
    };
    let elsewhere =
        counted.generations.iter().filter(|count| count.generation != Some(manifest.active));
    Some(Ring {
        active: manifest.active.number(),
        epoch: manifest.epoch,
        rolling: manifest.rolling,
        to_move: counted.is_verified.then(|| elsewhere.map(|count| count.cells).sum()),
        generations: manifest
            .generations
            .iter()
            .map(|known| Generation {
                generation: known.generation.number(),
                state: known.state,
                cells: counted.is_verified.then(|| cells_of(Some(known.generation))),
            })
            .collect(),
        verified: counted.is_verified,
    })
}
