//! What somebody who answers for the repository, or holds some of its keys, can try.

use crate::sandbox::error::Result;
use crate::sandbox::serve::clock::Clock;
use crate::sandbox::tuf::metadata::{self, Listed};
use crate::sandbox::tuf::{Shelf, TIMESTAMP};

/// A single thing wrong with the repository (TUF spec 1.5.2, "Attacks and weaknesses").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TufAttack {
    /// An older timestamp, renewed: everything in it is right but its version.
    TimestampRollback,
    /// A new timestamp that names an older snapshot.
    SnapshotRollback,
    /// The newest timestamp there is has expired: updates are being withheld.
    Freeze,
    /// The root has expired.
    RootExpired,
    /// The snapshot has expired.
    SnapshotExpired,
    /// The targets have expired.
    TargetsExpired,
    /// The timestamp is signed in the name of the right key by another one.
    TimestampWrongKey,
    /// The snapshot is signed in the name of the right key by another one.
    SnapshotWrongKey,
    /// One of the two signatures on the targets is by another key.
    TargetsWrongKey,
    /// The targets have one signature where two are needed.
    ThresholdMissed,
    /// The targets have the same signature twice where two are needed.
    ThresholdByRepetition,
    /// A properly signed snapshot, but not the one that the timestamp names.
    MixAndMatch,
    /// The trusted root is not the one that the targets list.
    TargetReplaced,
    /// A timestamp that does not end soon enough.
    EndlessTimestamp,
    /// A trusted root that does not end soon enough.
    EndlessTarget,
    /// A new root that its predecessor's keys did not sign.
    RootWithoutOldKeys,
    /// A new root that its own keys did not sign.
    RootWithoutNewKeys,
    /// A new root that is not the next one.
    RootSkipsVersion,
}

impl TufAttack {
    /// Every one of them.
    pub const ALL: [Self; 18] = [
        Self::TimestampRollback,
        Self::SnapshotRollback,
        Self::Freeze,
        Self::RootExpired,
        Self::SnapshotExpired,
        Self::TargetsExpired,
        Self::TimestampWrongKey,
        Self::SnapshotWrongKey,
        Self::TargetsWrongKey,
        Self::ThresholdMissed,
        Self::ThresholdByRepetition,
        Self::MixAndMatch,
        Self::TargetReplaced,
        Self::EndlessTimestamp,
        Self::EndlessTarget,
        Self::RootWithoutOldKeys,
        Self::RootWithoutNewKeys,
        Self::RootSkipsVersion,
    ];
}

impl Shelf {
    pub(super) fn attack(&mut self, clock: &Clock, attack: TufAttack) -> Result<()> {
        match attack {
            TufAttack::TimestampRollback => self.renew_timestamp(clock, 1, 1),
            TufAttack::SnapshotRollback => {
                self.version += 1;
                self.renew_timestamp(clock, self.version, 1)
            }
            TufAttack::MixAndMatch => {
                self.publish(clock, None)?;
                let older = format!("{}.snapshot.json", self.version - 1);
                let newest = format!("{}.snapshot.json", self.version);
                let snapshot = self.published.get(&older).cloned().unwrap_or_default();
                self.published.insert(newest, snapshot);
                Ok(())
            }
            TufAttack::TargetReplaced => self.spoil_targets(clock, |content| {
                content
                    .iter()
                    .map(|byte| if *byte == b' ' { b'\n' } else { *byte })
                    .collect()
            }),
            TufAttack::EndlessTarget => self.spoil_targets(clock, |content| {
                let mut content = content.to_vec();
                content.resize(ENDLESS, b' ');
                content
            }),
            TufAttack::EndlessTimestamp => {
                self.published
                    .insert(TIMESTAMP.to_owned(), vec![b' '; ENDLESS]);
                Ok(())
            }
            TufAttack::RootExpired => {
                let then = metadata::long_ago(clock.now());
                let next = self.root_version + 1;
                let signers = self.keys.root_signers();
                let root = metadata::root(&self.keys, next, then, &signers)?;
                self.published.insert(format!("{next}.root.json"), root);
                Ok(())
            }
            TufAttack::RootWithoutOldKeys
            | TufAttack::RootWithoutNewKeys
            | TufAttack::RootSkipsVersion => self.rotate_root(clock, Some(attack)),
            _ => self.publish(clock, Some(attack)),
        }
    }

    /// A timestamp of any version that names a snapshot that was published once.
    fn renew_timestamp(&mut self, clock: &Clock, version: u64, snapshot: u64) -> Result<()> {
        let name = format!("{snapshot}.snapshot.json");
        let bytes = self.published.get(&name).cloned().unwrap_or_default();
        let listed = Listed::of(snapshot, &bytes);
        let timestamp = metadata::timestamp(&self.keys, version, listed, clock.now(), None)?;
        self.published.insert(TIMESTAMP.to_owned(), timestamp);
        Ok(())
    }

    /// New files, of which other bytes are served than are listed.
    fn spoil_targets(&mut self, clock: &Clock, spoil: impl Fn(&[u8]) -> Vec<u8>) -> Result<()> {
        // New, so that no client has them already.
        for content in self.files.values_mut() {
            content.extend(b" \n");
        }
        self.publish(clock, None)?;
        for (path, content) in &self.files {
            let path = format!("targets/{}.{path}", metadata::digest(content));
            self.published.insert(path, spoil(content));
        }
        Ok(())
    }
}

const ENDLESS: usize = 8 * 1024 * 1024;
