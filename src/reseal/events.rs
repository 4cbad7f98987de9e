//! Progress as a stream.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::options::{Event, Options};

/// What a run tells of itself, one event after the other. Ends when the last clone of its options is dropped. A run never
/// waits for whoever reads it: events that are not read take memory, a few bytes for each page.
#[derive(Debug)]
pub struct Events(UnboundedReceiver<Event>);

impl Options {
    /// The same options, telling a stream.
    #[must_use]
    pub fn with_events(self) -> (Self, Events) {
        let (sender, receiver) = unbounded_channel();
        let on_event = Arc::new(move |event| {
            // Where nobody listens any more, the run goes on.
            let _ = sender.send(event);
        });
        (Self { on_event, ..self }, Events(receiver))
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.0.poll_recv(context)
    }
}
