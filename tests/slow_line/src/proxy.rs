//! The proxy itself: accepts on loopback, and carries each connection to the upstream address.
//!
//! Invariant: dropping the proxy ends the listener and all connections.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::Shape;
use crate::carriage::Direction;

/// Bytes of each kernel buffer (the kernel doubles it): little, so that a sender notices soon that nothing moves.
const KERNEL_BUFFER: u32 = 16 * 1024;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 128;

/// A proxy on loopback that behaves like a slow line.
#[derive(Debug)]
pub struct SlowLine {
    address: SocketAddr,
    there: Arc<Direction>,
    back: Arc<Direction>,
    task: AbortHandle,
}

impl SlowLine {
    /// Starts a line to `upstream` on the present tokio runtime.
    ///
    /// # Errors
    ///
    /// The operating system gives no port.
    pub fn start(upstream: SocketAddr, shape: Shape) -> io::Result<Self> {
        let socket = small_socket()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        let (there, back) = (Direction::new(shape), Direction::new(shape));
        let task = tokio::spawn(serve(listener, upstream, Arc::clone(&there), Arc::clone(&back)));
        Ok(Self { address, there, back, task: task.abort_handle() })
    }

    /// Where the line begins, as a URL.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Bytes that were carried to the upstream address.
    #[must_use]
    pub fn bytes_sent(&self) -> u64 {
        self.there.carried()
    }

    /// Bytes that were carried back.
    #[must_use]
    pub fn bytes_received(&self) -> u64 {
        self.back.carried()
    }
}

impl Drop for SlowLine {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A socket whose connections have small buffers.
fn small_socket() -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_send_buffer_size(KERNEL_BUFFER)?;
    socket.set_recv_buffer_size(KERNEL_BUFFER)?;
    Ok(socket)
}

async fn serve(listener: TcpListener, upstream: SocketAddr, there: Arc<Direction>, back: Arc<Direction>) {
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        let (there, back) = (Arc::clone(&there), Arc::clone(&back));
        connections.spawn(async move {
            if let Ok(far) = connect(&near, upstream).await {
                let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
                tokio::join!(there.carry(from_near, to_far), back.carry(from_far, to_near));
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

/// The connection to the upstream address. Answers are small and awaited, so neither side gathers bytes.
async fn connect(near: &TcpStream, upstream: SocketAddr) -> io::Result<TcpStream> {
    near.set_nodelay(true)?;
    let far = small_socket()?.connect(upstream).await?;
    far.set_nodelay(true)?;
    Ok(far)
}
