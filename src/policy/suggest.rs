//! "Did you mean": the nearest of the names that exist.

/// How much alike two names must be, from 0 to 1. Below it a suggestion would only mislead.
const NEAR: f64 = 0.8;

/// The nearest name, or none when nothing is near.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let name = name.to_lowercase();
    let likeness =
        known.into_iter().map(|known| (strsim::jaro_winkler(&name, &known.to_lowercase()), known));
    let nearest = likeness
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    nearest.map(|(_, known)| known.to_owned())
}

#[cfg(test)]
mod tests {
    use super::nearest;

    const COLUMNS: [&str; 9] = [
        "id",
        "user_id",
        "project_id",
        "type",
        "extra",
        "created_at",
        "access_key_sealed",
        "secret_key_sealed",
        "access_key_index",
    ];

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        for (written, meant) in [
            ("secret_kye", "secret_key_sealed"),
            ("acess_key_index", "access_key_index"),
            ("proejct_id", "project_id"),
            ("User_ID", "user_id"),
            ("create_at", "created_at"),
            ("tpye", "type"),
        ] {
            assert_eq!(nearest(written, COLUMNS).as_deref(), Some(meant), "{written}");
        }
    }

    #[test]
    fn what_is_like_nothing_finds_nothing() {
        for written in ["", "*", "password", "weather", "\u{1F511}"] {
            assert_eq!(nearest(written, COLUMNS), None, "{written}");
        }
        assert_eq!(nearest("id", []), None);
    }
}
