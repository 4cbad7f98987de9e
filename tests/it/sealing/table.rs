//! The tables that the host program seals.

use strongroom_entity::{IdColumn, IdKind, OwnerColumn, OwnerKind, SealedColumn, SealedTable};

pub(super) const fn column(
    label: &'static str,
    plain: Option<&'static str>,
    sealed: &'static str,
    index: Option<&'static str>,
    nullable: bool,
) -> SealedColumn {
    SealedColumn { label, plain, sealed, index, nullable }
}

pub(super) const TEXT_OWNER: OwnerColumn =
    OwnerColumn { name: "tenant_id", label: "tenant", kind: OwnerKind::Text };

pub(super) const TABLE: &SealedTable = &SealedTable {
    name: "api_token",
    id: IdColumn { name: "id", kind: IdKind::Text },
    owners: &[TEXT_OWNER],
    scope: Some("tenant_id"),
    columns: &[
        column("api_token.token", Some("token"), "token_sealed", Some("token_index"), false),
        column("api_token.note", Some("note"), "note_sealed", None, true),
    ],
};

pub(super) const BY_UUID: &SealedTable = &SealedTable {
    name: "api_token",
    id: IdColumn { name: "id", kind: IdKind::Uuid },
    owners: &[
        OwnerColumn { name: "number", label: "number", kind: OwnerKind::Integer },
        OwnerColumn { name: "account", label: "account", kind: OwnerKind::Uuid },
    ],
    scope: Some("number"),
    columns: TABLE.columns,
};

pub(super) const BORN: &SealedTable = &SealedTable {
    name: "vault_item",
    id: IdColumn { name: "id", kind: IdKind::Text },
    owners: &[TEXT_OWNER],
    scope: None,
    columns: &[column("vault_item.secret", None, "secret", Some("secret_index"), false)],
};

pub(super) const BORN_WITH_ANOTHER: &SealedTable = &SealedTable {
    columns: &[
        column("vault_item.secret", None, "secret", Some("secret_index"), false),
        column("vault_item.hint", None, "hint", None, true),
    ],
    name: "vault_item",
    id: IdColumn { name: "id", kind: IdKind::Text },
    owners: &[TEXT_OWNER],
    scope: None,
};

pub(super) const NAMED_BY_TYPE: &SealedTable = &SealedTable {
    name: "api_token",
    id: IdColumn { name: "id", kind: IdKind::Text },
    owners: &[],
    scope: None,
    columns: &[
        column("api_token.plaintext", Some("plaintext"), "plaintext_sealed", None, false),
        column("api_token.note_text", Some("note_text"), "note_text_sealed", None, true),
    ],
};

pub(super) const SAME_LABEL: &SealedTable = &SealedTable {
    name: "another",
    id: IdColumn { name: "id", kind: IdKind::Text },
    owners: &[],
    scope: None,
    columns: &[column("api_token.note", Some("note"), "note_sealed", None, true)],
};

pub(super) const OTHERWISE: &SealedTable = &SealedTable {
    name: "api_token",
    id: IdColumn { name: "id", kind: IdKind::Text },
    owners: &[],
    scope: None,
    columns: TABLE.columns,
};
