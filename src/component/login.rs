//! The components' logins as they are stored.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _,
};
use strongroom_entity::database_login::{ActiveModel, Column, Entity, Model};

use crate::crypto::DatabasePassword;
use crate::key::{PolicyKeys, RingError};
use crate::policy::names::{Names, Slot};
use crate::policy::plan::Accounts;
use crate::policy::statement::{Verifiers, password_verifier};
use crate::policy::wanted::Target;
use crate::policy::{GrantError, Policy, Site};

/// What a login is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginState {
    /// Programs use it.
    Active,
    /// It is being made ready to take over.
    Incoming,
    /// Programs are leaving it.
    Outgoing,
}

impl LoginState {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Active, Self::Incoming, Self::Outgoing]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// The logins of a database that have a password, by component and slot.
#[derive(Debug, Default)]
pub struct Logins(BTreeMap<(String, Slot), (LoginState, Model)>);

impl Logins {
    /// As the database has them.
    pub async fn read(db: &impl ConnectionTrait) -> Result<Self, GrantError> {
        let mut logins = BTreeMap::new();
        for row in Entity::find().all(db).await? {
            let (Some(slot), Some(state)) = (Slot::parse(&row.slot), LoginState::parse(&row.state))
            else {
                return Err(GrantError::UnknownLogin {
                    component: row.component,
                    slot: row.slot,
                    state: row.state,
                });
            };
            logins.insert((row.component.clone(), slot), (state, row));
        }
        Ok(Self(logins))
    }

    /// The one of a component that is in some state.
    pub fn find(&self, component: &str, wanted: LoginState) -> Option<(Slot, &Model)> {
        Slot::ALL.into_iter().find_map(|slot| {
            let (state, row) = self.0.get(&(component.to_owned(), slot))?;
            (*state == wanted).then_some((slot, row))
        })
    }

    /// Accounts that may log in.
    pub fn open(&self, names: &Names) -> BTreeSet<String> {
        self.0.keys().map(|(component, slot)| names.login(component, *slot)).collect()
    }

    /// What each account's password is set to.
    pub fn verifiers(&self, target: &Target, keys: &PolicyKeys) -> Result<Verifiers, GrantError> {
        let each = self.0.iter().map(|((component, slot), (_, row))| {
            Ok((
                target.names.login(component, *slot),
                password_verifier(target, &keys.password(row)?)?,
            ))
        });
        each.collect()
    }

    /// Says whether no component has a login yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of the next password of a component.
    pub fn next_version(&self, component: &str) -> u32 {
        let rows = self.0.iter().filter(|((of, _), _)| of == component);
        rows.filter_map(|(_, (_, row))| u32::try_from(row.version).ok())
            .max()
            .unwrap_or(0)
            .saturating_add(1)
    }
}

/// Returns the accounts of a policy: the open logins, and a password for each. Nobody keeps those of standby logins.
pub(super) fn accounts(
    logins: &Logins,
    site: &Site,
    policy: &Policy,
) -> Result<Accounts, GrantError> {
    let target = &site.target;
    let mut verifiers = logins.verifiers(target, &site.keys)?;
    let all = policy.components.keys();
    for login in all.flat_map(|component| Slot::ALL.map(|slot| target.names.login(component, slot)))
    {
        if let Entry::Vacant(vacant) = verifiers.entry(login) {
            vacant.insert(password_verifier(
                target,
                &DatabasePassword::make().map_err(RingError::from)?,
            )?);
        }
    }
    Ok(Accounts { open: logins.open(&target.names), verifiers })
}

/// Makes sure that every component of a policy has a login in use. Passwords are written down before a server hears of
/// them, so that after a crash the same ones are set again.
pub(super) async fn prepare(
    db: &impl ConnectionTrait,
    site: &Site,
    policy: &Policy,
) -> Result<Logins, GrantError> {
    let logins = Logins::read(db).await?;
    for component in policy
        .components
        .keys()
        .filter(|component| logins.find(component, LoginState::Active).is_none())
    {
        let version = logins.next_version(component);
        let (slot, state) = (Slot::A, LoginState::Active);
        make(db, site, NewLogin { component, slot, state, version }).await?;
    }
    Logins::read(db).await
}

/// Forgets the logins of components that the policy does not have: only once the server does not have them either.
pub(super) async fn forget_others(
    db: &impl ConnectionTrait,
    policy: &Policy,
) -> Result<(), GrantError> {
    Entity::delete_many()
        .filter(Column::Component.is_not_in(policy.components.keys()))
        .exec(db)
        .await?;
    Ok(())
}

/// A login whose password is to be made.
#[derive(Clone, Copy)]
pub(super) struct NewLogin<'a> {
    pub(super) component: &'a str,
    pub(super) slot: Slot,
    pub(super) state: LoginState,
    /// The number of the password.
    pub(super) version: u32,
}

/// Stores a login with a new password.
pub(super) async fn make(
    db: &impl ConnectionTrait,
    site: &Site,
    login: NewLogin<'_>,
) -> Result<(), GrantError> {
    let NewLogin { component, slot, state, version } = login;
    let password = site.options.password(component)?;
    let row = ActiveModel {
        component: Set(component.to_owned()),
        slot: Set(slot.as_str().to_owned()),
        state: Set(state.as_str().to_owned()),
        version: Set(i32::try_from(version).unwrap_or(i32::MAX)),
        wrapped: Set(site.keys.wrap(component, slot.as_str(), version, &password)?),
    };
    let over = [Column::State, Column::Version, Column::Wrapped];
    let over =
        OnConflict::columns([Column::Component, Column::Slot]).update_columns(over).to_owned();
    Entity::insert(row).on_conflict(over).exec_without_returning(db).await?;
    Ok(())
}

/// Writes down that a login is doing something else now.
pub(super) async fn move_to(
    db: &impl ConnectionTrait,
    component: &str,
    slot: Slot,
    state: LoginState,
) -> Result<(), GrantError> {
    let moved = Entity::update_many().col_expr(Column::State, Expr::value(state.as_str()));
    moved
        .filter(Column::Component.eq(component))
        .filter(Column::Slot.eq(slot.as_str()))
        .exec(db)
        .await?;
    Ok(())
}

/// Forgets a login's password.
pub(super) async fn forget(
    db: &impl ConnectionTrait,
    component: &str,
    slot: Slot,
) -> Result<(), GrantError> {
    Entity::delete_many()
        .filter(Column::Component.eq(component))
        .filter(Column::Slot.eq(slot.as_str()))
        .exec(db)
        .await?;
    Ok(())
}
