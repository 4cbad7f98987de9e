//! What MySQL and MariaDB tell a login of its rights: the only view of them that a login without any other has.

/// The rights of one line of `SHOW GRANTS`, as lines of text. What is not understood is a right of its own, so that it
/// is refused and not passed over.
pub(super) fn rights(line: &str) -> Vec<String> {
    let Some(rest) = line.strip_prefix("GRANT ") else {
        return if line.starts_with("SET DEFAULT ROLE") { Vec::new() } else { vec!["something unknown".to_owned()] };
    };
    let Some((what, whom)) = outside(rest, " TO ") else { return vec!["something unknown".to_owned()] };
    let mut rights = match outside(what, " ON ") {
        None => split(what).map(|role| format!("role {}", bare(role.split("`@").next().unwrap_or(role)))).collect(),
        Some((privileges, object)) => split(privileges).flat_map(|privilege| of_privilege(privilege, object)).collect::<Vec<_>>(),
    };
    if whom.contains("WITH GRANT OPTION") || whom.contains("WITH ADMIN OPTION") {
        rights.push("GRANT OPTION".to_owned());
    }
    rights
}

fn of_privilege(privilege: &str, object: &str) -> Vec<String> {
    let object: Vec<String> = object.trim().split('.').map(bare).collect();
    let object = object.join(".");
    match privilege.split_once(" (") {
        _ if privilege.trim() == "USAGE" => Vec::new(),
        None if object == "*.*" => vec![privilege.trim().to_owned()],
        None => vec![format!("{object} {}", privilege.trim())],
        Some((verb, columns)) => {
            let columns = columns.trim_end_matches(')').split(',');
            columns.map(|column| format!("{object}.{} {}", bare(column), verb.trim())).collect()
        }
    }
}

fn bare(name: &str) -> String {
    name.trim().trim_matches('`').to_owned()
}

/// Splits at a word that stands outside of quotes and brackets.
fn outside<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let (mut quoted, mut depth) = (false, 0);
    for (at, c) in text.char_indices() {
        match c {
            '`' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        let rest = text.get(at..)?;
        if !quoted && depth == 0 && rest.starts_with(word) {
            return Some((text.get(..at)?, rest.strip_prefix(word)?));
        }
    }
    None
}

/// Splits at commas that stand outside of quotes and brackets.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (first, later) = match outside(text, ",") {
            Some((first, later)) => (first, Some(later)),
            None => (text, None),
        };
        rest = later;
        Some(first)
    })
}

#[cfg(test)]
mod tests {
    use super::rights;

    #[test]
    fn lines_of_both_engines_are_read() {
        for (line, expected) in [
            ("GRANT USAGE ON *.* TO `sr_1_api_a`@`%`", vec![]),
            ("GRANT USAGE ON *.* TO `sr_1_api_a`@`%` IDENTIFIED BY PASSWORD '*AB' REQUIRE X509", vec![]),
            ("GRANT `sr_1_api`@`%` TO `sr_1_api_a`@`%`", vec!["role sr_1_api"]),
            ("GRANT `sr_1_api` TO `sr_1_api_a`@`%`", vec!["role sr_1_api"]),
            ("SET DEFAULT ROLE `sr_1_api` FOR `sr_1_api_a`@`%`", vec![]),
            (
                "GRANT SELECT (`a`, `id`), INSERT (`a`), DELETE ON `d`.`t` TO `r`@`%`",
                vec!["d.t.a SELECT", "d.t.id SELECT", "d.t.a INSERT", "d.t DELETE"],
            ),
            ("GRANT SELECT, INSERT ON `d`.`t` TO `r`@`%` WITH GRANT OPTION", vec!["d.t SELECT", "d.t INSERT", "GRANT OPTION"]),
            ("GRANT ALL PRIVILEGES ON `d`.* TO `r`@`%`", vec!["d.* ALL PRIVILEGES"]),
            ("GRANT PROCESS, SUPER ON *.* TO `r`@`%`", vec!["PROCESS", "SUPER"]),
            ("GRANT EXECUTE ON PROCEDURE `d`.`p` TO `r`@`%`", vec!["PROCEDURE `d.p EXECUTE"]),
            ("REVOKE SELECT ON `d`.* FROM `r`@`%`", vec!["something unknown"]),
        ] {
            assert_eq!(rights(line), expected, "{line}");
        }
    }
}
