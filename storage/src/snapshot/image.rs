//! What is in a snapshot file: a head, the ledger in sections of rows, an end that counts them.

mod frames;

use super::SnapshotFile;
use crate::format::v1::{
    Mirror, Section, SnapshotAccountsV1, SnapshotAliasesV1, SnapshotAuditV1, SnapshotBudgetsV1,
    SnapshotEndV1, SnapshotInstancesV1, SnapshotKeyHashesV1, SnapshotKeyNamesV1, SnapshotKeysV1,
    SnapshotLedgerV1, SnapshotMetaV1, SnapshotNodesV1, SnapshotOutboxV1, SnapshotProfilesV1,
    SnapshotProvidersV1, SnapshotScopesV1, SnapshotSelectorsV1, SnapshotUsageV1,
    SnapshotWebhooksV1, pair,
};
use crate::format::{self, FormatError, Frame, Kind};
use crate::types::SnapshotMeta;
use frames::{Reader, Writer};
use ledger::{
    Alias, Budget, Event, Ledger, NodeRecord, Profile, Provider, Scope, Selector, VirtualKey,
    Webhook,
};
use std::io::{self, Write};

/// Rows of one frame. A row stems from one record of the log or a few, so a frame stays far below its
/// limit.
const ROWS_PER_FRAME: usize = 256;
/// The same of accounts: one grows by a lane with each life of a node that ended with money out, so
/// each has room for tens of thousands.
const ACCOUNTS_PER_FRAME: usize = 16;

/// A ledger at one place of the log.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) meta: SnapshotMeta,
    pub(crate) ledger: Ledger,
}

impl Image {
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        // Named one by one: a field that is added must be written, or nodes restored here differ.
        let Ledger {
            applied_index,
            config_index,
            cluster_id,
            key_pepper,
            cluster_version,
            nodes,
            keys,
            keys_by_hash,
            keys_by_name,
            budgets,
            accounts,
            providers,
            aliases,
            scopes,
            selectors,
            // Made from the selectors as they are read.
            selectors_by_label: _,
            usage_of_keys: _,
            instances_of: _,
            profiles,
            instances,
            webhooks,
            outbox,
            events_ever,
            events_dropped,
            audit,
            usage,
        } = &self.ledger;
        let mut out = Writer::new(out);
        out.frame(&SnapshotMetaV1 {
            last_log_id: self.meta.last_log_id.as_ref().map(Into::into),
            membership: (&self.meta.last_membership).into(),
            cluster_version: *cluster_version,
        })?;
        out.frame(&SnapshotLedgerV1 {
            applied_index: *applied_index,
            config_index: *config_index,
            cluster_id: cluster_id.clone(),
            key_pepper: key_pepper.out(),
            cluster_version: *cluster_version,
            events_ever: *events_ever,
            events_dropped: *events_dropped,
        })?;
        out.rows::<SnapshotNodesV1>(nodes.values().map(Mirror::out))?;
        out.rows::<SnapshotKeysV1>(keys.values().map(Mirror::out))?;
        out.rows::<SnapshotKeyHashesV1>(keys_by_hash.iter().map(pair))?;
        out.rows::<SnapshotKeyNamesV1>(keys_by_name.iter().map(pair))?;
        out.rows::<SnapshotBudgetsV1>(budgets.values().map(Mirror::out))?;
        out.rows_by::<SnapshotAccountsV1>(ACCOUNTS_PER_FRAME, accounts.iter().map(pair))?;
        out.rows::<SnapshotProvidersV1>(providers.values().map(Mirror::out))?;
        out.rows::<SnapshotAliasesV1>(aliases.values().map(Mirror::out))?;
        out.rows::<SnapshotScopesV1>(scopes.values().map(Mirror::out))?;
        out.rows::<SnapshotSelectorsV1>(selectors.values().map(Mirror::out))?;
        out.rows::<SnapshotProfilesV1>(profiles.values().map(Mirror::out))?;
        out.rows::<SnapshotInstancesV1>(instances.iter().map(pair))?;
        out.rows::<SnapshotWebhooksV1>(webhooks.values().map(Mirror::out))?;
        out.rows::<SnapshotOutboxV1>(outbox.values().map(Mirror::out))?;
        out.rows::<SnapshotAuditV1>(audit.iter().map(pair))?;
        out.rows::<SnapshotUsageV1>(usage.iter().map(pair))?;
        let (frames, rows) = (out.frames, out.rows);
        out.frame(&SnapshotEndV1 { frames, rows })
    }

    /// Reads a file whole and checks every frame of it.
    pub(crate) fn read(file: &SnapshotFile) -> io::Result<Image> {
        let mut reader = Reader::new(file);
        let meta: SnapshotMetaV1 = reader.body()?;
        let head: SnapshotLedgerV1 = reader.body()?;
        let mut ledger = Ledger {
            applied_index: head.applied_index,
            config_index: head.config_index,
            cluster_id: head.cluster_id,
            key_pepper: Mirror::back(head.key_pepper)?,
            cluster_version: head.cluster_version,
            events_ever: head.events_ever,
            events_dropped: head.events_dropped,
            ..Ledger::default()
        };
        let mut rows = 0;
        loop {
            let frames = reader.frames;
            let bytes = reader.next()?;
            let (frame, _) = format::split(&bytes)?;
            if frame.kind == Kind::SNAPSHOT_END {
                let end: SnapshotEndV1 = format::open(&frame)?;
                reader.finish(&end, SnapshotEndV1 { frames, rows })?;
                break;
            }
            rows += take_rows(&mut ledger, &frame)? as u64;
        }
        let meta = SnapshotMeta {
            last_log_id: meta.last_log_id.map(Into::into),
            last_membership: meta.membership.try_into()?,
        };
        Ok(Image { meta, ledger })
    }
}

/// Puts the rows of one frame into the ledger and returns how many they were.
fn take_rows(ledger: &mut Ledger, frame: &Frame<'_>) -> Result<usize, FormatError> {
    match frame.kind {
        Kind::SNAPSHOT_NODES => each::<SnapshotNodesV1, NodeRecord>(frame, |node| {
            ledger.nodes.insert_mut(node.id, node);
        }),
        Kind::SNAPSHOT_KEYS => each::<SnapshotKeysV1, VirtualKey>(frame, |key| {
            ledger.keys.insert_mut(key.id.clone(), key);
        }),
        Kind::SNAPSHOT_KEY_HASHES => each::<SnapshotKeyHashesV1, (_, _)>(frame, |(hash, id)| {
            ledger.keys_by_hash.insert_mut(hash, id);
        }),
        Kind::SNAPSHOT_KEY_NAMES => each::<SnapshotKeyNamesV1, (_, _)>(frame, |(name, id)| {
            ledger.keys_by_name.insert_mut(name, id);
        }),
        Kind::SNAPSHOT_BUDGETS => each::<SnapshotBudgetsV1, Budget>(frame, |budget| {
            ledger.budgets.insert_mut(budget.name.clone(), budget);
        }),
        Kind::SNAPSHOT_ACCOUNTS => each::<SnapshotAccountsV1, (_, _)>(frame, |(id, account)| {
            ledger.put_account(id, account);
        }),
        Kind::SNAPSHOT_PROVIDERS => each::<SnapshotProvidersV1, Provider>(frame, |provider| {
            ledger.providers.insert_mut(provider.name.clone(), provider);
        }),
        Kind::SNAPSHOT_ALIASES => each::<SnapshotAliasesV1, Alias>(frame, |alias| {
            ledger.aliases.insert_mut(alias.name.clone(), alias);
        }),
        Kind::SNAPSHOT_SCOPES => each::<SnapshotScopesV1, Scope>(frame, |scope| {
            ledger.scopes.insert_mut(scope.id.clone(), scope);
        }),
        Kind::SNAPSHOT_SELECTORS => each::<SnapshotSelectorsV1, Selector>(frame, |selector| {
            ledger.file_selector(selector);
        }),
        Kind::SNAPSHOT_PROFILES => each::<SnapshotProfilesV1, Profile>(frame, |profile| {
            ledger.profiles.insert_mut(profile.name.clone(), profile);
        }),
        Kind::SNAPSHOT_INSTANCES => {
            each::<SnapshotInstancesV1, (_, _)>(frame, |(whose, instance)| {
                ledger.instances.insert_mut(whose, instance);
            })
        }
        Kind::SNAPSHOT_WEBHOOKS => each::<SnapshotWebhooksV1, Webhook>(frame, |webhook| {
            ledger.webhooks.insert_mut(webhook.name.clone(), webhook);
        }),
        Kind::SNAPSHOT_OUTBOX => each::<SnapshotOutboxV1, Event>(frame, |event| {
            ledger.outbox.insert_mut(event.id, event);
        }),
        Kind::SNAPSHOT_AUDIT => each::<SnapshotAuditV1, (_, _)>(frame, |(index, audit)| {
            ledger.audit.insert_mut(index, audit);
        }),
        Kind::SNAPSHOT_USAGE => each::<SnapshotUsageV1, (_, _)>(frame, |(key, sums)| {
            ledger.add_usage(key, &sums);
        }),
        kind => Err(FormatError::TooNew { kind, schema: frame.schema }),
    }
}

fn each<S: Section, T: Mirror<S::Row>>(
    frame: &Frame<'_>,
    mut put: impl FnMut(T),
) -> Result<usize, FormatError> {
    let rows = format::open::<S>(frame)?.rows();
    let count = rows.len();
    for row in rows {
        put(T::back(row)?);
    }
    Ok(count)
}
