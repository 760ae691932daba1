//! Commands to frames and back. There is no serialized command enum: the kind in the header is it.

use super::v1::{self, RefillLineV1};
use super::{FormatError, Kind, encode, frame, open, split};
use crate::types::TooLarge;
use ledger::command::{
    AllocateNode, ClosePeriod, DeleteAlias, DeleteBudget, DeleteProvider, EnrolNode, InitCluster,
    OpenPeriod, PutAlias, PutBudget, PutKey, PutProvider, Refill, RefillLine, RetireNode,
    RevokeKey, RotateKey, WriteOff,
};
use ledger::{Command, KeyHash, NodeId, UnixMillis};

/// Largest record of the log, in bytes: larger values would leave the engine's segments for files of
/// their own, which are not flushed with the rest.
pub const RECORD_BYTES_MAX: usize = 64 * 1024;

/// What an entry needs around its command: two headers, its place and the proposer's clock.
const ENTRY_BYTES: usize = 128;

/// Name of a command, as the registry has it.
#[must_use]
pub fn command_name(command: &Command) -> &'static str {
    kind_of(command).name().unwrap_or("command")
}

/// Refuses a command that does not fit one record.
///
/// # Errors
/// Its size and the limit.
pub fn check_command(command: &Command) -> Result<(), TooLarge> {
    let max = RECORD_BYTES_MAX - ENTRY_BYTES;
    match encode_unchecked(command) {
        Ok(bytes) if bytes.len() <= max => Ok(()),
        Ok(bytes) => Err(TooLarge { bytes: bytes.len(), max }),
        Err(_) => Err(TooLarge { bytes: frame::FRAME_BYTES_MAX, max }),
    }
}

/// Writes a command as a frame.
///
/// # Errors
/// [`FormatError::TooLarge`] where it does not fit one record.
pub fn encode_command(command: &Command) -> Result<Vec<u8>, FormatError> {
    let bytes = encode_unchecked(command)?;
    let max = RECORD_BYTES_MAX - ENTRY_BYTES;
    if bytes.len() > max {
        return Err(FormatError::TooLarge { bytes: bytes.len(), max });
    }
    Ok(bytes)
}

fn kind_of(command: &Command) -> Kind {
    match command {
        Command::InitCluster(_) => Kind::INIT_CLUSTER,
        Command::AllocateNode(_) => Kind::ALLOCATE_NODE,
        Command::EnrolNode(_) => Kind::ENROL_NODE,
        Command::PutKey(_) => Kind::PUT_KEY,
        Command::RotateKey(_) => Kind::ROTATE_KEY,
        Command::RevokeKey(_) => Kind::REVOKE_KEY,
        Command::PutBudget(_) => Kind::PUT_BUDGET,
        Command::DeleteBudget(_) => Kind::DELETE_BUDGET,
        Command::PutProvider(_) => Kind::PUT_PROVIDER,
        Command::DeleteProvider(_) => Kind::DELETE_PROVIDER,
        Command::PutAlias(_) => Kind::PUT_ALIAS,
        Command::DeleteAlias(_) => Kind::DELETE_ALIAS,
        Command::Refill(_) => Kind::REFILL,
        Command::OpenPeriod(_) => Kind::OPEN_PERIOD,
        Command::ClosePeriod(_) => Kind::CLOSE_PERIOD,
        Command::RetireNode(_) => Kind::RETIRE_NODE,
        Command::WriteOff(_) => Kind::WRITE_OFF,
    }
}

fn encode_unchecked(command: &Command) -> Result<Vec<u8>, FormatError> {
    match command {
        Command::InitCluster(command) => encode(&v1::InitClusterV1::from(command)),
        Command::AllocateNode(command) => encode(&v1::AllocateNodeV1::from(command)),
        Command::EnrolNode(command) => encode(&v1::EnrolNodeV1::from(command)),
        Command::PutKey(command) => encode(&v1::PutKeyV1::from(command)),
        Command::RotateKey(command) => encode(&v1::RotateKeyV1::from(command)),
        Command::RevokeKey(command) => encode(&v1::RevokeKeyV1::from(command)),
        Command::PutBudget(command) => encode(&v1::PutBudgetV1::from(command)),
        Command::DeleteBudget(command) => encode(&v1::DeleteBudgetV1::from(command)),
        Command::PutProvider(command) => encode(&v1::PutProviderV1::from(command)),
        Command::DeleteProvider(command) => encode(&v1::DeleteProviderV1::from(command)),
        Command::PutAlias(command) => encode(&v1::PutAliasV1::from(command)),
        Command::DeleteAlias(command) => encode(&v1::DeleteAliasV1::from(command)),
        Command::Refill(command) => encode(&v1::RefillV1::from(command)),
        Command::OpenPeriod(command) => encode(&v1::OpenPeriodV1::from(command)),
        Command::ClosePeriod(command) => encode(&v1::ClosePeriodV1::from(command)),
        Command::RetireNode(command) => encode(&v1::RetireNodeV1::from(command)),
        Command::WriteOff(command) => encode(&v1::WriteOffV1::from(command)),
    }
}

/// Reads a command from its frame.
///
/// # Errors
/// [`FormatError::TooNew`] for a kind or schema this binary does not know; else what is wrong with it.
pub fn decode_command(bytes: &[u8]) -> Result<Command, FormatError> {
    let (frame, rest) = split(bytes)?;
    if !rest.is_empty() {
        return Err(FormatError::Trailing(rest.len()));
    }
    let frame = &frame;
    Ok(match frame.kind {
        Kind::INIT_CLUSTER => Command::InitCluster(open::<v1::InitClusterV1>(frame)?.into()),
        Kind::ALLOCATE_NODE => Command::AllocateNode(open::<v1::AllocateNodeV1>(frame)?.into()),
        Kind::ENROL_NODE => Command::EnrolNode(open::<v1::EnrolNodeV1>(frame)?.into()),
        Kind::PUT_KEY => Command::PutKey(open::<v1::PutKeyV1>(frame)?.into()),
        Kind::ROTATE_KEY => Command::RotateKey(open::<v1::RotateKeyV1>(frame)?.into()),
        Kind::REVOKE_KEY => Command::RevokeKey(open::<v1::RevokeKeyV1>(frame)?.into()),
        Kind::PUT_BUDGET => Command::PutBudget(open::<v1::PutBudgetV1>(frame)?.try_into()?),
        Kind::DELETE_BUDGET => Command::DeleteBudget(open::<v1::DeleteBudgetV1>(frame)?.into()),
        Kind::PUT_PROVIDER => Command::PutProvider(open::<v1::PutProviderV1>(frame)?.try_into()?),
        Kind::DELETE_PROVIDER => {
            Command::DeleteProvider(open::<v1::DeleteProviderV1>(frame)?.into())
        }
        Kind::PUT_ALIAS => Command::PutAlias(open::<v1::PutAliasV1>(frame)?.into()),
        Kind::DELETE_ALIAS => Command::DeleteAlias(open::<v1::DeleteAliasV1>(frame)?.into()),
        Kind::REFILL => Command::Refill(open::<v1::RefillV1>(frame)?.into()),
        Kind::OPEN_PERIOD => Command::OpenPeriod(open::<v1::OpenPeriodV1>(frame)?.into()),
        Kind::CLOSE_PERIOD => Command::ClosePeriod(open::<v1::ClosePeriodV1>(frame)?.into()),
        Kind::RETIRE_NODE => Command::RetireNode(open::<v1::RetireNodeV1>(frame)?.into()),
        Kind::WRITE_OFF => Command::WriteOff(open::<v1::WriteOffV1>(frame)?.into()),
        kind => {
            return Err(FormatError::TooNew { kind, schema: frame.schema });
        }
    })
}

/// Both directions of a command whose fields convert one by one.
macro_rules! mirror {
    ($wire:ident, $command:ident { $($field:ident: $out:expr, $back:expr;)* }) => {
        impl From<&$command> for v1::$wire {
            fn from(command: &$command) -> Self {
                v1::$wire { $($field: ($out)(&command.$field)),* }
            }
        }
        impl From<v1::$wire> for $command {
            fn from(wire: v1::$wire) -> Self {
                $command { $($field: ($back)(wire.$field)),* }
            }
        }
    };
}

mirror!(InitClusterV1, InitCluster {
    cluster_id: String::clone, |id| id;
    key_pepper: v1::SealedV1::from, Into::into;
});
mirror!(AllocateNodeV1, AllocateNode {
    uuid: String::clone, |uuid| uuid;
    label: String::clone, |label| label;
    id: |id: &Option<NodeId>| id.map(|id| id.0), |id: Option<u64>| id.map(NodeId);
});
mirror!(EnrolNodeV1, EnrolNode {
    id: |id: &NodeId| id.0, NodeId;
    incarnation: u64::clone, |incarnation| incarnation;
});
mirror!(PutKeyV1, PutKey {
    key: v1::VirtualKeyV1::from, Into::into;
    if_index: Option::clone, |index| index;
});
mirror!(RotateKeyV1, RotateKey {
    name: String::clone, |name| name;
    id: String::clone, |id| id;
    hash: |hash: &KeyHash| hash.0, KeyHash;
    managed_by: String::clone, |owner| owner;
    if_index: Option::clone, |index| index;
});
mirror!(RevokeKeyV1, RevokeKey {
    name: String::clone, |name| name;
    if_index: Option::clone, |index| index;
});
mirror!(DeleteBudgetV1, DeleteBudget {
    name: String::clone, |name| name;
    managed_by: String::clone, |owner| owner;
    if_index: Option::clone, |index| index;
});
mirror!(DeleteProviderV1, DeleteProvider {
    name: String::clone, |name| name;
    managed_by: String::clone, |owner| owner;
    if_index: Option::clone, |index| index;
});
mirror!(PutAliasV1, PutAlias {
    alias: v1::AliasV1::from, Into::into;
    if_index: Option::clone, |index| index;
});
mirror!(DeleteAliasV1, DeleteAlias {
    name: String::clone, |name| name;
    managed_by: String::clone, |owner| owner;
    if_index: Option::clone, |index| index;
});
mirror!(RefillV1, Refill {
    node: |id: &NodeId| id.0, NodeId;
    incarnation: u64::clone, |incarnation| incarnation;
    seq: u64::clone, |seq| seq;
    active_nodes: u32::clone, |nodes| nodes;
    lines: |lines: &Vec<RefillLine>| lines.iter().map(RefillLineV1::from).collect(),
        |lines: Vec<RefillLineV1>| lines.into_iter().map(RefillLine::from).collect();
});
mirror!(ClosePeriodV1, ClosePeriod {
    account: |id: &ledger::AccountId| (*id).into(), Into::into;
    period: u64::clone, |period| period;
});
mirror!(RetireNodeV1, RetireNode {
    node: |id: &NodeId| id.0, NodeId;
});
mirror!(WriteOffV1, WriteOff {
    account: |id: &ledger::AccountId| (*id).into(), Into::into;
    period: u64::clone, |period| period;
    node: |id: &NodeId| id.0, NodeId;
    incarnation: u64::clone, |incarnation| incarnation;
    amount: i64::clone, |amount| amount;
});

impl From<&OpenPeriod> for v1::OpenPeriodV1 {
    fn from(command: &OpenPeriod) -> Self {
        v1::OpenPeriodV1 {
            account: command.account.into(),
            period: command.period,
            starts_at_ms: command.starts_at.0,
            ends_at_ms: command.ends_at.map(|at| at.0),
        }
    }
}

impl From<v1::OpenPeriodV1> for OpenPeriod {
    fn from(wire: v1::OpenPeriodV1) -> Self {
        OpenPeriod {
            account: wire.account.into(),
            period: wire.period,
            starts_at: UnixMillis(wire.starts_at_ms),
            ends_at: wire.ends_at_ms.map(UnixMillis),
        }
    }
}

impl From<&PutBudget> for v1::PutBudgetV1 {
    fn from(command: &PutBudget) -> Self {
        v1::PutBudgetV1 { budget: (&command.budget).into(), if_index: command.if_index }
    }
}

impl TryFrom<v1::PutBudgetV1> for PutBudget {
    type Error = FormatError;

    fn try_from(wire: v1::PutBudgetV1) -> Result<Self, FormatError> {
        Ok(PutBudget { budget: wire.budget.try_into()?, if_index: wire.if_index })
    }
}

impl From<&PutProvider> for v1::PutProviderV1 {
    fn from(command: &PutProvider) -> Self {
        v1::PutProviderV1 { provider: (&command.provider).into(), if_index: command.if_index }
    }
}

impl TryFrom<v1::PutProviderV1> for PutProvider {
    type Error = FormatError;

    fn try_from(wire: v1::PutProviderV1) -> Result<Self, FormatError> {
        Ok(PutProvider { provider: wire.provider.try_into()?, if_index: wire.if_index })
    }
}

impl From<&RefillLine> for RefillLineV1 {
    fn from(line: &RefillLine) -> Self {
        RefillLineV1 {
            account: line.account.into(),
            period: line.period,
            settled_cum: line.settled_cum,
            returned_cum: line.returned_cum,
            debt_cum: line.debt_cum,
            want: line.want,
            must: line.must,
            path: line.path,
        }
    }
}

impl From<RefillLineV1> for RefillLine {
    fn from(wire: RefillLineV1) -> Self {
        RefillLine {
            account: wire.account.into(),
            period: wire.period,
            settled_cum: wire.settled_cum,
            returned_cum: wire.returned_cum,
            debt_cum: wire.debt_cum,
            want: wire.want,
            must: wire.must,
            path: wire.path,
        }
    }
}
