//! Programs that store without a pause, and what was acknowledged to them before a failover and after it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::pair::Made;

/// Stores a credential of a project; what was said instead, where it was not acknowledged.
pub type Create = Arc<dyn Fn(&str) -> Result<Made, String> + Send + Sync>;

pub struct Load {
    is_over: Arc<AtomicBool>,
    /// How many failovers there were.
    failovers: Arc<AtomicUsize>,
    made: Arc<Mutex<Vec<(usize, Made)>>>,
    refused: Arc<Mutex<BTreeMap<String, usize>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Two programs.
    pub fn start(create: &Create, round: usize) -> Self {
        let mut load = Self {
            is_over: Arc::default(),
            failovers: Arc::default(),
            made: Arc::default(),
            refused: Arc::default(),
            threads: Vec::new(),
        };
        for program in 0..2 {
            let (is_over, failovers) = (load.is_over.clone(), load.failovers.clone());
            let (made, refused, create) = (load.made.clone(), load.refused.clone(), create.clone());
            load.threads.push(std::thread::spawn(move || {
                let started = Instant::now();
                for n in 0.. {
                    if is_over.load(Ordering::Acquire) {
                        return;
                    }
                    let begun = failovers.load(Ordering::Acquire);
                    // A new project twice a second, and each for four seconds: some keys are made while commits are lost, and are
                    // held by the programs afterwards.
                    let now = started.elapsed().as_millis() / 500;
                    let project = match n % 3 {
                        0 => format!("old-{}", n % 4),
                        _ => format!("new-{round}-{program}-{}", now.saturating_sub(n / 3 % 8)),
                    };
                    match create(&project) {
                        Ok(one) => made.lock().unwrap().push((begun, one)),
                        Err(said) => *refused.lock().unwrap().entry(said).or_default() += 1,
                    }
                    std::thread::sleep(Duration::from_millis(15));
                }
            }));
        }
        load
    }

    /// Requests that begin from now on begin after the failover.
    pub fn failed_over(&self) {
        self.failovers.fetch_add(1, Ordering::AcqRel);
    }

    /// What was acknowledged to requests that began before the failover, and after it.
    pub fn stop(self) -> ([Vec<Made>; 2], BTreeMap<String, usize>) {
        self.is_over.store(true, Ordering::Release);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
        let all = std::mem::take(&mut *self.made.lock().unwrap());
        let (before, after): (Vec<_>, Vec<_>) = all.into_iter().partition(|(begun, _)| *begun == 0);
        let made = [before, after].map(|part| part.into_iter().map(|(_, made)| made).collect());
        let refused = self.refused.lock().unwrap().clone();
        (made, refused)
    }
}
