//! Each file of a folder is in that folder's list.

use std::collections::BTreeSet;
use std::path::Path;

fn files(folder: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder);
    let names =
        folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let stems = names.filter_map(|name| Some(name.strip_suffix(".rs")?.to_owned()));
    // What all files of a folder share is none of them.
    stems.filter(|stem| stem != "mod" && stem != "table").collect()
}

#[test]
fn every_provider_file_is_listed() {
    let listed =
        wire::provider::ALL.iter().map(|provider| provider.name.replace('-', "_")).collect();
    assert_eq!(files("provider"), listed);
    for provider in wire::provider::ALL {
        assert_eq!(wire::provider::named(provider.name).unwrap().name, provider.name);
    }
}

#[test]
fn the_readme_of_the_providers_holds_their_table() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/provider/README.md");
    let text = std::fs::read_to_string(&readme).unwrap_or_default();
    let head = text.split("<!-- table -->").next().unwrap_or_default();
    let expected = format!("{head}<!-- table -->\n\n{}", wire::provider::markdown());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&readme, expected).unwrap();
    } else {
        assert_eq!(text, expected, "run the test with UPDATE_GOLDEN=1");
    }
}

#[test]
fn every_dialect_file_is_listed() {
    let listed = wire::dialect::ALL.iter().map(|dialect| dialect.name.to_owned()).collect();
    assert_eq!(files("dialect"), listed);
}
