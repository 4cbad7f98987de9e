//! Moments as signatures write them, in seconds since 1970.

use chrono::{DateTime, NaiveDateTime};

use super::Malformed;

/// `20150830T123600Z`, the only form of Version 4.
pub(super) fn compact(text: &str) -> Result<i64, Malformed> {
    let shape = |(place, byte): (usize, u8)| match place {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    if text.len() != 16 || !text.bytes().enumerate().all(shape) {
        return Err(Malformed::Timestamp);
    }
    let moment =
        NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").map_err(|_| Malformed::Timestamp)?;
    Ok(moment.and_utc().timestamp())
}

/// ISO 8601 with an offset, or without one and then in UTC, as Version 2 has it. Fractions of a second are dropped.
pub(super) fn iso_8601(text: &str) -> Result<i64, Malformed> {
    let with_offset = DateTime::parse_from_rfc3339(text).map(|moment| moment.timestamp());
    let without = || {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
            .map(|moment| moment.and_utc().timestamp())
    };
    if text.starts_with(|first: char| first.is_ascii_digit()) && text.len() <= 40 {
        return with_offset.or_else(|_| without()).map_err(|_| Malformed::Timestamp);
    }
    Err(Malformed::Timestamp)
}
