//! Reads what MySQL and MariaDB tell a login of its rights: the only view of them that a login without any other has.
//!
//! Names stand in backticks, in double quotes (`ANSI_QUOTES`) or bare (`sql_quote_show_create` off), and a quote within a
//! name is doubled. A line of another form counts as an unknown right, so that
//! the login is refused.

mod words;

use std::fmt;

use self::words::{Word, words};
use super::state::Object;

/// One right of a session's login, by whatever path. A word such as `SUPERUSER` is one on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Right {
    pub(crate) object: Object,
    pub(crate) privilege: String,
    /// Whether everybody has it.
    pub(crate) is_publics: bool,
}

/// Not a right, but told with them: the server may hide rows of a table.
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub(crate) const ROW_SECURITY: &str = "ROW LEVEL SECURITY";

impl Right {
    /// A right of the login's own, or of one of its roles.
    pub(super) fn own(object: Object, privilege: impl Into<String>) -> Self {
        Self { object, privilege: privilege.into(), is_publics: false }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.object {
            Object::Server => f.write_str(&self.privilege),
            Object::Database(name) => write!(f, "{name}.* {}", self.privilege),
            object => write!(f, "{object} {}", self.privilege),
        }
    }
}

/// The rights of one line of `SHOW GRANTS`.
pub(crate) fn rights(line: &str) -> Vec<Right> {
    let words = words(line);
    match words.split_first() {
        Some((Word::Bare(first), rest)) if first == "GRANT" => {
            of_grant(rest).unwrap_or_else(unknown)
        }
        Some((Word::Bare(first), _)) if first == "SET" && line.starts_with("SET DEFAULT ROLE") => {
            Vec::new()
        }
        _ => unknown(),
    }
}

fn unknown() -> Vec<Right> {
    vec![Right::own(Object::Server, "something unknown")]
}

fn of_grant(words: &[Word]) -> Option<Vec<Right>> {
    let (what, whom) = outside(words, "TO")?;
    let mut rights = match outside(what, "ON") {
        None => split(what).map(role).collect::<Option<Vec<_>>>()?,
        Some((privileges, on)) => {
            let object = object(on)?;
            split(privileges)
                .map(|privilege| of_privilege(privilege, &object))
                .collect::<Option<Vec<_>>>()?
                .concat()
        }
    };
    if is_public(whom) {
        for right in &mut rights {
            right.is_publics = true;
        }
    }
    let said = |option: &str| {
        whom.windows(3)
            .any(|three| three.iter().map(Word::bare).eq(["WITH", option, "OPTION"].map(Some)))
    };
    if said("GRANT") || said("ADMIN") {
        rights.push(Right::own(Object::Server, "GRANT OPTION"));
    }
    Some(rights)
}

/// MariaDB lists what everybody may do with each login's own rights.
fn is_public(whom: &[Word]) -> bool {
    matches!(whom, [word, rest @ ..] if word.text().is_some_and(|name| name.eq_ignore_ascii_case("PUBLIC"))
        && !matches!(rest.first(), Some(Word::Mark('@'))))
}

fn role(words: &[Word]) -> Option<Right> {
    Some(Right::own(Object::Server, format!("role {}", words.first()?.text()?)))
}

/// The object after ON: `*.*`, `db.*`, `db.table`, or a routine, which no policy speaks of.
fn object(on: &[Word]) -> Option<Object> {
    let name = |word: &Word| word.text().map(str::to_owned);
    Some(match on {
        [Word::Mark('*'), Word::Mark('.'), Word::Mark('*')] => Object::Server,
        [schema, Word::Mark('.'), Word::Mark('*')] => Object::Database(name(schema)?),
        [schema, Word::Mark('.'), table] => Object::Table(name(schema)?, name(table)?),
        [Word::Bare(kind), rest @ .., schema, Word::Mark('.'), routine]
            if rest.iter().all(|word| word.bare().is_some()) =>
        {
            Object::Table(name(schema)?, format!("{} ({})", name(routine)?, kind.to_lowercase()))
        }
        _ => return None,
    })
}

fn of_privilege(words: &[Word], object: &Object) -> Option<Vec<Right>> {
    let end = words.iter().position(|word| *word == Word::Mark('(')).unwrap_or(words.len());
    let (verb, columns) = words.split_at_checked(end)?;
    let verb = verb.iter().map(Word::bare).collect::<Option<Vec<_>>>()?.join(" ");
    if verb == "USAGE" {
        return Some(Vec::new());
    }
    let Some((_, columns)) = columns.split_first() else {
        return Some(vec![Right::own(object.clone(), verb)]);
    };
    let (schema, table) = object.table()?;
    let of_column = |column: &Word| {
        Some(Object::Column(schema.to_owned(), table.to_owned(), column.text()?.to_owned()))
    };
    let named = columns.iter().filter(|word| !matches!(word, Word::Mark(_)));
    named.map(|column| Some(Right::own(of_column(column)?, verb.as_str()))).collect()
}

/// Splits at a word that stands outside of brackets.
fn outside<'a>(words: &'a [Word], at: &str) -> Option<(&'a [Word], &'a [Word])> {
    let mut depth = 0_usize;
    let place = words.iter().position(|word| {
        depth = depth_after(depth, word);
        depth == 0 && word.bare() == Some(at)
    })?;
    Some((words.get(..place)?, words.get(place + 1..)?))
}

/// Splits at commas that stand outside of brackets.
fn split(words: &[Word]) -> impl Iterator<Item = &[Word]> {
    let mut depth = 0_usize;
    words.split(move |word| {
        depth = depth_after(depth, word);
        depth == 0 && *word == Word::Mark(',')
    })
}

fn depth_after(depth: usize, word: &Word) -> usize {
    match word {
        Word::Mark('(') => depth + 1,
        Word::Mark(')') => depth.saturating_sub(1),
        _ => depth,
    }
}

#[cfg(test)]
mod tests {
    use super::rights;

    fn refusal(line: &str) -> Vec<String> {
        rights(line)
            .iter()
            .map(
                |right| {
                    if right.is_publics { format!("PUBLIC: {right}") } else { right.to_string() }
                },
            )
            .collect()
    }

    #[test]
    fn lines_of_both_engines_are_read() {
        for (line, expected) in [
            ("GRANT USAGE ON *.* TO `sr_1_api_a`@`%`", vec![]),
            (
                "GRANT USAGE ON *.* TO `sr_1_api_a`@`%` IDENTIFIED BY PASSWORD '*AB' REQUIRE X509",
                vec![],
            ),
            (
                "GRANT USAGE ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD 'x TO y' WITH MAX_USER_CONNECTIONS 20 MAX_STATEMENT_TIME 5.0",
                vec![],
            ),
            ("GRANT `sr_1_api`@`%` TO `sr_1_api_a`@`%`", vec!["role sr_1_api"]),
            (
                "GRANT `a`@`%`,`b`@`%` TO `sr_1_api_a`@`%` WITH ADMIN OPTION",
                vec!["role a", "role b", "GRANT OPTION"],
            ),
            ("GRANT `sr_1_api` TO `sr_1_api_a`@`%`", vec!["role sr_1_api"]),
            ("SET DEFAULT ROLE `sr_1_api` FOR `sr_1_api_a`@`%`", vec![]),
            (
                "GRANT SELECT (`a`, `id`), INSERT (`a`), DELETE ON `d`.`t` TO `r`@`%`",
                vec!["d.t.a SELECT", "d.t.id SELECT", "d.t.a INSERT", "d.t DELETE"],
            ),
            (
                "GRANT SELECT, INSERT ON `d`.`t` TO `r`@`%` WITH GRANT OPTION",
                vec!["d.t SELECT", "d.t INSERT", "GRANT OPTION"],
            ),
            ("GRANT ALL PRIVILEGES ON `d`.* TO `r`@`%`", vec!["d.* ALL PRIVILEGES"]),
            (
                "GRANT CREATE TEMPORARY TABLES, SHOW VIEW ON `d`.* TO `r`",
                vec!["d.* CREATE TEMPORARY TABLES", "d.* SHOW VIEW"],
            ),
            ("GRANT PROCESS, SUPER ON *.* TO `r`@`%`", vec!["PROCESS", "SUPER"]),
            ("GRANT EXECUTE ON PROCEDURE `d`.`p` TO `r`@`%`", vec!["d.p (procedure) EXECUTE"]),
            ("GRANT EXECUTE ON PACKAGE BODY `d`.`p` TO `r`@`%`", vec!["d.p (package) EXECUTE"]),
            (
                "GRANT PROXY ON ``@`` TO `root`@`localhost` WITH GRANT OPTION",
                vec!["something unknown"],
            ),
            ("REVOKE SELECT ON `d`.* FROM `r`@`%`", vec!["something unknown"]),
            ("", vec!["something unknown"]),
            ("GRANT SELECT ON `d`.`t", vec!["something unknown"]),
        ] {
            assert_eq!(refusal(line), expected, "{line}");
        }
    }

    #[test]
    fn names_are_read_however_they_are_quoted() {
        for (line, expected) in [
            (
                r#"GRANT SELECT ("a", "id") ON "d"."t" TO "r"@"%""#,
                vec!["d.t.a SELECT", "d.t.id SELECT"],
            ),
            (r#"GRANT "sr_1_api"@"%" TO "sr_1_api_a"@"%""#, vec!["role sr_1_api"]),
            ("GRANT SELECT (a, id) ON d.t TO r@%", vec!["d.t.a SELECT", "d.t.id SELECT"]),
            ("GRANT sr_1_api@% TO sr_1_api_a@%", vec!["role sr_1_api"]),
            (
                "GRANT SELECT ON `we``ird`.`a ON b TO c` TO `r`@`%`",
                vec!["we`ird.a ON b TO c SELECT"],
            ),
            (r#"GRANT SELECT ON "we""ird"."x.y" TO "r"@"%""#, vec![r#"we"ird.x.y SELECT"#]),
            (
                "GRANT SELECT (`a,b`, `c)d`) ON `d`.`t` TO `r`@`%`",
                vec!["d.t.a,b SELECT", "d.t.c)d SELECT"],
            ),
            ("GRANT SELECT ON `ü`.`ß` TO `r`@`%`", vec!["ü.ß SELECT"]),
        ] {
            assert_eq!(refusal(line), expected, "{line}");
        }
    }

    #[test]
    fn what_everybody_may_do_is_told_apart() {
        for (line, expected) in [
            ("GRANT SELECT ON `test`.* TO PUBLIC", vec!["PUBLIC: test.* SELECT"]),
            ("GRANT SELECT ON `test`.* TO `PUBLIC`", vec!["PUBLIC: test.* SELECT"]),
            (r#"GRANT SELECT ON "test"."t" TO "PUBLIC""#, vec!["PUBLIC: test.t SELECT"]),
            ("GRANT SELECT ON `test`.* TO `public`@`%`", vec!["test.* SELECT"]),
        ] {
            assert_eq!(refusal(line), expected, "{line}");
        }
    }
}
