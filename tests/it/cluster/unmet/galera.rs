//! Three nodes of Galera: every command runs on one of them beside programs that write on the other two, and something fails.

use std::time::{Duration, Instant};

use strongroom_migration::Migrator;

use super::super::dice::{Dice, faults};
use super::super::report::Report;
use super::super::stored::{opened, sums};
use super::super::writers::{HANG, Writers};
use crate::keystone::{expected, import, keys, keystone_in, make_table};
use crate::support::{Cluster, Engine, Ran, Room, Running, numbered_rows};

const ROWS: usize = 1_000;

/// No command may take longer, whatever fails: it ends, or says that it cannot reach the database.
const LONGEST: Duration = Duration::from_mins(1);

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    Program,
    Server(usize, Event),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Kill,
    Cut,
    Freeze,
}

/// A command, and how long it takes when nothing fails: the fault comes within this time.
struct Move {
    arguments: Vec<String>,
    takes: Duration,
}

fn command(takes: u64, words: &str, more: &[&str]) -> Move {
    let words = words.split(' ').chain(more.iter().copied());
    Move { arguments: words.map(str::to_owned).collect(), takes: Duration::from_millis(takes) }
}

/// All steps up, three rolls, an import and an export, and all steps down.
fn moves(room: &Room, keystone: &str) -> Vec<Move> {
    const SLOWLY: [&str; 4] = ["--batch-size", "100", "--batch-delay", "20"];
    let (from, keys) = (keystone_in(room), keys());
    let steps = Migrator::without_keys().steps().len();
    let up = (2..=steps).map(|step| {
        command(800, "migrate up --yes --to", &[&[step.to_string().as_str()], &SLOWLY[..]].concat())
    });
    let down = (1..steps).rev().map(|step| {
        command(
            800,
            "migrate down --yes --to",
            &[&[step.to_string().as_str()], &SLOWLY[..]].concat(),
        )
    });
    let between = [
        command(3_000, "keys rotate", &SLOWLY),
        command(3_000, "keys rotate", &SLOWLY),
        command(3_000, "keys rotate --back", &SLOWLY),
        command(2_000, &import(&from, &keys).join(" "), &[]),
        command(4_000, "export keystone --to", &[keystone, "--key-repository", &keys]),
    ];
    up.chain(between).chain(down).collect()
}

struct Trial {
    cluster: Cluster,
    room: Room,
    dice: Dice,
    report: Report,
    database: &'static str,
}

impl Trial {
    fn start() -> Self {
        let (cluster, database) = (Cluster::galera(), "control");
        cluster.sql(1, &format!("CREATE DATABASE {database}; CREATE DATABASE keystone"));
        let room = Room::empty_at(Engine::MariaDb, cluster.url(1, database));
        room.run(&["migrate", "up", "--to", "1"]).expect(0);
        room.insert_plaintext(&numbered_rows(ROWS));
        make_table(&Room::empty_at(Engine::MariaDb, cluster.url(1, "keystone")));
        let columns =
            ["command", "on node", "fault", "after", "exit", "again", "stall", "took", "rows"];
        let report = Report::new("galera", &columns);
        Self { cluster, room, dice: Dice::new(), report, database }
    }

    fn writers(&self, nodes: [usize; 2]) -> Writers {
        let rows: Vec<_> = opened(&self.cluster.url(1, self.database), &self.room.key_file())
            .into_iter()
            .collect();
        let urls = nodes.map(|node| (node, self.cluster.url(node, self.database)));
        Writers::start(&urls, &self.room.key_file(), &rows)
    }

    /// Runs a command to its end, while every program that can be served is.
    #[track_caller]
    fn finished(&self, running: Running, writers: &Writers, what: &str) -> Ran {
        let is_well = || writers.stall() < HANG;
        running
            .finish_within(LONGEST, is_well, || self.cluster.processes())
            .unwrap_or_else(|seen| panic!("{what}: no writes for {:?}, {seen}", writers.stall()))
    }

    /// Runs one command with one fault, and again if it ended by it, and compares everything.
    fn perform(&mut self, step: &Move, node: usize, fault: Fault, writers: &Writers) {
        let arguments: Vec<_> = step.arguments.iter().map(String::as_str).collect();
        let name = step
            .arguments
            .iter()
            .take_while(|word| !word.starts_with("--batch") && !word.contains('/'));
        let name = name.cloned().collect::<Vec<_>>().join(" ");
        let what = format!("{name} on node {node}, {fault:?}");
        let (begun, before) = (Instant::now(), writers.acknowledged());
        writers.watch();
        let mut running = self.room.start_at(&self.cluster.url(node, self.database), &arguments);
        let moment = self.dice.within(step.takes);
        while begun.elapsed() < moment && !running.is_over() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let after = begun.elapsed();
        let first = match fault {
            Fault::Nothing => Some(self.finished(running, writers, &what)),
            Fault::Program => {
                running.kill();
                None
            }
            Fault::Server(hit, event) => {
                writers.watch_node(hit, false);
                self.cluster.server(
                    match event {
                        Event::Kill => "kill",
                        Event::Cut => "cut",
                        Event::Freeze => "freeze",
                    },
                    hit,
                );
                Some(self.finished(running, writers, &what))
            }
        };
        let code = first.as_ref().map_or("killed".to_owned(), |ran| ran.code.to_string());
        let mut again = String::from("-");
        if first.as_ref().is_none_or(|ran| ran.code != 0) {
            // The other nodes go on without the one that failed.
            let other = match fault {
                Fault::Server(hit, _) if hit == node => node % 3 + 1,
                _ => node,
            };
            let running = self.room.start_at(&self.cluster.url(other, self.database), &arguments);
            let ran = self.finished(running, writers, &format!("{what}, again on node {other}"));
            again = ran.code.to_string();
            let line = [&name, &node.to_string(), &format!("{fault:?}"), "", &code, &again];
            if ran.code != 0 {
                self.report.line(&line);
                panic!("{what}: first {first:#?}\nthen {ran:#?}\n{}", self.cluster.processes());
            }
        }
        if let Fault::Server(hit, event) = fault {
            self.mend(hit, event, begun + after);
            writers.watch_node(hit, true);
        }
        let stall = writers.stall();
        assert!(stall < HANG, "{what}: no writes for {stall:?}\n{}", self.cluster.processes());
        let (took, rows) = (begun.elapsed(), writers.acknowledged() - before);
        self.report.line(&[
            name,
            node.to_string(),
            format!("{fault:?}"),
            format!("{:.2} s", after.as_secs_f32()),
            code,
            again,
            format!("{:.1} s", stall.as_secs_f32()),
            format!("{:.1} s", took.as_secs_f32()),
            rows.to_string(),
        ]);
        if step.arguments[0] == "import" {
            writers.in_quiet(|ledger| {
                for row in expected() {
                    ledger.acknowledged(&row["id"], Some(&row["secret"]));
                }
            });
        }
        self.compare(writers, &what);
    }

    /// Brings a node back, not before the others noticed that it was gone.
    fn mend(&self, node: usize, event: Event, since: Instant) {
        std::thread::sleep(Duration::from_secs(8).saturating_sub(since.elapsed()));
        self.cluster.server(
            match event {
                Event::Kill => "start",
                Event::Cut => "join",
                Event::Freeze => "thaw",
            },
            node,
        );
        self.cluster.tell("synced", &["1", "2", "3"]);
    }

    /// Nothing that was acknowledged is lost, and the nodes are the same.
    fn compare(&self, writers: &Writers, what: &str) {
        writers.in_quiet(|ledger| {
            let node = 1;
            let [one, two, three] = [1, 2, 3].map(|node| sums(&self.cluster, node, self.database));
            assert!(one == two && two == three, "{what}: nodes differ\n{one}\n{two}\n{three}");
            let stored = opened(&self.cluster.url(node, self.database), &self.room.key_file());
            let lost = ledger.differences(&stored);
            assert!(lost.is_empty(), "{what}: {} of {}: {lost:#?}", lost.len(), ledger.certain());
        });
    }
}

fn all_commands_with(faults: usize) {
    let mut trial = Trial::start();
    let keystone = trial.cluster.url(1, "keystone");
    let (mut left, mut done) = (faults, 0);
    while done == 0 || left > 0 {
        // A ring that is made anew is not the one that these programs hold: they begin with each round.
        let node = trial.dice.below(3) + 1;
        let writers = trial.writers([node % 3 + 1, (node + 1) % 3 + 1]);
        let moves = moves(&trial.room, &keystone);
        for (place, step) in moves.iter().enumerate() {
            // Spread over the round, as many as are left.
            let is_hit = trial.dice.below(moves.len() - place) < left;
            let fault = if is_hit { fault(&mut trial.dice, node) } else { Fault::Nothing };
            left -= usize::from(is_hit);
            trial.perform(step, node, fault, &writers);
            done += 1;
        }
        let (rows, refused) = (writers.acknowledged(), writers.refused());
        writers.stop();
        trial.report.summary(&format!("{rows} writes acknowledged; refused: {refused:#?}"));
    }
    trial.report.summary(&format!(
        "{done} commands, {faults} faults: no hang, nothing lost, the same on all nodes"
    ));
}

fn fault(dice: &mut Dice, node: usize) -> Fault {
    if dice.below(5) == 0 {
        return Fault::Program;
    }
    // As often the command's own node as one of the others.
    let hit = dice.of(&[node, node, node % 3 + 1, (node + 1) % 3 + 1]);
    // The run whose own node falls silent has a test without dice.
    let events = if hit == node { 3 } else { 4 };
    let event = dice.of(&[Event::Kill, Event::Kill, Event::Cut, Event::Freeze][..events]);
    Fault::Server(hit, event)
}

#[test]
#[ignore = "takes minutes: tests/long unmet"]
fn nothing_hangs_and_nothing_is_lost_whatever_fails() {
    all_commands_with(faults(5));
}
