//! Where the processes run: each in a network and on a disk of its own, or all on loopback.
//!
//! The first needs root. A program that wants it runs itself again inside namespaces: of networks, so
//! that nobody outside is reached or reaches in; of mounts and of processes, so that the kernel cleans
//! up behind a run however it ends.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result};

/// Set inside the namespaces.
const INSIDE: &str = "JEPSEN_INSIDE";
/// What puts a command into namespaces that die with it.
const UNSHARE: [&str; 7] =
    ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
/// Everything the nemeses need, tried before anything is promised.
const REHEARSAL: &str = "set -e
mkdir -p /run/netns; mount -t tmpfs none /run/netns
ip link add br-try type bridge; ip netns add try
ip link add veth-try type veth peer name eth0 netns try; ip link set veth-try master br-try up
ip netns exec try iptables -A INPUT -p udp -m statistic --mode random --probability 0.5 -j DROP
mount -t tmpfs none /mnt; truncate -s 16M /mnt/image; mkfs.ext4 -q -F /mnt/image
mkdir /mnt/disk; mount -o loop /mnt/image /mnt/disk; python3 -c 'import fcntl'";

/// Where processes run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Each has a network namespace, joined by a bridge, and an ext4 of its own.
    Namespaces,
    /// All share loopback and the directory for temporary files.
    Loopback,
}

impl Ground {
    /// Where this process is.
    pub fn here() -> Ground {
        match std::env::var_os(INSIDE) {
            Some(_) => Ground::Namespaces,
            None => Ground::Loopback,
        }
    }

    /// Why there can be no namespaces on this machine.
    ///
    /// # Errors
    ///
    /// The reason.
    pub fn namespaces_can_be_made() -> Result<(), String> {
        let mut rehearsal = unshared(Path::new("sh"));
        rehearsal.args(["-c", REHEARSAL]).stdin(Stdio::null());
        let output = rehearsal.output().map_err(|error| format!("unshare: {error}"))?;
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        }
    }

    /// Runs this program again, with the same arguments, inside namespaces.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub fn again_inside() -> Result<ExitStatus> {
        let this = std::env::current_exe()?;
        let mut again = unshared(&this);
        again.args(std::env::args_os().skip(1)).env(INSIDE, "1");
        again.status().context("cannot run inside namespaces")
    }

    /// The address of the harness and its provider.
    pub fn own_address(self) -> Ipv4Addr {
        self.address(1)
    }

    /// The address of a node.
    ///
    /// # Panics
    ///
    /// There are no 200 nodes.
    pub(super) fn node_address(self, node: usize) -> Ipv4Addr {
        let node = u8::try_from(node).ok().filter(|node| *node < 200);
        self.address(10 + node.expect("a run has few nodes"))
    }

    fn address(self, last: u8) -> Ipv4Addr {
        match self {
            Ground::Namespaces => Ipv4Addr::new(10, 77, 0, last),
            // All of 127/8 is loopback: each run has a piece of it, and ports need not be sought.
            Ground::Loopback => {
                let [_, _, high, low] = std::process::id().to_be_bytes();
                Ipv4Addr::new(127, 64 | high & 63, low, last)
            }
        }
    }

    /// Where a node is reached.
    pub(super) fn doors(self, node: usize) -> super::Doors {
        let at = |port| SocketAddr::from((self.node_address(node), port));
        super::Doors { data: at(8080), admin: at(8081) }
    }
}

fn unshared(program: &Path) -> Command {
    let mut command = Command::new(UNSHARE[0]);
    command.args(&UNSHARE[1..]).arg("--").arg(program);
    command
}
