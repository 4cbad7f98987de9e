//! An address with several hosts: `postgres://LOGIN@HOST:PORT,HOST:PORT/DATABASE`.
//!
//! The drivers have one host. Each host gets the same URL without the others, so that TLS is judged and verified for it
//! alone.

use secrecy::SecretString;
use url::Url;
use zeroize::Zeroizing;

use super::AddressError;

/// Parameters that name a place: beside a list they would send every session to one host.
const PLACES: [&str; 4] = ["host", "hostaddr", "port", "socket"];

/// Returns a URL for each host of the list, in its order; one where the address has one host.
pub(super) fn urls(text: &str) -> Result<Vec<Zeroizing<String>>, AddressError> {
    let (scheme, rest) = text.split_once("://").ok_or(AddressError::NotUrl)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    let login = authority.rfind('@').map_or(0, |at| at + 1);
    let (login, hosts) = authority.split_at(login);
    if !hosts.contains(',') {
        return Ok(vec![Zeroizing::new(text.to_owned())]);
    }
    hosts
        .split(',')
        .map(|host| {
            is_host(host)
                .then(|| Zeroizing::new(format!("{scheme}://{login}{host}{behind}")))
                .ok_or(AddressError::Hosts)
        })
        .collect()
}

/// A name or an address with its port; the list has nothing to guess.
fn is_host(host: &str) -> bool {
    !host.is_empty() && !host.starts_with(':') && !host.ends_with(':')
}

/// Refuses a list of hosts among the parameters, and a parameter that names one host beside a list.
pub(super) fn has_no_other_place(url: &Url, is_list: bool) -> Result<(), AddressError> {
    let is_other = |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
        PLACES.contains(&&*name) && (is_list || value.contains(','))
    };
    if url.query_pairs().any(is_other) { Err(AddressError::Hosts) } else { Ok(()) }
}

/// Leaves out the parameters that name another place than the host.
pub(super) fn leave_out_places(url: &mut Url) {
    let kept: Vec<_> = url.query_pairs().into_owned().collect();
    if kept.iter().any(|(name, _)| PLACES.contains(&name.as_str())) {
        let kept = kept.iter().filter(|(name, _)| !PLACES.contains(&name.as_str()));
        url.query_pairs_mut().clear().extend_pairs(kept);
    }
}

/// The hosts of a list as a person reads them, with their ports.
pub(super) fn shown(urls: &[Url]) -> String {
    let hosts: Vec<_> = urls.iter().map(host_of).collect();
    hosts.join(",")
}

fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Puts the list in place of the one host of a URL without a password.
pub(super) fn with_list(text: &str, one: &Url, list: &str) -> String {
    let host = host_of(one);
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let login = rest.find('/').and_then(|end| rest.get(..end)?.rfind('@')).map_or(0, |at| at + 1);
    let (login, behind) = rest.split_at(login);
    let behind = behind.strip_prefix(&host).unwrap_or(behind);
    format!("{scheme}://{login}{list}{behind}")
}

/// Secret copies: each holds the password.
pub(super) fn secrets(urls: impl IntoIterator<Item = String>) -> Vec<SecretString> {
    urls.into_iter().map(SecretString::from).collect()
}
