//! Texts in constants: compared, and put together into what the compiler shows.

/// Whether two texts are the same.
pub(crate) const fn is_same(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    while let ([a, one_rest @ ..], [b, other_rest @ ..]) = (one, other) {
        if *a != *b {
            return false;
        }
        (one, other) = (one_rest, other_rest);
    }
    one.is_empty() && other.is_empty()
}

/// Whether both are there and the same, or both missing.
pub(crate) const fn is_same_option(one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => is_same(one, other),
        (None, None) => true,
        _ => false,
    }
}

/// A message that is put together while compiling. What does not fit is cut off.
pub(crate) struct Message {
    bytes: [u8; 2048],
    length: usize,
}

impl Message {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; 2048], length: 0 }
    }

    pub(crate) const fn and(mut self, text: &str) -> Self {
        let Some((_, rest)) = self.bytes.split_at_mut_checked(self.length) else { return self };
        let Some((place, _)) = rest.split_at_mut_checked(text.len()) else { return self };
        place.copy_from_slice(text.as_bytes());
        self.length += text.len();
        self
    }

    pub(crate) const fn as_str(&self) -> &str {
        let (text, _) = self.bytes.split_at(self.length);
        match str::from_utf8(text) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}
