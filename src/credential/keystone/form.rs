//! A credential in Keystone's form, and back. Each way undoes the other.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::blob;
use super::source::SourceRow;
use crate::credential::NewCredential;

/// The type whose blob is JSON with an access key, under whose digest the row stands.
const EC2: &str = "ec2";
/// Keystone has a column `extra` of its own, nearly always `{}`. What it holds is kept under this name.
const KEYSTONES: &str = "keystone:extra";

/// What a row of Keystone's says, before it is encrypted.
pub(super) struct Form {
    pub(super) id: String,
    pub(super) user_id: String,
    pub(super) project_id: Option<String>,
    pub(super) kind: String,
    pub(super) blob: Zeroizing<String>,
    pub(super) extra: String,
}

/// What a row of Keystone's is here; else why it cannot be taken.
pub(super) fn read(row: &SourceRow, plain: &[u8]) -> Result<NewCredential, &'static str> {
    let text = std::str::from_utf8(plain).map_err(|_| "malformed")?;
    let mut new = NewCredential {
        id: row.id.clone(),
        user_id: row.user_id.clone(),
        project_id: row.project_id.clone(),
        kind: row.r#type.clone(),
        access: None,
        secret: Zeroizing::new(text.to_owned()),
        extra: None,
    };
    if new.kind == EC2 {
        let blob = blob::parse(text).ok_or("malformed")?;
        if id_of(&blob.access) != row.id {
            return Err("id_mismatch");
        }
        (new.access, new.secret, new.extra) = (Some(blob.access), blob.secret, blob.extra);
    }
    let keystones = row.extra.as_deref().map(str::trim).filter(|text| !matches!(*text, "" | "{}" | "null"));
    if let Some(keystones) = keystones {
        new.extra = Some(with_keystones_extra(new.extra.as_deref(), keystones).ok_or("malformed")?);
    }
    new.check().map_err(|_| "malformed")?;
    Ok(new)
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
    let (id, blob) = match &ours.access {
        Some(access) if ours.kind == EC2 => (id_of(access), blob::write(access, &ours.secret, &members)?),
        None if ours.kind != EC2 && members.is_empty() => (ours.id.clone(), ours.secret.clone()),
        _ => return None,
    };
    let (user_id, project_id, kind) = (ours.user_id.clone(), ours.project_id.clone(), ours.kind.clone());
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

fn id_of(access: &str) -> String {
    hex::encode(Sha256::digest(access.as_bytes()))
}

/// `None` when it is not JSON.
fn with_keystones_extra(ours: Option<&str>, keystones: &str) -> Option<String> {
    let theirs: Value = serde_json::from_str(keystones).ok()?;
    let mut members: Map<String, Value> = ours.map_or(Ok(Map::new()), serde_json::from_str).ok()?;
    members.insert(KEYSTONES.into(), theirs);
    blob::spaced_json(&Value::Object(members))
}

/// The members of our `extra`, without those that say nothing; `None` when it is not a JSON object.
fn members(extra: Option<&str>) -> Option<Map<String, Value>> {
    let mut members: Map<String, Value> = match extra.map(str::trim) {
        None | Some("" | "null") => Map::new(),
        Some(text) => serde_json::from_str(text).ok()?,
    };
    if members.get(KEYSTONES).is_some_and(|value| value.is_null() || *value == Value::Object(Map::new())) {
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
        };
        read(&row, form.blob.as_bytes()).unwrap()
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
        let is = |left, right| same(&ours("ec2", Some("a"), "s", left), &ours("ec2", Some("a"), "s", right));
        assert!(is(Some(r#"{"b":1,"a":2}"#), Some(r#"{"a": 2, "b": 1}"#)));
        assert!(is(None, Some("{}")) && is(Some(r#"{"keystone:extra":{}}"#), None));
        assert!(!is(None, Some(r#"{"trust_id": null}"#)));
        assert!(!same(&ours("ec2", Some("a"), "s", None), &ours("ec2", Some("a"), "t", None)));
    }
}
