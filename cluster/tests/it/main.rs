//! Nodes in one process, over real sockets on loopback.

mod asking;
mod bed;
mod forming;
mod growing;
mod leaving;
mod losing;
mod periods;
mod spending;
mod writing;
