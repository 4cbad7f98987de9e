//! Reads Rust source: its paths, without comments, strings and inline tests.

/// One imported or written path. `pub use a::b as c` is `a::b` under the name `c`.
#[derive(Debug, PartialEq, Eq)]
pub struct Path {
    pub segments: Vec<String>,
    /// The name that a `use` gives it; `None` for a path inside code.
    pub name: Option<String>,
}

/// Every path of a file that can lead to another file.
pub fn paths(text: &str) -> Vec<Path> {
    let code = bare(text);
    let (mut paths, mut rest) = (Vec::new(), code.as_str());
    while let Some((before, after)) = next_use(rest) {
        written(before, &mut paths);
        let end = after.find(';').unwrap_or(after.len());
        tree(&after[..end], &[], &mut paths);
        rest = &after[end..];
    }
    written(rest, &mut paths);
    paths
}

/// The text before the next `use`, and what follows the keyword.
fn next_use(code: &str) -> Option<(&str, &str)> {
    code.match_indices("use ").map(|(at, found)| (&code[..at], &code[at + found.len()..])).find(
        |(before, _)| {
            let line = before.rsplit('\n').next().unwrap_or_default().trim();
            line.is_empty() || line.starts_with("pub") && !line.contains([';', '{'])
        },
    )
}

/// Expands `a::{b, c::d as e}`.
fn tree(text: &str, prefix: &[String], paths: &mut Vec<Path>) {
    let text = text.trim();
    if let Some((head, list)) = text.split_once('{') {
        let mut prefix = prefix.to_vec();
        prefix.extend(segments(head));
        let list = list.trim_end().trim_end_matches('}');
        for part in split_list(list).into_iter().filter(|part| !part.trim().is_empty()) {
            tree(part, &prefix, paths);
        }
        return;
    }
    let (path, alias) = text.split_once(" as ").unwrap_or((text, ""));
    let mut all = prefix.to_vec();
    all.extend(segments(path));
    if all.last().is_some_and(|last| last == "self") && all.len() > 1 {
        all.pop();
    }
    let name = if alias.is_empty() { all.last().cloned() } else { Some(alias.trim().to_owned()) };
    paths.push(Path { segments: all, name });
}

/// Splits at the commas outside of inner braces.
fn split_list(list: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut begin) = (Vec::new(), 0, 0);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&list[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[begin..]);
    parts
}

fn segments(path: &str) -> impl Iterator<Item = String> + '_ {
    path.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned)
}

/// Paths inside code, from `crate`, `super` or `self` on.
fn written(code: &str, paths: &mut Vec<Path>) {
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '$')) {
                continue;
            }
            let end = code[at..].find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':')));
            let path = &code[at..end.map_or(code.len(), |end| at + end)];
            paths.push(Path { segments: segments(path).collect(), name: None });
        }
    }
}

/// The code without comments, the contents of strings, and modules of tests.
fn bare(text: &str) -> String {
    let text = without_tests(text);
    let (mut code, mut rest) = (String::new(), text.as_str());
    while let Some(c) = rest.chars().next() {
        let skipped = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            'r' if rest.starts_with("r#\"") => rest[3..].find("\"#").map_or(rest.len(), |e| e + 5),
            '"' => string(rest),
            '\'' => character(rest),
            _ => 0,
        };
        if skipped == 0 {
            code.push(c);
        }
        rest = &rest[skipped.max(c.len_utf8())..];
    }
    code
}

fn without_tests(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let is_tests = line == "#[cfg(test)]"
            && lines.peek().is_some_and(|next| next.contains("mod ") && next.ends_with('{'));
        if is_tests {
            lines.find(|line| *line == "}");
        } else {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The length of a string at the beginning.
fn string(text: &str) -> usize {
    let mut escaped = false;
    let end = text[1..].find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// The length of a character at the beginning; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text[1..].chars();
    match chars.next() {
        Some('\\') => text[3..].find('\'').map_or(0, |end| end + 4),
        Some(c) if chars.next() == Some('\'') => 2 + c.len_utf8(),
        _ => 0,
    }
}
