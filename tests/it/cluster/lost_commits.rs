//! Failovers at random moments, beside programs under load: what is acknowledged afterwards opens, whatever was lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::dice::{Dice, faults};
use super::load::{Create, Load};
use super::pair::{Made, Pair, SERVED_AGAIN, assert_all_open, create, restarted};
use super::report::Report;
use super::stored::{opened, remembering_store};
use crate::support::{Ran, Running, Service, block_on, numbered_rows};
use strongroom::credential::NewCredential;

const ROWS: usize = 1_000;
const SLOWLY: [&str; 4] = ["--batch-size", "50", "--batch-delay", "20"];

/// What the operator is doing when the primary dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Nothing,
    Roll,
    Rewrap,
    Retire,
    Up,
    Down,
}

/// Who stores: callers of the service, or programs that link the library. The latter store through every step, too.
enum Client {
    Service(Service),
    Programs(Create),
}

impl Client {
    fn service(pair: &Pair) -> Self {
        Self::Service(pair.room.serve(""))
    }

    fn programs(pair: &Pair) -> Self {
        let store = block_on(remembering_store(&pair.room));
        Self::Programs(Arc::new(move |project| {
            let mut new = NewCredential::make("load", "ec2").unwrap();
            new.project_id = Some(project.to_owned());
            block_on(async {
                let stored =
                    tokio::time::timeout(Duration::from_secs(40), store.create(&new)).await;
                stored
                    .map_err(|_| "no answer in 40 s".to_owned())?
                    .map_err(|error| error.to_string())
            })?;
            Ok(Made { id: new.id, secret: new.secret.to_string() })
        }))
    }

    fn create(&self) -> Create {
        match self {
            Self::Service(service) => {
                let api = service.caller("api");
                Arc::new(move |project| create(&api, project))
            }
            Self::Programs(create) => create.clone(),
        }
    }

    /// The same without anything that it held in memory.
    fn anew(self, pair: &Pair) -> Self {
        match self {
            Self::Service(service) => Self::Service(restarted(service, &pair.room)),
            Self::Programs(_) => Self::programs(pair),
        }
    }
}

struct Trial {
    pair: Pair,
    client: Option<Client>,
    works: &'static [Work],
    dice: Dice,
    report: Report,
    /// What survived a failover, or was acknowledged after it: it must be there for good.
    kept: Vec<Made>,
    lost: usize,
    after: usize,
}

impl Trial {
    fn start(name: &'static str, works: &'static [Work], client: fn(&Pair) -> Client) -> Self {
        let pair = Pair::start();
        pair.room.insert_plaintext(&numbered_rows(ROWS));
        pair.room.run(&["migrate", "up", "--yes"]).expect(0);
        let client = Some(client(&pair));
        let columns = [
            "work",
            "commits lost from",
            "primary killed",
            "exit",
            "again",
            "served again",
            "accepted",
            "acknowledged before",
            "of them lost",
            "acknowledged after",
        ];
        let report = Report::new(name, &columns);
        Self { pair, client, works, dice: Dice::new(), report, kept: Vec::new(), lost: 0, after: 0 }
    }

    fn create(&self) -> Create {
        self.client.as_ref().unwrap().create()
    }

    /// The key file whose root is the ring's, and the other one.
    fn roots(&self) -> [&'static str; 2] {
        let both = ["strongroom.key", "next.key"];
        let mut command = self.pair.room.command(&["keys", "status"]);
        command.env("STRONGROOM__KEYS__NEXT__FILE", "strongroom.key");
        if crate::support::ran(&mut command).code == 0 { both } else { [both[1], both[0]] }
    }

    fn command(&self, work: Work) -> Vec<String> {
        let words = match work {
            Work::Nothing => vec![],
            Work::Roll => [&["keys", "rotate"], &SLOWLY[..]].concat(),
            Work::Up => {
                self.pair.room.run(&["migrate", "down", "--to", "3", "--yes"]).expect(0);
                [&["migrate", "up", "--yes"], &SLOWLY[..]].concat()
            }
            Work::Down => {
                self.pair.room.run(&["migrate", "up", "--yes"]).expect(0);
                [&["migrate", "down", "--to", "3", "--yes"], &SLOWLY[..]].concat()
            }
            Work::Retire => {
                self.pair.room.run(&["keys", "rotate"]).expect(0);
                let status = self.pair.room.json(&["keys", "status"]);
                let generations = status["generations"].as_array().unwrap();
                let old = generations.iter().find(|one| one["state"] == "decrypt_only").unwrap();
                let old = old["generation"].to_string();
                return ["keys", "retire", &old, "--grace", "0", "--yes"]
                    .map(str::to_owned)
                    .to_vec();
            }
            Work::Rewrap => {
                let to = format!("file:{}", self.roots()[1]);
                return ["keys", "rewrap", "--to", &to].map(str::to_owned).to_vec();
            }
        };
        words.into_iter().map(str::to_owned).collect()
    }

    fn round(&mut self, round: usize) {
        let work = self.dice.of(self.works);
        println!("    round {round}: {work:?}");
        let command = self.command(work);
        let words: Vec<_> = command.iter().map(String::as_str).collect();
        // All that came before is to be on the standby.
        std::thread::sleep(Duration::from_millis(500));
        let load = Load::start(&self.create(), round);
        std::thread::sleep(Duration::from_millis(300));
        let running = (!words.is_empty()).then(|| self.pair.room.start(&words));
        let begun = Instant::now();
        std::thread::sleep(self.dice.within(Duration::from_millis(1_200)));
        self.pair.lag();
        let lagging = begun.elapsed();
        std::thread::sleep(self.dice.within(Duration::from_secs(2)));
        let killed = begun.elapsed();
        self.pair.fail_over();
        load.failed_over();
        let (served, accepted) = self.served_again();
        let first =
            running.map(|running| self.finished(running, &format!("round {round}: {work:?}")));
        // A service may have answered by a manifest that it read before the failover: it looks again within half a second.
        std::thread::sleep(Duration::from_millis(600));
        let accepted = accepted.or(self.served_again().1);
        let again = match &first {
            Some(ran) if ran.code != 0 => Some(self.again(work, &words)),
            _ => None,
        };
        std::thread::sleep(Duration::from_secs(1));
        let ([before, mut after], refused) = load.stop();
        let create = self.create();
        let projects = ["old-1".to_owned(), format!("after-{round}")];
        after.extend(projects.map(|project| create(&project).unwrap()));
        self.pair.follow();
        let lost = self.settle(round, before.clone(), &after);
        self.report.line(&[
            format!("{work:?}"),
            format!("{:.2} s", lagging.as_secs_f32()),
            format!("{:.2} s", killed.as_secs_f32()),
            first.as_ref().map_or("-".into(), |ran| ran.code.to_string()),
            again.as_ref().map_or("-".into(), ToString::to_string),
            format!("{:.1} s", served.as_secs_f32()),
            accepted.unwrap_or_else(|| "-".into()),
            before.len().to_string(),
            lost.to_string(),
            after.len().to_string(),
        ]);
        println!("    refused meanwhile: {refused:?}");
    }

    /// Waits until credentials are stored again; the operator says the word where it is asked for.
    fn served_again(&self) -> (Duration, Option<String>) {
        let (begun, create, mut accepted) = (Instant::now(), self.create(), None);
        loop {
            let Err(said) = create("probe") else { return (begun.elapsed(), accepted) };
            let went_back = match self.client.as_ref().unwrap() {
                Client::Service(service) if said == "503 ring_went_back" => {
                    let ready = service.caller("api").get("/readyz");
                    assert!(
                        ready.status == 503 && ready.text.contains("ring_went_back"),
                        "{ready:?}"
                    );
                    true
                }
                Client::Service(_) => false,
                Client::Programs(_) => said.contains("epoch") || said.contains("does not descend"),
            };
            if went_back && accepted.is_none() {
                accepted = Some(self.pair.accept());
            }
            assert!(
                begun.elapsed() < SERVED_AGAIN,
                "not served after {SERVED_AGAIN:?}: {said}, accepted: {accepted:?}\n{}",
                self.pair.cluster.processes()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The same command at the new primary. A generation that was retired, or was never made there, is done with.
    fn again(&self, work: Work, words: &[&str]) -> i32 {
        let ran = self.finished(self.pair.room.start(words), &format!("{words:?} again"));
        assert!(
            ran.code == 0 || work == Work::Retire && ran.code == 4,
            "{words:?} again: {ran:#?}"
        );
        ran.code
    }

    fn finished(&self, running: Running, what: &str) -> Ran {
        running
            .finish_within(Duration::from_mins(1), || true, || self.pair.cluster.processes())
            .unwrap_or_else(|seen| panic!("{what}: {seen}"))
    }

    /// Starts everything anew and opens everything. How many that were acknowledged before the failover are lost.
    fn settle(&mut self, round: usize, before: Vec<Made>, after: &[Made]) -> usize {
        self.client = self.client.take().map(|client| client.anew(&self.pair));
        let root = self.pair.room.path().join(self.roots()[0]);
        let stored = opened(&self.pair.url(), &root);
        let shut: Vec<_> =
            stored.iter().filter(|(_, secret)| secret.starts_with("does not open")).collect();
        assert!(shut.is_empty(), "round {round}: cells that do not open: {shut:#?}");
        let is_there = |made: &Made| stored.get(&made.id) == Some(&made.secret);
        let wrong: Vec<_> = self.kept.iter().chain(after).filter(|made| !is_there(made)).collect();
        assert!(
            wrong.is_empty(),
            "round {round}: acknowledged after a failover and lost: {wrong:#?}"
        );
        let (survived, lost): (Vec<_>, Vec<_>) = before.into_iter().partition(is_there);
        let changed: Vec<_> = lost.iter().filter(|made| stored.contains_key(&made.id)).collect();
        assert!(
            changed.is_empty(),
            "round {round}: other secrets than those acknowledged: {changed:#?}"
        );
        self.pair.room.run(&["keys", "verify"]).expect(0);
        self.pair.room.run(&["keys", "status"]).expect(0);
        if let Some(Client::Service(service)) = &self.client {
            assert_all_open(service, &after[after.len().saturating_sub(6)..]);
        }
        self.kept.extend(survived);
        self.kept.extend_from_slice(after);
        self.lost += lost.len();
        self.after += after.len();
        lost.len()
    }
}

fn failovers(mut trial: Trial) {
    let rounds = faults(3);
    for round in 0..rounds {
        trial.round(round);
    }
    // The server too begins anew.
    trial.pair.cluster.server("kill", trial.pair.primary);
    trial.pair.cluster.server("start", trial.pair.primary);
    trial.settle(rounds, Vec::new(), &[]);
    let (lost, after) = (trial.lost, trial.after);
    trial.report.summary(&format!(
        "{rounds} failovers: {lost} acknowledged before one were lost with it, {after} acknowledged after one are all there"
    ));
}

/// The same while the ring is wrapped under another root.
pub(super) fn in_the_midst_of_rewraps() {
    failovers(Trial::start("failover-rewraps", &[Work::Rewrap], Client::service));
}

#[test]
#[ignore = "takes minutes: make test-cluster"]
fn what_a_service_acknowledges_after_a_failover_opens() {
    const WORKS: [Work; 4] = [Work::Nothing, Work::Roll, Work::Roll, Work::Retire];
    failovers(Trial::start("failover-service", &WORKS, Client::service));
}

#[test]
#[ignore = "takes minutes: make test-cluster"]
fn what_programs_store_after_a_failover_opens() {
    const WORKS: [Work; 4] = [Work::Up, Work::Up, Work::Down, Work::Roll];
    failovers(Trial::start("failover-programs", &WORKS, Client::programs));
}
