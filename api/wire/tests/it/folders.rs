//! Each file of a folder is in that folder's list.

use std::collections::BTreeSet;
use std::path::Path;

fn files(folder: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder);
    let names =
        folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let stems = names.filter_map(|name| Some(name.strip_suffix(".rs")?.to_owned()));
    stems.filter(|stem| stem != "mod").collect()
}

#[test]
fn every_provider_file_is_listed() {
    let listed =
        wire::provider::ALL.iter().map(|provider| provider.name().replace('-', "_")).collect();
    assert_eq!(files("provider"), listed);
    for provider in wire::provider::ALL {
        assert_eq!(wire::provider::named(provider.name()).unwrap().name(), provider.name());
    }
}

#[test]
fn every_dialect_file_is_listed() {
    let listed = wire::dialect::ALL.iter().map(|dialect| dialect.name.to_owned()).collect();
    assert_eq!(files("dialect"), listed);
}
