//! Numbers in sentences.

use std::fmt::Display;

/// `1 cell opens`, `2 cells open`, `0 cells open`.
pub(super) fn counted<N: Copy + Display + PartialEq + From<u8>>(
    count: N,
    one: &str,
    many: &str,
) -> String {
    let words = if count == N::from(1) { one } else { many };
    format!("{count} {words}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        assert_eq!(
            [0_u64, 1, 2].map(|count| counted(count, "cell opens", "cells open")),
            ["0 cells open", "1 cell opens", "2 cells open"]
        );
    }
}
