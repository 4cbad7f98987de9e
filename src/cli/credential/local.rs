//! In the database, by the configured login.

use serde_json::{Value, json};

use super::{List, Named, Wanted};
use crate::failure::Failure;
use crate::session::Session;
use strongroom::credential::{Credential, Filter, Listed, NewCredential};
use strongroom::db::Access;

pub(super) async fn create(wanted: Wanted, session: &Session) -> Result<Value, Failure> {
    let mut new = NewCredential::make(wanted.user_id, wanted.kind)?;
    new.project_id = wanted.project_id;
    new.extra = wanted.extra;
    new.access = wanted.access.or(new.access);
    new.secret = wanted.secret.unwrap_or(new.secret);
    session.store(Access::Write).await?.create(&new).await?;
    let (access, secret) = (new.access.as_deref().map(String::as_str), Some(new.secret.as_str()));
    Ok(document(&new.id, &new.user_id, new.project_id.as_deref(), &new.kind, access, secret))
}

pub(super) async fn show(which: &Named, reveal: bool, session: &Session) -> Result<Value, Failure> {
    let store = session.store(Access::Read).await?;
    let Credential { id, user_id, project_id, kind, access, secret, .. } = match which {
        Named::Access(access) => store.find(access, reveal).await?,
        Named::Id(id) => store.find_by_id(id, reveal).await?,
    };
    let (access, secret) =
        (access.as_deref().map(String::as_str), secret.as_deref().map(String::as_str));
    Ok(document(&id, &user_id, project_id.as_deref(), &kind, access, secret))
}

fn document(
    id: &str,
    user_id: &str,
    project_id: Option<&str>,
    kind: &str,
    access: Option<&str>,
    secret: Option<&str>,
) -> Value {
    json!({ "id": id, "user_id": user_id, "project_id": project_id, "type": kind, "access": access, "secret": secret })
}

pub(super) async fn list(list: List, session: &Session) -> Result<Value, Failure> {
    let filter = Filter { user_id: list.user_id, project_id: list.project_id, after: list.after };
    let page = session.keyless_store(Access::Read).await?.list(&filter, list.limit).await?;
    let credentials: Vec<_> = page.credentials.iter().map(listed).collect();
    Ok(json!({ "credentials": credentials, "next": page.next }))
}

fn listed(row: &Listed) -> Value {
    json!({
        "id": row.id,
        "user_id": row.user_id,
        "project_id": row.project_id,
        "type": row.r#type,
        "created_at": row.created_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
    })
}

pub(super) async fn delete(which: &Named, session: &Session) -> Result<(), Failure> {
    match which {
        Named::Access(access) => session.store(Access::Write).await?.delete(access).await?,
        Named::Id(id) => session.keyless_store(Access::Write).await?.delete_by_id(id).await?,
    }
    Ok(())
}
