//! Ends a connection so that its last answer reaches the client.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Time for reading after the shutdown.
pub(super) const LINGER: Duration = Duration::from_secs(1);
/// Bytes to read after the shutdown.
const LINGER_BYTES: usize = 256 << 10;

/// The steps of the end: shut down, then read.
#[derive(Default)]
pub(super) struct Ending {
    /// The client has sent its last byte, so nothing remains to be read.
    pub(super) client_ended: bool,
    is_shut: bool,
    lingering: Option<(Pin<Box<Sleep>>, usize)>,
}

impl Ending {
    pub(super) fn poll<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.is_shut {
            ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
            self.is_shut = true;
        }
        if !self.client_ended {
            ready!(self.poll_linger(stream, cx));
        }
        Poll::Ready(Ok(()))
    }

    /// Reads remaining bytes until the client ends, or the time or the bytes are used up.
    fn poll_linger<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let (timer, left) =
            self.lingering.get_or_insert_with(|| (Box::pin(sleep(LINGER)), LINGER_BYTES));
        while *left > 0 && timer.as_mut().poll(cx).is_pending() {
            let mut space = [0; 8192];
            let mut buffer = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {
                    *left = left.saturating_sub(buffer.filled().len());
                }
                _ => break,
            }
        }
        Poll::Ready(())
    }
}
