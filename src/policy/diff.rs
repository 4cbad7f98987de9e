//! What leads from one state to another, in an order in which nobody who may go on working is shut out on the way:
//! what is new comes first, what goes comes last, and logins open only when everything else is in place.

use super::state::{ADDED, Change, ENABLED, Grant, Kind, Object, State, USED};

/// The changes that make `now` into `wanted`. Empty when they are equal; pure.
///
/// One gap cannot be avoided: taking a privilege on a whole table takes those on its columns along, on every engine, so
/// they are given again right after. Only what was granted by hand leads there.
pub(crate) fn diff(now: &State, wanted: &State) -> Vec<Change> {
    let mut path = Path { at: now.clone(), changes: Vec::new() };
    path.shut(wanted);
    path.revoke(wanted, |grant| matches!(grant.object, Object::Table(..)));
    path.make(wanted);
    path.open(wanted);
    path.revoke(wanted, |_| true);
    path.remove(wanted);
    path.changes
}

struct Path {
    at: State,
    changes: Vec<Change>,
}

impl Path {
    fn take(&mut self, changes: impl IntoIterator<Item = Change>) {
        for change in changes {
            self.at.apply(&change);
            self.changes.push(change);
        }
    }

    /// Logins that are to be closed, or go.
    fn shut(&mut self, wanted: &State) {
        let open = self
            .at
            .settings
            .iter()
            .filter(|((_, setting), value)| setting == ENABLED && *value == "true");
        let shut =
            open.filter(|(key, _)| wanted.settings.get(key).is_none_or(|value| value != "true"));
        let shut: Vec<_> = shut.map(|((account, _), _)| set(account, ENABLED, "false")).collect();
        self.take(shut);
    }

    fn revoke(&mut self, wanted: &State, which: impl Fn(&Grant) -> bool) {
        let gone = self.at.grants.difference(&wanted.grants).filter(|grant| which(grant)).cloned();
        let gone: Vec<_> = gone.map(Change::Revoke).collect();
        self.take(gone);
    }

    fn make(&mut self, wanted: &State) {
        let at = &self.at;
        let mut new = Vec::new();
        new.extend(wanted.schemas.difference(&at.schemas).cloned().map(Change::CreateSchema));
        let views =
            wanted.views.iter().filter(|(name, columns)| at.views.get(name) != Some(columns));
        new.extend(views.map(|((schema, table), columns)| {
            Change::PutView(schema.clone(), table.clone(), columns.clone())
        }));
        let accounts = wanted.accounts.iter().filter(|(name, _)| !at.accounts.contains_key(*name));
        new.extend(accounts.map(|(name, kind)| Change::CreateAccount(name.clone(), *kind)));
        let settings = wanted
            .settings
            .iter()
            .filter(|((_, setting), value)| setting != ENABLED || *value != "true");
        // A new account has nothing set, and inspection lists what is set of an old one.
        let settings = settings.filter(|(key, value)| {
            at.settings.get(key).map_or(!is_unset(value), |now| now != *value)
        });
        new.extend(settings.map(|((account, setting), value)| set(account, setting, value)));
        new.extend(wanted.grants.difference(&at.grants).cloned().map(Change::Grant));
        self.take(new);
        for (role, member) in wanted.members.keys() {
            self.join(role, member);
        }
    }

    /// A membership that is something else, such as one that can be handed on, is made anew.
    fn join(&mut self, role: &str, member: &str) {
        let (role, member) = (role.to_owned(), member.to_owned());
        let how = self.at.members.get(&(role.clone(), member.clone())).map(String::as_str);
        let changes: &[fn(String, String) -> Change] = match how {
            Some(USED) => &[],
            Some(ADDED) => &[Change::UseMember],
            Some(_) => &[Change::DropMember, Change::AddMember, Change::UseMember],
            None => &[Change::AddMember, Change::UseMember],
        };
        self.take(changes.iter().map(|change| change(role.clone(), member.clone())));
    }

    fn open(&mut self, wanted: &State) {
        let open = wanted
            .settings
            .iter()
            .filter(|((_, setting), value)| setting == ENABLED && *value == "true");
        let open = open.filter(|(key, value)| self.at.settings.get(key) != Some(value));
        let open: Vec<_> = open.map(|((account, _), _)| set(account, ENABLED, "true")).collect();
        self.take(open);
    }

    fn remove(&mut self, wanted: &State) {
        let at = &self.at;
        let mut gone = Vec::new();
        let members = at.members.keys().filter(|key| !wanted.members.contains_key(*key));
        gone.extend(members.map(|(role, member)| Change::DropMember(role.clone(), member.clone())));
        let views = at.views.keys().filter(|key| !wanted.views.contains_key(*key));
        gone.extend(views.map(|(schema, table)| Change::DropView(schema.clone(), table.clone())));
        gone.extend(at.schemas.difference(&wanted.schemas).cloned().map(Change::DropSchema));
        // Logins before the roles that they belong to.
        for kind in [Kind::Login, Kind::Role] {
            let accounts = at
                .accounts
                .iter()
                .filter(|(name, is)| **is == kind && !wanted.accounts.contains_key(*name));
            gone.extend(accounts.map(|(name, kind)| Change::DropAccount(name.clone(), *kind)));
        }
        self.take(gone);
        // What a server has set that nobody wants set is unset by the value that stands for its default.
        let at = &self.at;
        let unset = at
            .settings
            .iter()
            .filter(|(key, value)| !wanted.settings.contains_key(*key) && !is_unset(value));
        let unset: Vec<_> =
            unset.map(|((account, setting), _)| set(account, setting, DEFAULT)).collect();
        self.take(unset);
    }
}

/// The value of a setting that is not set.
pub(crate) const DEFAULT: &str = "default";

/// Whether a new account has this value by itself.
fn is_unset(value: &str) -> bool {
    value == DEFAULT || value == "false"
}

fn set(account: &str, setting: &str, value: &str) -> Change {
    Change::Set(account.to_owned(), setting.to_owned(), value.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    fn kind_of(name: &str) -> Kind {
        if name.starts_with("login") { Kind::Login } else { Kind::Role }
    }

    fn account() -> impl Strategy<Value = String> {
        "(role|login)[1-3]"
    }

    fn object() -> impl Strategy<Value = Object> {
        prop_oneof![
            Just(Object::Server),
            Just(Object::Database("d".into())),
            "[tu]".prop_map(|table| Object::Table("s".into(), table)),
            ("[tu]", "[abc]").prop_map(|(table, column)| Object::Column("s".into(), table, column)),
        ]
    }

    prop_compose! {
        /// A state that a server could be in: everything belongs to accounts and schemas that are there.
        fn state()(
            accounts in btree_set(account(), 0..6),
            settings in btree_map((account(), "enabled|limit"), "true|false", 0..8),
            members in btree_map((account(), account()), "used|not in force at login|administers it", 0..6),
            views in btree_map(("[xy]", "[tu]"), vec("[abc]", 1..3), 0..4),
            grants in btree_set((account(), object(), "SELECT|INSERT|DELETE"), 0..24),
        ) -> State {
            let there = |name: &String| accounts.contains(name);
            State {
                settings: settings.into_iter().filter(|((account, _), _)| there(account)).collect(),
                members: members.into_iter().filter(|((role, member), _)| there(role) && there(member)).collect(),
                schemas: views.keys().map(|(schema, _)| schema.clone()).collect(),
                views,
                grants: grants.into_iter().filter(|(grantee, _, _)| there(grantee))
                    .map(|(grantee, object, privilege)| Grant { grantee, object, privilege }).collect(),
                accounts: accounts.iter().map(|name| (name.clone(), kind_of(name))).collect(),
            }
        }
    }

    /// As a policy wants it: memberships in force, every setting said.
    fn wanted() -> impl Strategy<Value = State> {
        state().prop_map(|mut state| {
            state.members.values_mut().for_each(|how| USED.clone_into(how));
            let accounts: Vec<String> = state.accounts.keys().cloned().collect();
            for account in accounts {
                for setting in ["enabled", "limit"] {
                    state
                        .settings
                        .entry((account.clone(), setting.to_owned()))
                        .or_insert_with(|| "false".to_owned());
                }
            }
            state
        })
    }

    /// Without settings that are as good as not set.
    fn plain(state: &State) -> State {
        let mut plain = state.clone();
        plain.settings.retain(|_, value| !is_unset(value));
        plain
    }

    proptest! {
        #[test]
        fn the_difference_leads_there(now in state(), wanted in wanted()) {
            let mut at = now.clone();
            for change in diff(&now, &wanted) {
                at.apply(&change);
            }
            prop_assert_eq!(plain(&at), plain(&wanted));
            prop_assert!(diff(&at, &wanted).is_empty());
        }

        #[test]
        fn from_any_half_made_state_too(now in state(), wanted in wanted(), cut in 0..40_usize) {
            let mut half = now.clone();
            for change in diff(&now, &wanted).iter().take(cut) {
                half.apply(change);
            }
            let mut at = half.clone();
            for change in diff(&half, &wanted) {
                at.apply(&change);
            }
            prop_assert_eq!(plain(&at), plain(&wanted));
        }

        #[test]
        fn what_may_stay_is_never_taken_away_on_the_way(now in state(), wanted in wanted()) {
            let by_hand = |grant: &Grant| matches!(grant.object, Object::Table(..)) && !wanted.grants.contains(grant);
            let taken_along: Vec<_> = now.grants.iter().filter(|grant| by_hand(grant)).cloned().collect();
            let mut at = now.clone();
            for change in diff(&now, &wanted) {
                at.apply(&change);
                for kept in now.grants.intersection(&wanted.grants) {
                    let excused = taken_along.iter().any(|whole| {
                        whole.grantee == kept.grantee && whole.privilege == kept.privilege && whole.object.table() == kept.object.table()
                    });
                    prop_assert!(excused || at.grants.contains(kept), "{:?} took {:?}", change, kept);
                }
            }
        }

        #[test]
        fn a_login_opens_after_everything_else_is_in_place(now in state(), wanted in wanted()) {
            let changes = diff(&now, &wanted);
            let opens = changes.iter().position(|change| matches!(change, Change::Set(_, setting, value) if setting == ENABLED && value == "true"));
            if let Some(first) = opens {
                let later = changes.iter().skip(first).any(|change| matches!(change, Change::Grant(_) | Change::AddMember(..) | Change::UseMember(..)));
                prop_assert!(!later);
            }
        }
    }
}
