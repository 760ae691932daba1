//! Configuration files through the program: what it says, and its exit code.

use std::process::{Command, Output};

fn bursar(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bursar")).args(arguments).env_clear().output().unwrap()
}

fn validate(text: &str) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bursar.yaml");
    std::fs::write(&path, text).unwrap();
    let output = bursar(&["config", "validate", path.to_str().unwrap()]);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    (output.status.code(), said.replace(dir.path().to_str().unwrap(), ""))
}

#[test]
fn a_good_file_is_ok() {
    assert_eq!(validate("label: a\n"), (Some(0), "/bursar.yaml: ok\n".to_owned()));
}

#[test]
fn a_mistake_is_told_with_its_line() {
    let (code, said) = validate("label: a\ndrain:\n  dealy: 5s\n");
    assert_eq!(code, Some(1));
    assert_eq!(said, "error: /bursar.yaml:3: dealy: unknown field, did you mean delay?\n");
}

#[test]
fn an_open_admin_listener_without_a_token_is_refused() {
    let output = bursar(&["serve", "--admin-listen", "0.0.0.0:0"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        said,
        "error: admin.token: must be set, because admin.listen is 0.0.0.0:0, which others can reach\n"
    );
}

#[test]
fn the_committed_files_are_what_the_program_prints() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let schema = std::fs::read(format!("{root}/node/config.schema.json")).unwrap();
    assert!(bursar(&["config", "schema"]).stdout == schema);
    let openapi = std::fs::read(format!("{root}/api/openapi/admin-v1.json")).unwrap();
    assert!(bursar(&["openapi"]).stdout == openapi);
}
