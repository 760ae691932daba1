//! The newest format that every member can read: pure.

/// Oldest cluster version this program can work under.
pub const VERSION_MIN: u32 = 1;
/// Newest cluster version this program can work under.
pub const VERSION_MAX: u32 = 1;

/// The cluster versions a program can work under, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Formats {
    /// The oldest.
    pub min: u32,
    /// The newest.
    pub max: u32,
}

impl Formats {
    /// Those of this program.
    pub const OURS: Formats = Formats { min: VERSION_MIN, max: VERSION_MAX };

    /// Whether a program can work under `version`.
    pub fn read(self, version: u32) -> bool {
        (self.min..=self.max).contains(&version)
    }
}

/// The newest version all of them can work under; `None` where there is no such version.
pub fn newest_common(members: impl IntoIterator<Item = Formats>) -> Option<u32> {
    let both = members
        .into_iter()
        .reduce(|all, one| Formats { min: all.min.max(one.min), max: all.max.min(one.max) })?;
    (both.min <= both.max).then_some(both.max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn newest(members: &[(u32, u32)]) -> Option<u32> {
        newest_common(members.iter().map(|&(min, max)| Formats { min, max }))
    }

    #[test]
    fn the_newest_common_version_is_the_oldest_of_the_newest() {
        assert_eq!(newest(&[(1, 3), (2, 4), (1, 3)]), Some(3));
        assert_eq!(newest(&[(1, 1)]), Some(1));
    }

    #[test]
    fn programs_without_a_common_version_have_none() {
        assert_eq!(newest(&[(1, 1), (2, 3)]), None);
        assert_eq!(newest(&[]), None);
    }

    #[test]
    fn a_program_reads_what_lies_between_its_ends() {
        let formats = Formats { min: 2, max: 3 };
        assert_eq!([1, 2, 3, 4].map(|version| formats.read(version)), [false, true, true, false]);
    }
}
