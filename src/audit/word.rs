//! The words of an audit row: which action a caller asked for, and which barrier refused it.
//!
//! Each module and package has constants of its own, so that no list here has to know them. A wrong word in a constant is an
//! error of the compiler, because the columns are bounded and a cut word would be another word.

/// The action that a caller asked for.
///
/// ```
/// use strongroom::audit::Action;
///
/// const ORDER_KEY: Action = Action::new("order_key");
/// assert_eq!(ORDER_KEY.as_str(), "order_key");
/// ```
///
/// A word with a capital letter does not compile:
///
/// ```compile_fail,E0080
/// const ORDER_KEY: strongroom::audit::Action = strongroom::audit::Action::new("Order_key");
/// ```
///
/// A word of 33 letters does not compile; a word of 32 letters does:
///
/// ```
/// const LONG: strongroom::audit::Action = strongroom::audit::Action::new("abcdefghijklmnopqrstuvwxyz_01234");
/// ```
/// ```compile_fail,E0080
/// const LONG: strongroom::audit::Action = strongroom::audit::Action::new("abcdefghijklmnopqrstuvwxyz_012345");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Action(&'static str);

impl Action {
    /// To show a secret.
    pub const REVEAL: Self = Self::new("reveal");
    /// To make a credential; its secret is shown once.
    pub const CREATE: Self = Self::new("create");
    /// To remove a credential.
    pub const DELETE: Self = Self::new("delete");
    /// To read a credential, or a list of them, without secrets.
    pub const READ: Self = Self::new("read");
    /// To verify a signature.
    pub const VERIFY: Self = Self::new("verify");
    /// To get the component's own database login.
    pub const LOGIN: Self = Self::new("login");
    /// To see the state of schema, keys and policies.
    pub const STATUS: Self = Self::new("status");
    /// To call at all; refused before the route is known.
    pub const ENTER: Self = Self::new("enter");

    /// Takes 1 to 32 lowercase letters, digits and `_`, of which the first is a letter.
    ///
    /// # Panics
    /// On any other word; in a constant the compiler reports it.
    pub const fn new(word: &'static str) -> Self {
        assert!(
            is_word(word, 32),
            "an action is 1 to 32 of a-z, 0-9 and _, and begins with a letter"
        );
        Self(word)
    }

    /// Returns the word that the row has.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// The barrier that refused an action.
///
/// ```
/// const ATTESTATION: strongroom::audit::Barrier = strongroom::audit::Barrier::new("attestation");
/// ```
///
/// One of 17 letters does not compile:
///
/// ```compile_fail,E0080
/// const LONG: strongroom::audit::Barrier = strongroom::audit::Barrier::new("attestation_here_");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Barrier(&'static str);

impl Barrier {
    /// The caller's certificate names no component.
    pub const IDENTITY: Self = Self::new("identity");
    /// The policy does not have the component, or its login differs from the policy.
    pub const POLICY: Self = Self::new("policy");
    /// The component's share has no key for it.
    pub const KEYS: Self = Self::new("keys");
    /// The database refused the component's login.
    pub const DATABASE: Self = Self::new("database");

    /// Takes 1 to 16 lowercase letters, digits and `_`, of which the first is a letter.
    ///
    /// # Panics
    /// On any other word; in a constant the compiler reports it.
    pub const fn new(word: &'static str) -> Self {
        assert!(
            is_word(word, 16),
            "a barrier is 1 to 16 of a-z, 0-9 and _, and begins with a letter"
        );
        Self(word)
    }

    /// Returns the word that the row has.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// Whether the column of so many characters takes the word.
const fn is_word(word: &str, most: usize) -> bool {
    let [first, rest @ ..] = word.as_bytes() else { return false };
    if word.len() > most || !first.is_ascii_lowercase() {
        return false;
    }
    let mut rest = rest;
    while let [byte, after @ ..] = rest {
        if !(byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_') {
            return false;
        }
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_bounded_lowercase_and_begin_with_a_letter() {
        for word in ["a", "a1_", "enter", &"a".repeat(16)] {
            assert!(is_word(word, 16), "{word}");
        }
        for word in ["", "1a", "_a", "A", "aB", "a-b", "a b", "ä", "a\0", &"a".repeat(17)] {
            assert!(!is_word(word, 16), "{word:?}");
        }
    }

    /// The widths of the columns, on every engine.
    #[test]
    fn the_longest_words_fit_their_columns() {
        for engine in ["mysql", "postgres", "sqlite"] {
            let file =
                format!("{}/sql/{engine}/0010_create_audit.up.sql", env!("CARGO_MANIFEST_DIR"));
            let sql = std::fs::read_to_string(file).unwrap();
            let has = |column: &str, width: &str| {
                sql.lines().any(|line| line.trim().starts_with(column) && line.contains(width))
            };
            assert!(has("action ", "varchar(32)") && has("barrier ", "varchar(16)"), "{engine}");
        }
    }

    #[test]
    fn rows_have_the_words_of_before() {
        use Action as A;
        use Barrier as B;
        let actions =
            [A::REVEAL, A::CREATE, A::DELETE, A::READ, A::VERIFY, A::LOGIN, A::STATUS, A::ENTER];
        let words = ["reveal", "create", "delete", "read", "verify", "login", "status", "enter"];
        assert_eq!(actions.map(A::as_str), words);
        let barriers = [B::IDENTITY, B::POLICY, B::KEYS, B::DATABASE];
        assert_eq!(barriers.map(B::as_str), ["identity", "policy", "keys", "database"]);
    }
}
