//! Commands to frames and back. There is no serialized command enum: the kind in the header is it.

use super::v1::{self, Mirror};
use super::{Body, FormatError, Frame, Kind, encode, frame, open, split};
use crate::types::TooLarge;
use ledger::Command;

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

/// Each command and its body: the kind in a frame's header says which it is.
macro_rules! registry {
    ($($variant:ident => $wire:ident;)*) => {
        fn kind_of(command: &Command) -> Kind {
            match command {
                $(Command::$variant(_) => <v1::$wire as Body>::KIND,)*
            }
        }

        fn encode_unchecked(command: &Command) -> Result<Vec<u8>, FormatError> {
            match command {
                $(Command::$variant(command) => encode::<v1::$wire>(&command.out()),)*
            }
        }

        fn open_command(frame: &Frame<'_>) -> Result<Command, FormatError> {
            match frame.kind {
                $(<v1::$wire as Body>::KIND => {
                    Ok(Command::$variant(Mirror::back(open::<v1::$wire>(frame)?)?))
                })*
                kind => Err(FormatError::TooNew { kind, schema: frame.schema }),
            }
        }
    };
}

registry! {
    InitCluster => InitClusterV1;
    AllocateNode => AllocateNodeV1;
    EnrolNode => EnrolNodeV1;
    PutKey => PutKeyV1;
    RotateKey => RotateKeyV1;
    RevokeKey => RevokeKeyV1;
    PutBudget => PutBudgetV1;
    DeleteBudget => DeleteBudgetV1;
    PutProvider => PutProviderV1;
    DeleteProvider => DeleteProviderV1;
    PutAlias => PutAliasV1;
    DeleteAlias => DeleteAliasV1;
    Refill => RefillV1;
    OpenPeriod => OpenPeriodV1;
    ClosePeriod => ClosePeriodV1;
    RetireNode => RetireNodeV1;
    WriteOff => WriteOffV1;
    PutScope => PutScopeV1;
    DeleteScope => DeleteScopeV1;
    PutSelector => PutSelectorV1;
    DeleteSelector => DeleteSelectorV1;
    PutProfile => PutProfileV1;
    DeleteProfile => DeleteProfileV1;
    PutWebhook => PutWebhookV1;
    DeleteWebhook => DeleteWebhookV1;
    AckEvents => AckEventsV1;
    OpenInstance => OpenInstanceV1;
    CloseInstance => CloseInstanceV1;
    Adopt => AdoptV1;
    IncreaseBudget => IncreaseBudgetV1;
    ExpireIncrease => ExpireIncreaseV1;
    ResetBudget => ResetBudgetV1;
    TransferBudget => TransferBudgetV1;
    PruneUsage => PruneUsageV1;
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
    open_command(&frame)
}
