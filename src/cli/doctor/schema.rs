//! The migrations, and the run lock.

use strongroom_migration::Migrator;

use super::check::Check;
use crate::cli::typed;
use crate::db::{self, DatabaseConnection};
use crate::schema::{self, State, Status};

/// Bad for a database that is newer, edited or somebody else's. Also tells whether the ring serves programs' tables alone.
pub(super) async fn migrations(db: &DatabaseConnection) -> (Check, bool) {
    let told = async {
        let status = schema::status(db, &Migrator::without_keys().steps()).await?;
        let programs = schema::programs_alone(db, &status).await?;
        Ok::<_, schema::SchemaError>((status, programs))
    };
    match told.await {
        Ok((status, programs)) if programs.is_empty() => (judge(&status), false),
        Ok((_, programs)) => {
            let tables = schema::programs_named(&programs);
            (Check::ok("migrations", format!("not Strongroom's: the ring serves the tables of programs, {tables}")), true)
        }
        Err(error) => (Check::failed("migrations", error), false),
    }
}

fn judge(status: &Status) -> Check {
    let version = status.version();
    let half_way = status.migrations.iter().find(|step| matches!(step.state, State::HalfWayUp | State::HalfWayDown));
    if let Some(step) = half_way {
        let command = if step.state == State::HalfWayUp { "up" } else { "down" };
        let message = format!("migration {} `{}` is half-way {command}", step.number, step.name);
        return Check::left("migrations", message, format!("go on with `strongroom migrate {command}`"));
    }
    if status.pending > 0 {
        let message = format!("at version {version}; {} pending", status.pending);
        return Check::left("migrations", message, "run `strongroom migrate plan`, then `strongroom migrate up`");
    }
    Check::ok("migrations", format!("at version {version}; none pending"))
}

pub(super) async fn lock(db: &DatabaseConnection) -> Check {
    let told = async { Ok::<_, db::DbErr>((db::lock_holder(db).await?, db::lock_abandoned_by(db).await?)) };
    match told.await {
        Ok((Some(holder), _)) if holder.is_gone => {
            let message = format!("held by {}, which is gone", holder.shown);
            Check::advice("run lock", message, "the next run takes it at once: run the same command again")
        }
        Ok((Some(holder), _)) if holder.is_overlong => {
            let message = format!("held by {}, under a lease that no run takes: {} s", holder.shown, holder.expires_in.as_secs());
            let unlock = format!("`strongroom migrate unlock --yes --holder {}`", typed::quoted(&holder.id));
            Check::advice("run lock", message, format!("if no such run is alive: {unlock}"))
        }
        Ok((Some(holder), _)) => {
            let message = format!("held by {}, for {} s more unless it is renewed", holder.shown, holder.expires_in.as_secs());
            Check::advice("run lock", message, "wait for it to finish; `strongroom migrate unlock` takes it from one that hangs")
        }
        Ok((None, Some(shown))) => {
            let message = format!("free: {shown} ended without giving it back, and its lease is over");
            Check::advice("run lock", message, "`strongroom migrate status` shows what is left: run the same command again")
        }
        Ok((None, None)) => Check::ok("run lock", "free"),
        Err(error) => Check::unknown("run lock", error),
    }
}
