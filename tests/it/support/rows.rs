//! Plaintext rows as control planes have them.

/// A row of the table at version 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub id: String,
    pub user_id: String,
    pub project_id: Option<String>,
    pub kind: String,
    pub access_key: Option<String>,
    pub secret_key: String,
    pub extra: Option<String>,
}

impl Row {
    pub fn new(n: usize, secret: impl Into<String>) -> Self {
        Self {
            id: format!("row-{n:06}"),
            user_id: format!("user-{}", n % 7),
            project_id: (!n.is_multiple_of(5)).then(|| format!("project-{}", n % 11)),
            kind: "ec2".into(),
            access_key: Some(format!("AKIA{n:012}TESTACCESS")),
            secret_key: secret.into(),
            extra: Some(r#"{"trust_id": null}"#.into()),
        }
    }
}

pub fn numbered_rows(count: usize) -> Vec<Row> {
    (0..count).map(|n| Row::new(n, format!("plaintext-secret-{n:012}"))).collect()
}

/// Every kind of text that a control plane holds, and the shapes that rows take.
pub fn nasty_rows() -> Vec<Row> {
    let long = "0123456789abcdef".repeat(4_090);
    let secrets = [
        "plain-secret-value-0001",
        "Unicode: żółć 秘密 🔐 e\u{301}",
        "quotes ' \" ` \\ ; -- $1 ? %s",
        "line one\nline two\r\n\ttab\n",
        "   leading and trailing blanks   ",
        "Case-Sensitive-Secret",
        "case-sensitive-secret",
        "\u{1}\u{7f}\u{feff}control",
        &long,
        "",
    ];
    let mut rows: Vec<Row> =
        secrets.iter().enumerate().map(|(n, secret)| Row::new(n, *secret)).collect();
    rows[1].access_key = Some("AKIA-żółć-Access-Key ".into());
    rows[2].access_key = Some("akia ' \" trailing blank ".into());
    rows[3].access_key = None;
    rows[3].kind = "totp".into();
    rows[4].extra = None;
    rows[5].project_id = Some(String::new());
    rows[6].id = "żółw ' row".into();
    rows[7].user_id = "user with blanks ".into();
    rows[9].access_key = Some(String::new());
    rows.sort();
    rows
}
