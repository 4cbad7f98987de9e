//! What Prometheus reads. No label holds anything that a caller chose: routes are templates, components the policy's.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use strongroom::audit::Barrier;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    component: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    component: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct By {
    barrier: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// Counters of one replica.
pub(super) struct Metrics {
    registry: Registry,
    answers: Family<Answer, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    refused: Family<By, Counter>,
    turned_away: Family<Of, Counter>,
    waiting: Family<Of, Gauge>,
    pub(super) connections: Gauge,
    pub(super) handshakes_failed: Counter,
    pub(super) certificate_expires: Gauge<f64, AtomicU64>,
    pub(super) is_ready: Gauge,
    pub(super) ring_epoch: Gauge,
}

/// In seconds: from a point read on loopback to the longest that a request may take.
const BUCKETS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("strongroom");
        let new = || Histogram::new(BUCKETS);
        let metrics = Self {
            answers: Family::default(),
            seconds: Family::new_with_constructor(new),
            refused: Family::default(),
            turned_away: Family::default(),
            waiting: Family::default(),
            connections: Gauge::default(),
            handshakes_failed: Counter::default(),
            certificate_expires: Gauge::default(),
            is_ready: Gauge::default(),
            ring_epoch: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register(
            "requests",
            "Answers, by component, route and status",
            metrics.answers.clone(),
        );
        registry.register_with_unit(
            "request",
            "How long answers took",
            Unit::Seconds,
            metrics.seconds.clone(),
        );
        registry.register(
            "refusals",
            "What was refused, by what refused it",
            metrics.refused.clone(),
        );
        registry.register(
            "turned_away",
            "Requests that found the component's pool and queue full",
            metrics.turned_away.clone(),
        );
        registry.register(
            "waiting",
            "Requests that wait for a connection of the component's pool",
            metrics.waiting.clone(),
        );
        registry.register("connections", "Open client connections", metrics.connections.clone());
        registry.register(
            "handshakes_failed",
            "TLS handshakes that failed",
            metrics.handshakes_failed.clone(),
        );
        let help = "When the service's own certificate expires, in seconds since 1970";
        registry.register(
            "certificate_expires_timestamp",
            help,
            metrics.certificate_expires.clone(),
        );
        registry.register(
            "ready",
            "1 when the last look at the surroundings found nothing",
            metrics.is_ready.clone(),
        );
        registry.register(
            "ring_epoch",
            "The epoch of the key ring's manifest that was accepted last",
            metrics.ring_epoch.clone(),
        );
        Self { registry, ..metrics }
    }

    pub(super) fn answered(&self, component: &str, route: &str, status: u16, took: Duration) {
        let answer = Answer { component: component.to_owned(), route: route.to_owned(), status };
        self.answers.get_or_create(&answer).inc();
        self.seconds.get_or_create(&Route { route: route.to_owned() }).observe(took.as_secs_f64());
    }

    pub(super) fn refused(&self, barrier: Barrier) {
        self.refused.get_or_create(&By { barrier: barrier.as_str() }).inc();
    }

    pub(super) fn turned_away(&self, component: &str) {
        self.turned_away.get_or_create(&Of { component: component.to_owned() }).inc();
    }

    /// The text format of Prometheus, with what is known only now.
    pub(super) fn text(&self, waiting: Vec<(String, usize)>) -> String {
        for (component, count) in waiting {
            self.waiting
                .get_or_create(&Of { component })
                .set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(_) => String::new(),
        }
    }
}
