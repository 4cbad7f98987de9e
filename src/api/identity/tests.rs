use std::process::Command;

use proptest::prelude::*;
use rcgen::string::{Ia5String, PrintableString, TeletexString};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue, IsCa,
    KeyPair, KeyUsagePurpose, SanType,
};

use super::*;

type Subject<'a> = &'a [(DnType, &'a str)];

const URI: &str = "spiffe://cloud.example/component/api/host-1";

fn identities() -> Identities {
    let fallback = [("CN=nova-compute", "compute"), ("CN=a,O=b", "two_parts"), ("CN=api", "api")];
    let fallback = fallback.map(|(subject, component)| (subject.to_owned(), component.to_owned()));
    Identities::new(Some("cloud.example".to_owned()), fallback.into()).unwrap()
}

fn certificate(uris: &[&str], subject: Subject<'_>) -> CertificateParams {
    let mut parameters =
        CertificateParams::new(["host.example".to_owned(), "192.0.2.1".to_owned()]).unwrap();
    parameters
        .subject_alt_names
        .extend(uris.iter().map(|uri| SanType::URI(Ia5String::try_from(*uri).unwrap())));
    parameters.distinguished_name = DistinguishedName::new();
    for (kind, value) in subject {
        parameters.distinguished_name.push(kind.clone(), *value);
    }
    parameters
}

fn der(parameters: &CertificateParams) -> Vec<u8> {
    parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

fn outcome(parameters: &CertificateParams) -> Result<String, &'static str> {
    identities()
        .component(&der(parameters))
        .map(|identity| identity.component)
        .map_err(|error| error.code())
}

#[test]
fn who_a_certificate_is() {
    let long = format!("spiffe://cloud.example/component/api/{}", "h".repeat(2048));
    let cases: &[(&[&str], Result<&str, &str>)] = &[
        (&[URI], Ok("api")),
        (&["spiffe://cloud.example/component/api"], Ok("api")),
        (&["spiffe://cloud.example/component/block_storage/a/B/..."], Ok("block_storage")),
        (&[URI, URI], Err("several_uris")),
        (&[URI, "https://cloud.example/"], Err("several_uris")),
        (&["https://cloud.example/component/api"], Err("not_a_spiffe_id")),
        (&["SPIFFE://cloud.example/component/api"], Err("not_a_spiffe_id")),
        (&["spiffe://Cloud.example/component/api"], Err("not_a_spiffe_id")),
        (&["spiffe://cloud.example:443/component/api"], Err("not_a_spiffe_id")),
        (&["spiffe://me@cloud.example/component/api"], Err("not_a_spiffe_id")),
        (&["spiffe:///component/api"], Err("not_a_spiffe_id")),
        (&["spiffe://cloud.example/component/api/"], Err("not_a_spiffe_id")),
        (&["spiffe://cloud.example//component/api"], Err("not_a_spiffe_id")),
        (&["spiffe://cloud.example/component/./api"], Err("not_a_spiffe_id")),
        (&["spiffe://cloud.example/component/compute/../api"], Err("not_a_spiffe_id")),
        (&["spiffe://cloud.example/component/%61pi"], Err("not_a_spiffe_id")),
        (&["spiffe://cloud.example/component/api?x"], Err("not_a_spiffe_id")),
        (&["spiffe://cloud.example/component/api#x"], Err("not_a_spiffe_id")),
        (&["spiffe://cloud.example/component/api "], Err("not_a_spiffe_id")),
        (&["spiffe://cloud.example/component/api\0"], Err("not_a_spiffe_id")),
        (&[&long], Err("not_a_spiffe_id")),
        (&[""], Err("not_a_spiffe_id")),
        (&["spiffe://cloud.example.evil/component/api"], Err("other_trust_domain")),
        (&["spiffe://evil.cloud.example/component/api"], Err("other_trust_domain")),
        (&["spiffe://cloud.example"], Err("not_a_component")),
        (&["spiffe://cloud.example/component"], Err("not_a_component")),
        (&["spiffe://cloud.example/Component/api"], Err("not_a_component")),
        (&["spiffe://cloud.example/host/component/api"], Err("not_a_component")),
        (&["spiffe://cloud.example/component/Api"], Err("not_a_component")),
        (&["spiffe://cloud.example/component/nova-compute"], Err("not_a_component")),
        (&["spiffe://cloud.example/component/api_a"], Err("not_a_component")),
        (&["spiffe://cloud.example/component/abcdefghijklmnopqrs"], Err("not_a_component")),
        (&[], Ok("compute")),
    ];
    for (uris, expected) in cases {
        // The subject stands in the fallback table, which no URI may fall through to.
        let parameters = certificate(uris, &[(DnType::CommonName, "nova-compute")]);
        assert_eq!(outcome(&parameters), expected.map(str::to_owned), "{uris:?}");
    }
    let named = identities().component(&der(&certificate(&[URI], &[]))).unwrap();
    assert_eq!(named, Identity { component: "api".to_owned(), id: URI.to_owned() });
}

#[test]
fn a_subject_counts_only_as_a_whole() {
    let (name, organization) = (DnType::CommonName, DnType::OrganizationName);
    let cases: [(Subject<'_>, Result<&str, &str>); 10] = [
        (&[(name.clone(), "nova-compute")], Ok("compute")),
        (&[(organization.clone(), "b"), (name.clone(), "a")], Ok("two_parts")),
        (&[(name.clone(), "a"), (organization.clone(), "b")], Err("subject_unknown")),
        (&[(name.clone(), "a,O=b")], Err("subject_unknown")),
        (&[(name.clone(), "Nova-compute")], Err("subject_unknown")),
        (&[(name.clone(), "nova-compute ")], Err("subject_unknown")),
        (&[(name.clone(), "nova-compute\0.example")], Err("subject_unknown")),
        (&[(organization, "x"), (name, "nova-compute")], Err("subject_unknown")),
        (&[(DnType::CustomDnType(vec![1, 2, 3, 4]), "nova-compute")], Err("subject_unreadable")),
        (&[], Err("subject_unknown")),
    ];
    for (subject, expected) in cases {
        assert_eq!(outcome(&certificate(&[], subject)), expected.map(str::to_owned), "{subject:?}");
    }
}

#[test]
fn a_value_that_is_not_plain_text_is_no_name() {
    let teletex = DnValue::TeletexString(TeletexString::try_from("nova-compute").unwrap());
    let printable = DnValue::PrintableString(PrintableString::try_from("nova-compute").unwrap());
    for (value, expected) in
        [(teletex, Err("subject_unreadable")), (printable, Ok("compute".to_owned()))]
    {
        let mut parameters = certificate(&[], &[]);
        parameters.distinguished_name.push(DnType::CommonName, value);
        assert_eq!(outcome(&parameters), expected);
    }
}

/// `rcgen` makes none, so one is put together by hand: both parts of one set become one part with two values.
#[test]
fn two_values_in_one_part_are_no_name() {
    let mut bytes = der(&certificate(
        &[],
        &[(DnType::CountryName, "CH"), (DnType::CommonName, "nova-compute")],
    ));
    assert!(identities().component(&bytes).is_err_and(|error| error.code() == "subject_unknown"));
    // SET { country } SET { name } becomes SET { country, name }, in issuer and subject.
    let first = [0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x06];
    let mut found = 0;
    for at in 0..bytes.len() - first.len() {
        if bytes[at..].starts_with(&first) {
            found += 1;
            let second = at + 13;
            assert_eq!(bytes[second], 0x31);
            let length = bytes[second + 1];
            // The second set's head goes, what is in it moves up by those two bytes, and its value grows by two, so
            // that every length outside stays what it was.
            bytes[at + 1] = 0x0b + 2 + length;
            bytes[second] = 0x30;
            bytes.copy_within(second + 4..second + 2 + usize::from(length), second + 2);
            let end = second + 2 + usize::from(length);
            bytes[end - 2..end].copy_from_slice(b"xx");
            bytes[second + 8] += 2;
        }
    }
    assert_eq!(found, 2);
    let error = identities().component(&bytes).unwrap_err();
    assert_eq!(error.code(), "subject_unreadable");
}

#[test]
fn an_authority_is_nobody() {
    let mut authority = certificate(&[URI], &[]);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    assert_eq!(outcome(&authority), Err("certificate_of_authority"));
    let mut signs = certificate(&[URI], &[]);
    signs.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::CrlSign];
    assert_eq!(outcome(&signs), Err("certificate_of_authority"));
}

#[test]
fn what_cannot_be_read_is_nobody() {
    let names = |content: Vec<u8>| CustomExtension::from_oid_content(&[2, 5, 29, 17], content);
    let mut twice = certificate(&[URI], &[(DnType::CommonName, "nova-compute")]);
    twice.custom_extensions = vec![names(vec![0x30, 0x00])];
    assert_eq!(outcome(&twice), Err("certificate_malformed"));
    for content in
        [vec![0x31, 0x00], vec![0x30, 0x03, 0x86, 0x01, 0xff], vec![0x30, 0x02, 0x86, 0x05], vec![]]
    {
        let mut broken = certificate(&[], &[(DnType::CommonName, "nova-compute")]);
        broken.subject_alt_names.clear();
        broken.custom_extensions = vec![names(content.clone())];
        assert_eq!(outcome(&broken), Err("certificate_malformed"), "{content:?}");
    }
    let mut longer = der(&certificate(&[URI], &[]));
    longer.push(0);
    assert_eq!(identities().component(&longer), Err(NoIdentity::Malformed));
}

#[test]
fn settings_are_checked() {
    let new = |domain: Option<&str>, fallback: &[(&str, &str)]| {
        let fallback = fallback
            .iter()
            .map(|(subject, component)| ((*subject).to_owned(), (*component).to_owned()))
            .collect();
        Identities::new(domain.map(str::to_owned), fallback)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    assert_eq!(new(Some("cloud.example"), &[]), Ok(()));
    assert_eq!(new(None, &[("CN=nova-compute", "compute")]), Ok(()));
    for (domain, fallback) in [
        (None, vec![]),
        (Some(""), vec![]),
        (Some("spiffe://cloud.example"), vec![]),
        (Some("Cloud.example"), vec![]),
        (None, vec![("nova-compute", "compute")]),
        (None, vec![("CN=a, O=b", "compute")]),
        (None, vec![("CN=nova-compute", "nova-compute")]),
    ] {
        assert!(new(domain, &fallback).is_err(), "{domain:?} {fallback:?}");
    }
}

/// What an operator copies from OpenSSL is what is compared.
#[test]
fn openssl_prints_the_same_subject() {
    let values = [
        "nova-compute",
        "a,O=b",
        "#1 \"<x>\"; a+b\\c",
        " a ",
        " ",
        "Jürg 雪",
        "tab\tnul\0del\u{7f}",
        "a#b",
    ];
    let types = [
        DnType::CommonName,
        DnType::OrganizationName,
        DnType::OrganizationalUnitName,
        DnType::LocalityName,
    ];
    let numbered: [&[u64]; 5] = [
        &[2, 5, 4, 5],
        &[2, 5, 4, 9],
        &[1, 2, 840, 113_549, 1, 9, 1],
        &[0, 9, 2342, 19_200_300, 100, 1, 1],
        &[2, 5, 4, 42],
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("certificate.der");
    for value in values {
        let mut parameters = certificate(&[], &[]);
        for kind in types
            .iter()
            .cloned()
            .chain(numbered.iter().map(|number| DnType::CustomDnType(number.to_vec())))
        {
            parameters.distinguished_name.push(kind, value);
        }
        let bytes = der(&parameters);
        std::fs::write(&file, &bytes).unwrap();
        let mut openssl = Command::new("openssl");
        openssl
            .args(["x509", "-inform", "DER", "-noout", "-subject", "-nameopt", "RFC2253", "-in"])
            .arg(&file);
        let output = openssl.output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let Err(NoIdentity::UnknownSubject { subject }) = identities().component(&bytes) else {
            panic!("{value}")
        };
        assert_eq!(printed.trim_end_matches('\n'), format!("subject={subject}"), "{value:?}");
        assert!(subject::is_canonical(&subject));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(identities().component(&bytes).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// A broken certificate is at most the one that it was made from.
    #[test]
    fn nor_does_a_certificate_with_broken_bytes(at in any::<proptest::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        static WHOLE: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| der(&certificate(&[URI], &[])));
        let mut bytes = WHOLE.clone();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        if let Ok(identity) = identities().component(&bytes) {
            prop_assert!(!cut && SpiffeId::parse(&identity.id).is_some_and(|id| id.trust_domain == "cloud.example"));
        }
    }
}
