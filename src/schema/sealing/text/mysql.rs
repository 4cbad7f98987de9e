//! MySQL and MariaDB, in the form of the journal: a statement a paragraph, with what tells that it need not run.

use strongroom_entity::{IdKind, SealedTable};
use strongroom_migration::Engine;

use super::{Piece, changed};
use crate::schema::sealing::guard::{DmlEvent, Guard, shortened, stale};
use crate::schema::sealing::original::{OriginalColumn, OriginalColumns};

pub(super) fn statements(piece: Piece<'_>, table: &SealedTable, engine: Engine) -> Vec<String> {
    let text = Text { table, engine };
    match piece {
        Piece::AddCells => {
            let guards =
                [text.guard(Guard::Cell), vec![text.stale_guard()], text.guard(Guard::Key)];
            [text.add_cells(), guards.concat()].concat()
        }
        Piece::DropCells => [
            text.release(),
            text.drop_all(&[Guard::Key, Guard::Stale, Guard::Cell]),
            text.drop_cells(),
        ]
        .concat(),
        Piece::GuardRequired => text.guard(Guard::Required),
        Piece::ProveRequired => Vec::new(),
        Piece::Require => text.require(),
        Piece::Hold => DmlEvent::ALL.map(|event| text.hold(event)).into(),
        Piece::LetIn => text.drop_each(Guard::Held, &DmlEvent::ALL),
        Piece::Record => text.record(),
        Piece::StopRecording => text.stop_recording(),
        Piece::Release => text.release(),
        Piece::Bind => text.guard(Guard::Bound),
        Piece::DropPlaintext(originals) => text.drop_plaintext(originals),
        Piece::AddPlaintext(originals) => text.add_plaintext(originals),
        // The restoring guards stay until those of required cells stand.
        Piece::RestorePlaintext(originals) => [
            text.restore(originals),
            vec![text.stale_guard()],
            text.guard(Guard::Required),
            text.drop_all(&[Guard::Restoring, Guard::Bound]),
        ]
        .concat(),
        Piece::GuardBorn => {
            [Guard::Cell, Guard::Bound, Guard::Key].map(|guard| text.replace(guard)).concat()
        }
        Piece::DropGuards => [
            text.drop_all(&[
                Guard::Key,
                Guard::Bound,
                Guard::Restoring,
                Guard::Required,
                Guard::Stale,
                Guard::Cell,
            ]),
            text.stop_recording(),
            text.drop_each(Guard::Held, &DmlEvent::ALL),
        ]
        .concat(),
        Piece::Scrub => vec![format!("ALTER TABLE {} FORCE;", text.name())],
    }
}

struct Text<'a> {
    table: &'a SealedTable,
    engine: Engine,
}

impl Text<'_> {
    fn name(&self) -> String {
        self.quoted(self.table.name)
    }

    fn quoted(&self, identifier: &str) -> String {
        self.engine.quoted(identifier)
    }

    fn alter(&self, guard: &str, actions: &[String]) -> Vec<String> {
        if actions.is_empty() {
            return Vec::new();
        }
        vec![format!("{guard}ALTER TABLE {}\n    {};", self.name(), actions.join(",\n    "))]
    }

    /// One statement adds all of them, so that the last one tells of all.
    fn add_cells(&self) -> Vec<String> {
        let cells = self.table.columns.iter();
        let mut actions: Vec<_> = cells
            .map(|column| format!("ADD COLUMN {} mediumblob", self.quoted(column.sealed)))
            .collect();
        let indexes = || self.table.columns.iter().filter_map(|column| column.index);
        actions.extend(
            indexes().map(|index| format!("ADD COLUMN {} varbinary(16)", self.quoted(index))),
        );
        actions.extend(indexes().map(|index| {
            format!(
                "ADD UNIQUE KEY {} ({})",
                self.quoted(&shortened(self.table.name, index)),
                self.quoted(index)
            )
        }));
        self.alter(&self.tells("unless column", self.first_cell()), &actions)
    }

    fn first_cell(&self) -> &str {
        self.table.columns.first().map_or("", |column| column.sealed)
    }

    fn first_plain(&self) -> &'static str {
        self.table.plain_columns().next().unwrap_or_default()
    }

    /// The line by which the journal sees whether the statement ran.
    fn tells(&self, what: &str, column: &str) -> String {
        format!("-- {what} {}.{column}\n", self.table.name)
    }

    fn drop_columns<'c>(&self, first: &str, columns: impl Iterator<Item = &'c str>) -> Vec<String> {
        let actions: Vec<_> =
            columns.map(|column| format!("DROP COLUMN {}", self.quoted(column))).collect();
        self.alter(&self.tells("if column", first), &actions)
    }

    fn drop_cells(&self) -> Vec<String> {
        let columns = self
            .table
            .columns
            .iter()
            .flat_map(|column| std::iter::once(column.sealed).chain(column.index));
        self.drop_columns(self.first_cell(), columns)
    }

    fn require(&self) -> Vec<String> {
        self.modify("unless required", "mediumblob NOT NULL")
    }

    /// Also what a way up that was cut short left.
    fn release(&self) -> Vec<String> {
        [self.drop_all(&[Guard::Required, Guard::Bound]), self.modify("if required", "mediumblob")]
            .concat()
    }

    fn modify(&self, tells: &str, kind: &str) -> Vec<String> {
        let required: Vec<_> = self
            .table
            .columns
            .iter()
            .filter(|column| !column.nullable)
            .map(|column| column.sealed)
            .collect();
        let Some(first) = required.first() else { return Vec::new() };
        let actions: Vec<_> = required
            .iter()
            .map(|column| format!("MODIFY COLUMN {} {kind}", self.quoted(column)))
            .collect();
        self.alter(&self.tells(tells, first), &actions)
    }

    fn admit(&self) -> String {
        let own = nothing_yet(self.table);
        format!("-- if constraint {own}\nALTER TABLE {} DROP CONSTRAINT {own};", self.name())
    }

    /// The columns go first: a guard whose column is gone refuses every change, where a column without its guard would
    /// take and lose it. Their indexes go before them: a column without an index goes at once, however large the table is.
    fn drop_plaintext(&self, originals: &OriginalColumns) -> Vec<String> {
        let columns = self.drop_columns(self.first_plain(), self.table.plain_columns());
        [
            vec![self.admit()],
            self.drop_indexes(originals),
            columns,
            self.drop_all(&[Guard::Stale, Guard::Required, Guard::Restoring]),
        ]
        .concat()
    }

    fn drop_indexes(&self, originals: &OriginalColumns) -> Vec<String> {
        let indexes = originals.iter().flat_map(|(column, original)| {
            original.indexes.iter().map(move |index| (column, index))
        });
        let dropped = indexes.map(|(column, index)| {
            format!(
                "-- if key {}.{}:{column}\nALTER TABLE {} DROP INDEX {};",
                self.table.name,
                index.name,
                self.name(),
                self.quoted(&index.name)
            )
        });
        dropped.collect()
    }

    /// Each column says by its comment that it is on its way back, so that one that took its name is not taken for it.
    /// Writers are held until its guards stand.
    fn add_plaintext(&self, originals: &OriginalColumns) -> Vec<String> {
        let actions: Vec<_> = originals
            .iter()
            .map(|(column, original)| {
                let after = original.after.as_deref();
                let place = match after {
                    Some(after) => format!(" AFTER {}", self.quoted(after)),
                    None if original.place == 1 => " FIRST".to_owned(),
                    None => String::new(),
                };
                let column = self.quoted(column);
                format!("ADD COLUMN {column} {} COMMENT '{COMING_BACK}'{place}", original.kind)
            })
            .collect();
        let added = self.alter(&self.tells("unless column", self.first_plain()), &actions);
        [added, self.guard(Guard::Restoring), vec![self.admit()]].concat()
    }

    /// One statement, so that any part of it tells of all; where it has no part that shows, it may run twice.
    fn restore(&self, originals: &OriginalColumns) -> Vec<String> {
        let definition = |(_, original): &(_, OriginalColumn)| {
            Some(format!("MODIFY COLUMN {}", original.definition.as_deref()?.trim()))
        };
        let indexes: Vec<_> =
            originals.iter().flat_map(|(_, original)| &original.indexes).collect();
        let added = indexes.iter().map(|index| format!("ADD {}", index.sql));
        let actions: Vec<_> = originals.iter().filter_map(definition).chain(added).collect();
        let tells = indexes
            .first()
            .map_or_else(String::new, |index| self.tells("unless index", &index.name));
        self.alter(&tells, &actions)
    }

    fn guard(&self, guard: Guard) -> Vec<String> {
        DmlEvent::BOTH
            .into_iter()
            .map(|event| self.guard_as(&guard.name(event, self.table), guard, event))
            .collect()
    }

    fn guard_as(&self, own: &str, guard: Guard, event: DmlEvent) -> String {
        format!(
            "-- unless trigger {own}\nCREATE TRIGGER {own} BEFORE {} ON {} FOR EACH ROW\nBEGIN\n    IF {}\n    THEN\n        \
             SIGNAL SQLSTATE '23000' SET MESSAGE_TEXT = '{}';\n    END IF;\nEND;",
            event.as_sql(),
            self.name(),
            guard.refuses(event, self.table, self.engine),
            self.message(guard),
        )
    }

    /// The new guard stands beside the old one before that goes: there is no moment without.
    fn replace(&self, guard: Guard) -> Vec<String> {
        let replaced = |event: DmlEvent| {
            let own = guard.name(event, self.table);
            let beside = shortened("strongroom_next", own.trim_start_matches("strongroom_"));
            [
                self.guard_as(&beside, guard, event),
                drop_trigger(&own),
                self.guard_as(&own, guard, event),
                drop_trigger(&beside),
            ]
        };
        DmlEvent::BOTH.into_iter().flat_map(replaced).collect()
    }

    fn stale_guard(&self) -> String {
        let own = Guard::Stale.name(DmlEvent::Update, self.table);
        let emptied = self.table.columns.iter().map(|column| {
            let columns = std::iter::once(column.sealed).chain(column.index);
            let set: Vec<_> = columns.map(|it| format!("new.{} = NULL", self.quoted(it))).collect();
            format!(
                "    IF {}\n    THEN\n        SET {};\n    END IF;",
                stale(self.table, column, self.engine),
                set.join(", ")
            )
        });
        format!(
            "-- unless trigger {own}\nCREATE TRIGGER {own} BEFORE UPDATE ON {} FOR EACH ROW\nBEGIN\n{}\nEND;",
            self.name(),
            emptied.collect::<Vec<_>>().join("\n"),
        )
    }

    /// By the number of a lock that was not to be had: as there, the statement alone failed, and programs try it again.
    fn hold(&self, event: DmlEvent) -> String {
        let own = Guard::Held.name(event, self.table);
        format!(
            "-- unless trigger {own}\nCREATE TRIGGER {own} BEFORE {} ON {} FOR EACH ROW\nBEGIN\n    IF {}\n    THEN\n        \
             SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1205, MESSAGE_TEXT = '{}';\n    END IF;\nEND;",
            event.as_sql(),
            self.name(),
            Guard::Held.refuses(event, self.table, self.engine),
            self.message(Guard::Held),
        )
    }

    fn record(&self) -> Vec<String> {
        let side = changed(self.table);
        let kind = match self.table.id.kind {
            IdKind::Uuid => "binary(16)",
            // Of any length: a shorter one would name another row.
            IdKind::Text => "mediumtext",
        };
        let made = format!(
            "-- unless table {side}\nCREATE TABLE {side} (n bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, id {kind} NOT NULL) ENGINE = InnoDB CHARACTER SET utf8mb4;"
        );
        let noted = DmlEvent::BOTH.map(|event| {
            let own = Guard::Changed.name(event, self.table);
            format!(
                "-- unless trigger {own}\nCREATE TRIGGER {own} AFTER {} ON {} FOR EACH ROW\n    INSERT INTO {side} (id) VALUES (new.{});",
                event.as_sql(),
                self.name(),
                self.quoted(self.table.id.name),
            )
        });
        std::iter::once(made).chain(noted).collect()
    }

    fn stop_recording(&self) -> Vec<String> {
        let side = changed(self.table);
        let dropped = format!("-- if table {side}\nDROP TABLE {side};");
        self.drop_each(Guard::Changed, &DmlEvent::BOTH).into_iter().chain([dropped]).collect()
    }

    fn message(&self, guard: Guard) -> String {
        guard.message(self.table).chars().take(LONGEST_MESSAGE).collect()
    }

    fn drop_all(&self, guards: &[Guard]) -> Vec<String> {
        guards.iter().flat_map(|guard| self.drop_each(*guard, &DmlEvent::BOTH)).collect()
    }

    fn drop_each(&self, guard: Guard, events: &[DmlEvent]) -> Vec<String> {
        events.iter().map(|event| drop_trigger(&guard.name(*event, self.table))).collect()
    }
}

/// What a plaintext column says of itself until it is as it was.
pub(in crate::schema::sealing) const COMING_BACK: &str = "strongroom: coming back";

/// Kept everybody out of the plaintext columns until their guards stood, in runs of earlier versions.
pub(in crate::schema::sealing) fn nothing_yet(table: &SealedTable) -> String {
    shortened("strongroom_nothing_yet", table.name)
}

/// A longer one is an error of its own.
const LONGEST_MESSAGE: usize = 128;

fn drop_trigger(own: &str) -> String {
    format!("-- if trigger {own}\nDROP TRIGGER {own};")
}
