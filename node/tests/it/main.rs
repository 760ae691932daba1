//! Real nodes, in this process or as processes of their own.

mod admin;
mod others;
mod plane;
mod proof;
mod replay;
