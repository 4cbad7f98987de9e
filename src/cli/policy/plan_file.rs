//! Plans in files, bound to what they were made for.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::PolicyContext;
use crate::exit::Exit;
use crate::failure::Failure;
use strongroom::internal::db::DbErr;
use strongroom::internal::file::{read_regular, replace_private};
use strongroom::internal::policy::{GrantError, Plan, Policy, server_id, stored};

/// What a plan was made for, by digests, and its SQL for a person to read.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanFile {
    /// The form of this file.
    strongroom_plan: u32,
    /// The server and the database.
    server: String,
    /// The policy that is to be in force.
    policy: String,
    /// What the server held when the plan was made.
    base: String,
    /// The SQL; what is run is made anew, and must be the same.
    statements: Vec<String>,
}

const FORM: u32 = 1;
/// Room for the statements of every component on every table.
const LONGEST: u64 = 64 << 20;

impl PlanFile {
    pub(super) async fn new(
        context: &PolicyContext,
        policy: &Policy,
        plan: &Plan,
    ) -> Result<Self, Failure> {
        Ok(Self {
            strongroom_plan: FORM,
            server: digest(&server(context).await?),
            policy: digest(&stored::body(policy)),
            base: digest(&serde_json::to_string(&plan.found.state).unwrap_or_default()),
            statements: plan.statements.iter().map(|statement| statement.sql.clone()).collect(),
        })
    }

    pub(super) fn write(&self, file: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        Ok(replace_private(file, (text + "\n").as_bytes())?)
    }

    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let text = read_regular(file, LONGEST).map_err(|error| unusable(file, &error))?;
        serde_json::from_slice(&text)
            .map_err(|_| unusable(file, &"it is not a plan of this program"))
    }

    /// Refuses when the server, the policy, or what the server holds is another than the plan was made for.
    pub(super) async fn require(
        &self,
        context: &PolicyContext,
        policy: &Policy,
        plan: &Plan,
    ) -> Result<(), Failure> {
        let now = Self::new(context, policy, plan).await?;
        let changed = [
            (self.strongroom_plan != FORM, "it was made by another version of this program"),
            (self.server != now.server, "it was made for another server or database"),
            (self.policy != now.policy, "the policy is another one"),
            (self.base != now.base, "the server's accounts and grants have changed"),
            (
                self.statements != now.statements,
                "its statements are not the ones that would be run",
            ),
        ];
        match changed.into_iter().find(|(changed, _)| *changed) {
            Some((_, why)) => Err(GrantError::StalePlan(why).into()),
            None => Ok(()),
        }
    }
}

async fn server(context: &PolicyContext) -> Result<String, DbErr> {
    let id = server_id(&context.db, context.site.target.engine).await?;
    Ok(format!("{id}/{}/{}", context.site.target.database, hex::encode(context.site.keys.ring())))
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

fn unusable(file: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Failed, "plan_file", format!("{}: {error}", file.display()))
}
