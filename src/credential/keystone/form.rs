//! A credential in Keystone's form, and back. Each way undoes the other.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::blob;
use super::source::SourceRow;
use crate::credential::NewCredential;

/// The type whose blob is JSON with an access key, under whose digest the row stands.
const EC2: &str = "ec2";
/// Keystone has a column `extra` of its own, nearly always `{}`. Its object is kept under this name.
const KEYSTONES: &str = "keystone:extra";
/// An EC2 row whose id is not the digest of its access key keeps that id under this name.
const ID: &str = "keystone:id";

/// What a row of Keystone's says, before it is encrypted.
pub(super) struct Form {
    pub(super) id: String,
    pub(super) user_id: String,
    pub(super) project_id: Option<String>,
    pub(super) kind: String,
    pub(super) blob: Zeroizing<String>,
    pub(super) extra: String,
}

/// The reason why a row of Keystone's is left out.
#[derive(Debug)]
pub(super) struct Unfit {
    /// The contract's word.
    pub(super) reason: &'static str,
    /// The same for a person, without any value of the row.
    pub(super) cause: String,
}

/// Converts a row of Keystone's. `any_id` accepts an EC2 row whose id is not the digest of its access key.
pub(super) fn read(row: &SourceRow, plain: &[u8], any_id: bool) -> Result<NewCredential, Unfit> {
    let text = std::str::from_utf8(plain).map_err(|_| malformed("the blob is no UTF-8"))?;
    let mut new = NewCredential {
        id: row.id.clone(),
        user_id: row.user_id.clone(),
        project_id: row.project_id.clone(),
        kind: row.r#type.clone(),
        access: None,
        secret: Zeroizing::new(text.to_owned()),
        extra: None,
    };
    let mut kept = Map::new();
    if new.kind == EC2 {
        let blob = blob::parse(text).map_err(|error| malformed(error.to_string()))?;
        if id_of(&blob.access) != row.id {
            kept.insert(ID.into(), Value::String(other_id(row, any_id)?));
        }
        (new.access, new.secret, new.extra) = (Some(blob.access), blob.secret, blob.extra);
    }
    if let Some(keystones) = keystones_extra(row)? {
        kept.insert(KEYSTONES.into(), Value::Object(keystones));
    }
    new.extra = with_kept(new.extra, kept)?;
    new.check().map_err(|error| malformed(error.to_string()))?;
    Ok(new)
}

fn malformed(cause: impl Into<String>) -> Unfit {
    Unfit { reason: "malformed", cause: cause.into() }
}

fn other_id(row: &SourceRow, any_id: bool) -> Result<String, Unfit> {
    let cause =
        "the id is not the SHA-256 of the access key; `--accept-id-mismatch` takes such rows";
    if any_id {
        Ok(row.id.clone())
    } else {
        Err(Unfit { reason: "id_mismatch", cause: cause.into() })
    }
}

/// Returns the object in Keystone's column `extra`; `None` when it is empty.
fn keystones_extra(row: &SourceRow) -> Result<Option<Map<String, Value>>, Unfit> {
    let Some(text) =
        row.extra.as_deref().map(str::trim).filter(|text| !matches!(*text, "" | "{}" | "null"))
    else {
        return Ok(None);
    };
    match serde_json::from_str(text).map_err(|_| malformed("the column `extra` is no JSON"))? {
        Value::Object(members) => Ok(Some(members)),
        _ => Err(malformed("the column `extra` is JSON, but no object")),
    }
}

/// Adds the members that Keystone keeps outside the blob.
fn with_kept(extra: Option<String>, kept: Map<String, Value>) -> Result<Option<String>, Unfit> {
    let own: Option<Map<String, Value>> = extra
        .as_deref()
        .map(serde_json::from_str)
        .transpose()
        .map_err(|error| malformed(error.to_string()))?;
    let mut members = own.unwrap_or_default();
    if let Some(name) = [KEYSTONES, ID].iter().find(|name| members.contains_key(**name)) {
        return Err(malformed(format!(
            "the blob has a member `{name}`, a name that Strongroom uses"
        )));
    }
    if kept.is_empty() {
        return Ok(extra);
    }
    members.extend(kept);
    blob::spaced_json(&Value::Object(members))
        .map(Some)
        .ok_or_else(|| malformed("the blob is no JSON"))
}

/// What a credential of ours is in Keystone; `None` when something of it has no place there.
pub(super) fn write(ours: &NewCredential) -> Option<Form> {
    ours.check().ok()?;
    let mut members = members(ours.extra.as_deref())?;
    let extra = match members.remove(KEYSTONES) {
        // Keystone takes it for an object, in every row that it lists.
        Some(keystones @ Value::Object(_)) => blob::ascii_json(&keystones, 0)?.to_string(),
        Some(_) => return None,
        None => "{}".to_owned(),
    };
    let other_id = match members.remove(ID) {
        Some(Value::String(id)) => Some(id),
        Some(_) => return None,
        None => None,
    };
    let (id, blob) = match &ours.access {
        Some(access) if ours.kind == EC2 => (
            other_id.unwrap_or_else(|| id_of(access)),
            blob::write(access, &ours.secret, &members)?,
        ),
        None if ours.kind != EC2 && members.is_empty() && other_id.is_none() => {
            (ours.id.clone(), ours.secret.clone())
        }
        _ => return None,
    };
    let (user_id, project_id, kind) =
        (ours.user_id.clone(), ours.project_id.clone(), ours.kind.clone());
    Some(Form { id, user_id, project_id, kind, blob, extra })
}

/// Whether both say the same, whatever their ids here and however `extra` is spaced and ordered.
pub(super) fn same(ours: &NewCredential, theirs: &NewCredential) -> bool {
    ours.user_id == theirs.user_id
        && ours.project_id == theirs.project_id
        && ours.kind == theirs.kind
        && ours.access == theirs.access
        && ours.secret == theirs.secret
        && members(ours.extra.as_deref()) == members(theirs.extra.as_deref())
}

pub(super) fn id_of(access: &str) -> String {
    hex::encode(Sha256::digest(access.as_bytes()))
}

/// The members of our `extra`, without those that say nothing; `None` when it is not a JSON object.
fn members(extra: Option<&str>) -> Option<Map<String, Value>> {
    let mut members: Map<String, Value> = match extra.map(str::trim) {
        None | Some("" | "null") => Map::new(),
        Some(text) => serde_json::from_str(text).ok()?,
    };
    if members
        .get(KEYSTONES)
        .is_some_and(|value| value.is_null() || *value == Value::Object(Map::new()))
    {
        members.remove(KEYSTONES);
    }
    Some(members)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ours(kind: &str, access: Option<&str>, secret: &str, extra: Option<&str>) -> NewCredential {
        let text = |text: &str| Zeroizing::new(text.to_owned());
        NewCredential {
            id: "row".into(),
            user_id: "u".into(),
            project_id: Some("p".into()),
            kind: kind.into(),
            access: access.map(text),
            secret: text(secret),
            extra: extra.map(str::to_owned),
        }
    }

    fn and_back(form: Form) -> NewCredential {
        let row = SourceRow {
            id: form.id,
            user_id: form.user_id,
            project_id: form.project_id,
            r#type: form.kind,
            encrypted_blob: String::new(),
            extra: Some(form.extra),
            key_hash: None,
        };
        read(&row, form.blob.as_bytes(), true).unwrap()
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same(access in "[^\0]{0,40}", secret in "[^\0]{0,200}", other in "[^\0]{0,40}", ec2: bool) {
            let theirs = serde_json::json!({ "n": 7, "text": other });
            let extra = if ec2 {
                serde_json::json!({ "trust_id": null, "other": other, "keystone:extra": theirs })
            } else {
                serde_json::json!({ "keystone:extra": theirs })
            };
            let (kind, access) = if ec2 { ("ec2", Some(access.as_str())) } else { ("totp", None) };
            let extra = blob::spaced_json(&extra).unwrap();
            let ours = ours(kind, access, &secret, Some(&extra));
            let back = and_back(write(&ours).unwrap());
            prop_assert!(same(&ours, &back));
            prop_assert_eq!(back.extra.unwrap(), extra);
        }
    }

    #[test]
    fn what_keystone_has_no_place_for_is_not_left_out() {
        let unfit = [
            ours("ec2", None, "s", None),
            ours("totp", Some("a"), "s", None),
            ours("totp", None, "s", Some(r#"{"note": "mine"}"#)),
            ours("ec2", Some("a"), "s", Some(r#"{"secret": "another"}"#)),
            ours("ec2", Some("a"), "s", Some("no JSON")),
            ours("ec2", Some("a"), "s", Some("[]")),
            ours("ec2", Some("a"), "s", Some(r#"{"keystone:extra": 7}"#)),
            ours("ec2", Some("a"), "s\0", None),
        ];
        assert!(unfit.iter().all(|ours| write(ours).is_none()));
    }

    #[test]
    fn meaning_counts_and_spacing_does_not() {
        let is = |left, right| {
            same(&ours("ec2", Some("a"), "s", left), &ours("ec2", Some("a"), "s", right))
        };
        assert!(is(Some(r#"{"b":1,"a":2}"#), Some(r#"{"a": 2, "b": 1}"#)));
        assert!(is(None, Some("{}")) && is(Some(r#"{"keystone:extra":{}}"#), None));
        assert!(!is(None, Some(r#"{"trust_id": null}"#)));
        assert!(!same(&ours("ec2", Some("a"), "s", None), &ours("ec2", Some("a"), "t", None)));
    }
}
