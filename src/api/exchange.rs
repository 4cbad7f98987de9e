//! Adds to an HTTP/1.1 connection what hyper does not provide.
//!
//! - Separate limits for a request's head and for an idle connection; hyper has one timer for both.
//! - Problem documents for requests that hyper cannot parse; hyper answers with a status and an empty body.
//! - An orderly end. A socket that is closed with unread bytes sends a reset, and the client may lose the last answer. The
//!   connection therefore shuts down first and reads remaining bytes for a moment.

mod ending;
mod progress;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use ending::Ending;
pub(super) use progress::{Answering, Patience, Progress};
use progress::{Phase, Timer};

/// Returns a body, and header lines, for a status that hyper sends by itself.
pub(super) type Words = Box<dyn Fn(StatusCode) -> (Vec<u8>, String) + Send>;

/// The connection. See the module.
pub(super) struct Exchange<S> {
    stream: S,
    progress: Progress,
    timer: Timer,
    words: Words,
    /// Our bytes that wait for the socket.
    unsent: Vec<u8>,
    ending: Ending,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Exchange<S> {
    pub(super) fn new(stream: S, progress: Progress, patience: Patience, words: Words) -> Self {
        Self {
            stream,
            progress,
            timer: Timer::new(patience),
            words,
            unsent: Vec::new(),
            ending: Ending::default(),
        }
    }

    fn poll_unsent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.unsent))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unsent.drain(..written.min(self.unsent.len()));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Exchange<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let (phase, before) = (this.progress.phase(), buffer.filled().len());
        this.timer.follow(phase);
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(cx, buffer) {
            let came = buffer.filled().len() > before;
            this.ending.client_ended |= !came;
            if came && phase == Phase::Idle {
                this.progress.set(Phase::Head);
                this.timer.follow(Phase::Head);
            }
            return Poll::Ready(read);
        }
        this.progress.wake_on_change(cx);
        if phase == Phase::Answer || this.timer.poll(cx).is_pending() {
            return Poll::Pending;
        }
        // An idle connection ends as if the client had closed it. An incomplete head is an error.
        Poll::Ready(if phase == Phase::Idle { Ok(()) } else { Err(io::ErrorKind::TimedOut.into()) })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Exchange<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_unsent(cx))?;
        if self.progress.phase() != Phase::Answer
            && let Some((status, head)) = bare_error(bytes)
        {
            let (body, more) = (self.words)(status);
            self.unsent = head
                .replace(
                    "content-length: 0\r\n",
                    &format!("content-length: {}\r\n{more}", body.len()),
                )
                .into_bytes();
            self.unsent.extend(body);
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unsent(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unsent(cx))?;
        let this = &mut *self;
        this.ending.poll(&mut this.stream, cx)
    }
}

/// Returns status and head of an error that hyper made: it has an empty body.
fn bare_error(bytes: &[u8]) -> Option<(StatusCode, &str)> {
    let head = std::str::from_utf8(bytes)
        .ok()
        .filter(|head| head.len() < 256 && head.ends_with("\r\n\r\n"))?;
    let status = head.strip_prefix("HTTP/1.1 4").or_else(|| head.strip_prefix("HTTP/1.0 4"))?;
    let status = StatusCode::from_bytes(format!("4{}", status.get(..2)?).as_bytes()).ok()?;
    let is_bare =
        head.contains("content-length: 0\r\n") && !head.contains(super::request_id::HEADER);
    is_bare.then_some((status, head))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::{Instant, sleep};

    use super::ending::LINGER;
    use super::*;

    const PATIENCE: Patience =
        Patience { head: Duration::from_secs(15), idle: Duration::from_secs(75) };

    fn exchange() -> (Exchange<tokio::io::DuplexStream>, tokio::io::DuplexStream, Progress) {
        let (near, far) = duplex(1 << 16);
        let progress = Progress::new();
        let words: Words = Box::new(|status| (status.as_str().into(), "x-words: yes\r\n".into()));
        (Exchange::new(near, progress.clone(), PATIENCE, words), far, progress)
    }

    async fn read(
        exchange: &mut Exchange<tokio::io::DuplexStream>,
    ) -> (io::Result<usize>, Duration) {
        let begun = Instant::now();
        (exchange.read(&mut [0; 64]).await, begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_does_not_come_and_an_idle_connection_have_their_own_times() {
        let (mut exchange, mut far, progress) = exchange();
        let (head, took) = read(&mut exchange).await;
        assert_eq!((head.unwrap_err().kind(), took.as_secs()), (io::ErrorKind::TimedOut, 15));
        drop(progress.answer());
        let (idle, took) = read(&mut exchange).await;
        assert_eq!((idle.unwrap(), took.as_secs()), (0, 75));
        // The first byte of another request begins its head, and the bytes after it are no reason to wait longer.
        far.write_all(b"G").await.unwrap();
        assert_eq!(read(&mut exchange).await.0.unwrap(), 1);
        let begun = Instant::now();
        tokio::spawn(async move {
            while far.write_all(b"E").await.is_ok() {
                sleep(Duration::from_secs(4)).await;
            }
        });
        while read(&mut exchange).await.0.is_ok() {}
        assert_eq!(begun.elapsed().as_secs(), 15);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_take_its_time() {
        let (mut exchange, _far, progress) = exchange();
        let _answering = progress.answer();
        let read = tokio::time::timeout(Duration::from_mins(10), read(&mut exchange)).await;
        assert!(read.is_err(), "nobody waits for the client");
    }

    #[tokio::test(start_paused = true)]
    async fn a_bare_error_gets_words_and_the_end_waits_for_the_client() {
        let (mut exchange, mut far, progress) = exchange();
        let bare = "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\ndate: now\r\n\r\n";
        far.write_all(b"more than was read").await.unwrap();
        let begun = Instant::now();
        exchange.write_all(bare.as_bytes()).await.unwrap();
        exchange.shutdown().await.unwrap();
        assert!(begun.elapsed() >= LINGER && begun.elapsed() < 2 * LINGER);
        drop(exchange);
        let mut answer = String::new();
        far.read_to_string(&mut answer).await.unwrap();
        let wanted = "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 3\r\nx-words: yes\r\ndate: now\r\n\r\n431";
        assert_eq!(answer, wanted);
        drop(progress);
    }

    #[tokio::test]
    async fn answers_of_requests_pass_as_they_are() {
        let (mut exchange, mut far, progress) = exchange();
        let of_ours = "HTTP/1.1 404 Not Found\r\nx-request-id: a\r\ncontent-length: 0\r\n\r\n";
        let answering = progress.answer();
        exchange.write_all(of_ours.as_bytes()).await.unwrap();
        drop(answering);
        exchange.write_all(of_ours.as_bytes()).await.unwrap();
        drop(exchange);
        let mut answer = String::new();
        far.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, of_ours.repeat(2));
    }
}
