//! The front doors of all dialects: what is metered must be what is served.

use wire::dialect::{
    Dialect, anthropic_messages, bedrock_converse, bedrock_invoke, cohere_chat, gemini,
    ollama_chat, openai_chat, openai_responses,
};
use wire::{Asked, Call, Operation, Refusal};

fn read(dialect: &Dialect, model: Option<&str>, body: &str) -> Result<Call, Refusal> {
    let asked = Asked { model, ..Asked::of(Operation::ChatCompletions) };
    (dialect.read)(&asked, body.as_bytes())
}

/// For each dialect: the model its path names, if any, and members that no body may have together.
fn twice() -> Vec<(&'static Dialect, Option<&'static str>, &'static str)> {
    let claude = Some("anthropic.claude-3-haiku");
    vec![
        (&openai_chat::DIALECT, None, r#""model":"a","model":"b","messages":[]"#),
        (&openai_chat::DIALECT, None, r#""model":"a","messages":[],"n":1,"n":9"#),
        (
            &openai_responses::DIALECT,
            None,
            r#""model":"a","input":"","stream":true,"stream":false"#,
        ),
        (
            &anthropic_messages::DIALECT,
            None,
            r#""model":"a","messages":[],"max_tokens":1,"max_tokens":9"#,
        ),
        (&anthropic_messages::DIALECT, None, r#""model":"a","messages":[],"Max_Tokens":9"#),
        (&cohere_chat::DIALECT, None, r#""model":"a","messages":[],"MODEL":"b""#),
        (&ollama_chat::DIALECT, None, r#""model":"a","messages":[],"Options":{"num_predict":9}"#),
        (
            &gemini::DIALECT,
            Some("m"),
            r#""contents":[],"generationConfig":{},"generation_config":{}"#,
        ),
        (
            &gemini::DIALECT,
            Some("m"),
            r#""contents":[],"generationConfig":{"candidateCount":8,"candidate_count":1}"#,
        ),
        (
            &bedrock_converse::DIALECT,
            Some("m"),
            r#""messages":[],"inferenceConfig":{},"inferenceConfig":{}"#,
        ),
        (
            &bedrock_invoke::DIALECT,
            claude,
            r#""prompt":"","max_tokens_to_sample":1,"max_tokens_to_sample":9"#,
        ),
        (
            &bedrock_invoke::DIALECT,
            Some("amazon.nova-lite"),
            r#""messages":[],"inferenceConfig":{},"inferenceConfig":{}"#,
        ),
        (
            &bedrock_invoke::DIALECT,
            Some("cohere.command-r"),
            r#""message":"","num_generations":5,"num_generations":1"#,
        ),
    ]
}

#[test]
fn no_field_that_is_metered_may_be_given_twice_or_in_another_case() {
    for (dialect, model, members) in twice() {
        let refusal = read(dialect, model, &format!("{{{members}}}")).unwrap_err();
        let expected = ["duplicate_field", "unknown_field"];
        assert!(expected.contains(&refusal.code), "{} {members}: {refusal:?}", dialect.name);
        assert_eq!(refusal.status, 400);
    }
}

#[test]
fn what_is_no_object_or_no_text_is_refused_at_every_door() {
    for (dialect, model, _) in twice() {
        for body in ["[]", "null", "", "{", "{} {}"] {
            let refusal = read(dialect, model, body).unwrap_err();
            assert_eq!(refusal.status, 400, "{} {body}", dialect.name);
        }
        let asked = Asked { model, ..Asked::of(Operation::ChatCompletions) };
        let refusal = (dialect.read)(&asked, b"{\"a\":\"\xff\"}").unwrap_err();
        assert!(refusal.say.contains("not UTF-8 at byte 6"), "{}: {}", dialect.name, refusal.say);
    }
}
