//! The migrations, and the run lock.

use strongroom::migration::Migrator;

use super::check::Check;
use super::facts::Facts;
use crate::typed::quoted;
use strongroom::internal::db::{self, DatabaseConnection};
use strongroom::internal::schema::{self, State, Status};

/// Bad for a database that is newer, edited or somebody else's. Also tells whether the ring serves programs' tables alone.
pub(super) async fn migrations(db: &DatabaseConnection, facts: &mut Facts) -> (Check, bool) {
    let told = async {
        let status = schema::status(db, &Migrator::without_keys().steps()).await?;
        let programs = schema::programs_alone(db, &status).await?;
        Ok::<_, schema::SchemaError>((status, programs))
    };
    match told.await {
        Ok((status, programs)) if programs.is_empty() => {
            let check = judge(&status);
            facts.status = Some(status);
            (check, false)
        }
        Ok((status, programs)) => {
            facts.status = Some(status);
            let tables = schema::programs_named(&programs);
            (
                Check::ok(
                    "migrations",
                    format!("not Strongroom's: the ring serves the tables of programs, {tables}"),
                ),
                true,
            )
        }
        Err(error) => (Check::failed("migrations", error), false),
    }
}

fn judge(status: &Status) -> Check {
    let version = status.version();
    let half_way = status
        .migrations
        .iter()
        .find(|step| matches!(step.state, State::HalfWayUp | State::HalfWayDown));
    if let Some(step) = half_way {
        let is_up = step.state == State::HalfWayUp;
        let message = format!(
            "migration {} `{}` is half-way {}",
            step.number,
            step.name,
            if is_up { "up" } else { "down" }
        );
        let below = step.number.saturating_sub(1);
        let hint = if is_up {
            "continue with `strongroom migrate up --yes`".to_owned()
        } else {
            format!(
                "continue with `strongroom migrate down --to {below} --yes`, or give it up with `strongroom migrate up --yes`"
            )
        };
        return Check::left("migrations", message, hint).code("half_way");
    }
    if status.pending > 0 {
        let message = format!("at version {version}; {} pending", status.pending);
        let hint =
            "look at `strongroom migrate up --dry-run`, then run `strongroom migrate up --yes`";
        return Check::left("migrations", message, hint).code("pending");
    }
    Check::ok("migrations", format!("at version {version}; none pending"))
}

pub(super) async fn lock(db: &DatabaseConnection) -> Check {
    let told = async {
        Ok::<_, db::DbErr>((db::lock_holder(db).await?, db::lock_abandoned_by(db).await?))
    };
    match told.await {
        Ok((Some(holder), _)) if holder.is_gone => {
            let message = format!("held by {}, which is gone", holder.shown);
            Check::advice(
                "run lock",
                message,
                "the next run takes it at once: run the same command again",
            )
        }
        Ok((Some(holder), _)) if holder.is_overlong => {
            let message = format!(
                "held by {}, under a lease that no run takes: {} s",
                holder.shown,
                holder.expires_in.as_secs()
            );
            let unlock =
                format!("`strongroom migrate unlock --yes --holder {}`", quoted(&holder.id));
            Check::advice("run lock", message, format!("if no such run is alive: {unlock}"))
        }
        Ok((Some(holder), _)) => {
            let message = format!(
                "held by {}, for {} s more unless it is renewed",
                holder.shown,
                holder.expires_in.as_secs()
            );
            let take = format!(
                "`strongroom migrate unlock --holder {} --yes` takes it from one that hangs",
                quoted(&holder.id)
            );
            Check::advice("run lock", message, format!("wait for it to finish; {take}"))
        }
        Ok((None, Some(shown))) => {
            let message =
                format!("free: {shown} ended without giving it back, and its lease is over");
            Check::advice(
                "run lock",
                message,
                "`strongroom migrate status` shows what is left: run the same command again",
            )
        }
        Ok((None, None)) => Check::ok("run lock", "free"),
        Err(error) => Check::unknown("run lock", error),
    }
}
