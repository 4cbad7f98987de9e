//! Addresses that are read, refused and shown.

use super::*;

#[test]
fn engine_that_was_left_out_is_refused_with_its_feature() {
    for (scheme, name, is_built) in [
        ("postgres", "postgres", cfg!(feature = "postgres")),
        ("mariadb", "mysql", cfg!(feature = "mysql")),
        ("sqlite", "sqlite", cfg!(feature = "sqlite")),
    ] {
        assert_eq!(feature(engine_of(scheme).unwrap()), (name, is_built));
        assert!(refuse_left_out(scheme.to_owned(), (name, true)).is_ok());
        let refused = refuse_left_out(scheme.to_owned(), (name, false)).unwrap_err();
        assert!(refused.to_string().contains(&format!("`{name}`")), "{refused}");
    }
}

#[cfg(all(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod every_engine {
    use super::*;

    #[test]
    fn an_address_that_a_driver_misreads_is_refused_without_its_password() {
        use AddressError::{Driver, Memory, NoDatabase, NotUrl, Scheme, Slashes, Unencoded};
        let parameter = |name: &str| AddressError::Parameter(name.to_owned());
        for (text, error) in [
            ("postgres://app:p#canary@db/keys", Unencoded),
            ("mysql://app:p?canary@db/keys", Unencoded),
            ("mysql://app:p/canary@db/keys", Unencoded),
            ("mysql://app:p@canary@db/keys", Unencoded),
            ("mysql://app:p%canary@db/keys", Unencoded),
            ("mysql://app:p%c@db/keys", Unencoded),
            ("mysql://app:%ff@db/keys", Unencoded),
            ("mysql://app:12?canary@127.0.0.1/keys", Unencoded),
            ("postgres://app:12#canary@127.0.0.1/keys", Unencoded),
            ("mysql://app:12/canary@127.0.0.1/keys", Unencoded),
            ("mysql://app:p@s/canary@db/keys", Unencoded),
            ("mysql://app:p@s?canary@db/keys", Unencoded),
            ("mysql://app:12?canary", Unencoded),
            ("mysql://app:12?canary=1", Unencoded),
            ("postgres://db/keys#canary", Unencoded),
            ("postgresql+psycopg2://app:canary@db/keys", Driver("postgresql")),
            ("mysql+pymysql://app:canary@db/keys", Driver("mysql")),
            ("mysql://root:canary@127.0.0.1:3306/", NoDatabase),
            ("mysql://root:canary@127.0.0.1:3306", NoDatabase),
            ("postgres://root:canary@127.0.0.1//", NoDatabase),
            ("mysql://app@localhost/keys?unix_socket=/run/mysqld.sock", parameter("unix_socket")),
            ("mysql://app:canary@localhost/keys?ssl-mod=required", parameter("ssl-mod")),
            ("postgres://app@localhost/keys?connect_timeout=5", parameter("connect_timeout")),
            ("sqlite://x.db?mod=rwc", parameter("mod")),
            ("sqlite::memory:", Memory),
            ("sqlite://:memory:", Memory),
            ("sqlite:", Memory),
            ("sqlite://", Memory),
            ("sqlite://x?mode=memory", Memory),
            ("sqlite:x.db", Slashes),
            (":memory:", Memory),
            ("SQLITE::memory:", Memory),
            ("x.db", NotUrl),
            ("app:canary@db/keys", NotUrl),
            ("oracle://app:canary@db/keys", Scheme("oracle".into())),
        ] {
            let refused = Address::parse(text).expect_err(text);
            assert_eq!(refused, error, "{text}");
            assert!(!format!("{refused} {}", refused.cure()).contains("canary"), "{text}");
        }
    }

    #[test]
    fn an_address_that_drivers_read_as_it_is_meant_passes() {
        for text in [
            "mysql://app:p%23%3F%2F%40%3A%25@db/keys",
            "mysql://app:a:b@db/keys",
            "postgres:///keys?host=/run/postgresql&user=me%40corp",
            "postgres://app@[::1]:5432/keys?options[search_path]=x&application_name=a",
            "postgres://app@localhost?dbname=keys",
            "MySQL://app@localhost/keys?socket=/run/mysqld.sock",
            "sqlite://strongroom.db?mode=rwc",
            "sqlite:///var/lib/strongroom.db",
        ] {
            assert!(Address::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_login_with_any_character_is_read_back() {
        let address = Address::parse("mysql://app@db/keys").unwrap();
        let with = address.with_login("u@s", &SecretString::from("p%41#?/@:\u{e9}"), None).unwrap();
        assert!(Address::parse(with.expose()).is_ok());
        let url = Url::parse(with.expose()).unwrap();
        let decoded =
            percent_encoding::percent_decode_str(url.password().unwrap()).decode_utf8().unwrap();
        assert_eq!(decoded, "p%41#?/@:\u{e9}");
    }

    /// The hosts, in their order, as the drivers are given them.
    fn hosts(address: &Address) -> Vec<String> {
        let urls = address.exposed().map(|url| Url::parse(url).unwrap());
        urls.map(|url| {
            let port = url.port().map_or(String::new(), |port| format!(":{port}"));
            format!("{}{port}", url.host_str().unwrap())
        })
        .collect()
    }

    #[test]
    fn a_list_of_hosts_gives_each_its_own_url() {
        use Demand::{Any, PreferStandby, Primary, ReadOnly, Standby, Writable};
        for (text, wanted, demand) in [
            ("postgres://a:p@h1:5433,h2/keys", vec!["h1:5433", "h2"], Writable),
            ("mysql://a@h1,h2:3307,h3/keys", vec!["h1", "h2:3307", "h3"], Writable),
            (
                "mariadb://a:b,c@[::1]:3306,[fe80::2]/keys",
                vec!["[::1]:3306", "[fe80::2]"],
                Writable,
            ),
            ("postgres://h1,h2/keys?target_session_attrs=any", vec!["h1", "h2"], Any),
            ("postgres://h1,h2/keys?target_session_attrs=primary", vec!["h1", "h2"], Primary),
            ("postgres://h1,h2/keys?target_session_attrs=standby", vec!["h1", "h2"], Standby),
            ("postgres://h1,h2/keys?target_session_attrs=read-only", vec!["h1", "h2"], ReadOnly),
            (
                "postgres://h1,h2/keys?sslmode=verify-full&target_session_attrs=prefer-standby",
                vec!["h1", "h2"],
                PreferStandby,
            ),
            ("postgres://h1/keys?target_session_attrs=read-write", vec!["h1"], Writable),
            ("postgres://h1/keys", vec!["h1"], Any),
        ] {
            let address = Address::parse(text).expect(text);
            assert_eq!(hosts(&address), wanted, "{text}");
            assert_eq!(address.demand(), demand, "{text}");
            assert!(address.exposed().all(|url| !url.contains("target_session_attrs")), "{text}");
            assert!(address.exposed().all(|url| Url::parse(url).unwrap().path() == "/keys"));
        }
    }

    #[test]
    fn a_list_of_hosts_is_shown_whole_and_without_its_password() {
        let address =
            Address::parse("postgres://app:canary@h1:5433,[::1],h2/keys?application_name=x")
                .unwrap();
        assert_eq!(address.to_string(), "postgres://app:***@h1:5433,[::1],h2/keys");
        assert!(!format!("{address:?}").contains("canary"));
        assert_eq!(address.without_login(), "postgres://h1:5433,[::1],h2/keys");
        let other = address.with_login("u@s", &SecretString::from("c,@/n"), Some("view")).unwrap();
        assert_eq!(other.to_string(), "postgres://u%40s:***@h1:5433,[::1],h2/view");
        assert_eq!(hosts(&other), ["h1:5433", "[::1]", "h2"]);
        assert_eq!(other.user().as_deref(), Some("u%40s"));
        // Both go to the host that either found last.
        address.current().store(2, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(other.current().load(std::sync::atomic::Ordering::Relaxed), 2);
        for one in
            ["mysql://app:canary@h1:3307/keys", "mysql://h1/keys", "postgres:///keys?host=/run"]
        {
            let address = Address::parse(one).unwrap();
            assert_eq!(
                address.without_login(),
                one.replace("app:canary@", "").replace("?host=/run", "")
            );
        }
    }

    #[test]
    fn a_list_of_hosts_that_cannot_be_read_is_refused_without_its_password() {
        use AddressError::{Hosts, NotUrl, Parameter, SessionAttrs, Unencoded};
        for (text, error) in [
            ("mysql://a:canary@,h2/keys", Hosts),
            ("mysql://a:canary@h1,/keys", Hosts),
            ("mysql://a:canary@h1,,h2/keys", Hosts),
            ("mysql://a:canary@h1,:3306/keys", Hosts),
            ("mysql://a:canary@h1:,h2/keys", Hosts),
            ("postgres://a:canary@h1,h2/keys?host=h3", Hosts),
            ("postgres://a:canary@h1,h2/keys?port=1", Hosts),
            ("mysql://a:canary@h1,h2/keys?socket=/run/x", Hosts),
            ("postgres:///keys?host=h1,h2", Hosts),
            ("postgres://a:canary@h0/keys?host=h1,h2&port=1,2", Hosts),
            ("postgres://a:canary@h1:x,h2/keys", NotUrl),
            ("postgres://a:canary@h1,h2:99999/keys", NotUrl),
            ("mysql://a:p@canary@h1,h2/keys", Unencoded),
            (
                "mysql://a@h1,h2/keys?target_session_attrs=any",
                Parameter("target_session_attrs".into()),
            ),
            (
                "postgres://a:canary@h1,h2/keys?target_session_attrs=readwrite",
                SessionAttrs("readwrite".into()),
            ),
        ] {
            let refused = Address::parse(text).expect_err(text);
            assert_eq!(refused, error, "{text}");
            assert!(!format!("{refused} {}", refused.cure()).contains("canary"), "{text}");
        }
    }

    #[test]
    fn a_node_has_the_login_of_the_address_at_another_host() {
        let address = Address::parse("mysql://app:canary@h1,h2/keys?charset=utf8mb4").unwrap();
        for (node, shown) in [
            ("n1:3307", "mysql://app:***@n1:3307/keys"),
            ("n1", "mysql://app:***@n1/keys"),
            ("[fe80::1]:3306", "mysql://app:***@[fe80::1]:3306/keys"),
        ] {
            let at_node = address.at_node(node).unwrap();
            assert_eq!(at_node.to_string(), shown);
            assert!(at_node.expose().ends_with("/keys?charset=utf8mb4"));
        }
        for wrong in ["", ":3306", "a,b", "a/b", "u@h", "h:x", "h?x", "AUTO x"] {
            assert!(address.at_node(wrong).is_none(), "{wrong}");
        }
        let by_socket = Address::parse("mysql://app@localhost/keys?socket=/run/m.sock").unwrap();
        assert_eq!(by_socket.at_node("n1").unwrap().expose(), "mysql://app@n1/keys?");
    }

    proptest::proptest! {
        /// Any list is read back host by host; nothing of a password shows, whatever is in it.
        #[test]
        fn a_list_is_read_as_it_is_written(
            hosts in proptest::collection::vec(("[a-z][a-z0-9-]{0,8}[a-z0-9]", proptest::option::of(1_u16..)), 1..6),
            password in "[ -~]{1,20}",
        ) {
            let list: Vec<_> = hosts
                .iter()
                .map(|(host, port)| port.map_or(host.clone(), |port| format!("{host}:{port}")))
                .collect();
            let secret = format!("canary{password}");
            let text = format!("mysql://app:{}@{}/keys", *check::encoded(&secret), list.join(","));
            let address = Address::parse(&text).unwrap();
            proptest::prop_assert_eq!(self::hosts(&address), list.clone());
            proptest::prop_assert_eq!(address.to_string(), format!("mysql://app:***@{}/keys", list.join(",")));
            proptest::prop_assert_eq!(address.without_login(), format!("mysql://{}/keys", list.join(",")));
            let other = address.with_login("other", &SecretString::from(secret), None).unwrap();
            proptest::prop_assert_eq!(self::hosts(&other), list);
            let printed = format!("{other} {other:?}");
            proptest::prop_assert!(!printed.contains("canary"));
        }
    }
}
