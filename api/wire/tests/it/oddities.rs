//! Habits of real providers that break naive gateways, one record each: what is passed on is what the
//! record says, and what is counted is what it means.

use wire::dialect::openai_chat::{Trailer, reply};
use wire::{Refusal, Usage};

use crate::streams::{options, relay};
use crate::traffic;

/// How an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// A plain answer without fault.
    Reply,
    /// A stream closed by `[DONE]`.
    Done,
    /// A whole stream without it.
    Whole,
    /// A stream that reports a failure.
    Failed,
}

/// Input, cached input, output and reasoning tokens.
type Counts = [u64; 4];

fn counts(usage: Usage) -> Counts {
    let Usage { input_tokens, cache_read_tokens, output_tokens, reasoning_tokens, .. } = usage;
    [input_tokens, cache_read_tokens, output_tokens, reasoning_tokens]
}

fn check(cases: &[(&str, Option<Counts>, End)]) {
    for &(id, expected, end) in cases {
        let record = traffic::record(id);
        let body = record.body();
        let (usage, ended) = if record.is_stream() {
            let (out, stream) = relay(&body, (0..body.len()).step_by(7), options(false));
            assert!(out == body, "{id}");
            let cut = Refusal::provider(502, "stream_cut", "cut");
            let ended = match (stream.trailer(&cut), stream.error) {
                (Trailer::None, None) => End::Done,
                (Trailer::None, Some(_)) => End::Failed,
                (Trailer::Done(_), _) => End::Whole,
                (Trailer::Cut(_), _) => panic!("{id} was taken for cut"),
            };
            (stream.usage, ended)
        } else {
            let reply = reply(record.operation().unwrap(), &body);
            assert_eq!(reply.fault, None, "{id}");
            (reply.usage, End::Reply)
        };
        assert_eq!((usage.map(counts), ended), (expected, end), "{id}");
    }
}

#[test]
fn doubleword_chat_stream_b3215456ec_blank_lines_before_the_first_event() {
    check(&[("doubleword-chat_stream-b3215456ec", Some([357, 0, 77, 36]), End::Done)]);
}

#[test]
fn cerebras_chat_stream_e77cd1fa8a_no_done_gets_one() {
    check(&[
        ("cerebras-chat_stream-e77cd1fa8a", Some([145, 0, 98, 0]), End::Whole),
        ("gpustack-chat_stream-d251f8df42", Some([21, 20, 193, 182]), End::Whole),
    ]);
}

#[test]
fn groq_chat_stream_50c92e1406_error_event_under_200_is_a_failure() {
    check(&[
        ("groq-chat_stream-50c92e1406", None, End::Failed),
        ("groq-chat_stream-1529279dc2", None, End::Failed),
    ]);
}

#[test]
fn openrouter_chat_stream_f210722e40_error_as_the_only_event_is_a_failure() {
    check(&[("openrouter-chat_stream-f210722e40", None, End::Failed)]);
}

#[test]
fn openrouter_chat_stream_cbacdea9ec_error_inside_a_chunk_is_a_failure() {
    check(&[("openrouter-chat_stream-cbacdea9ec", Some([43, 0, 10, 10]), End::Failed)]);
}

#[test]
fn openai_chat_stream_53400b7c8a_events_cut_between_reads() {
    check(&[
        ("openai-chat_stream-53400b7c8a", Some([28, 0, 8, 0]), End::Done),
        ("zai-chat_stream-e068fdd834", Some([35, 7, 168, 0]), End::Done),
        ("openrouter-chat_stream-f2e3528964", Some([23, 0, 20, 0]), End::Done),
    ]);
}

#[test]
fn perplexity_chat_stream_f25056d747_multibyte_text() {
    check(&[
        ("perplexity-chat_stream-f25056d747", Some([7, 0, 1, 0]), End::Whole),
        ("zai-chat_stream-e203a5f537", Some([15, 14, 734, 708]), End::Done),
    ]);
}

#[test]
fn openai_completions_stream_dc47cb3c3d_stream_under_application_json() {
    check(&[("openai-completions_stream-dc47cb3c3d", None, End::Done)]);
}

#[test]
fn azure_chat_stream_b0a986c80f_usage_in_its_own_last_chunk() {
    check(&[
        ("azure-chat_stream-b0a986c80f", Some([12, 0, 24, 0]), End::Done),
        ("alibaba-chat_stream-31872e6e1d", Some([24, 0, 1355, 1084]), End::Done),
    ]);
}

#[test]
fn azure_chat_stream_16ebfdc216_usage_only_when_asked_for() {
    check(&[
        ("azure-chat_stream-16ebfdc216", None, End::Done),
        ("groq-chat_stream-5eaebcee26", Some([12, 0, 26, 0]), End::Done),
    ]);
}

#[test]
fn azure_chat_stream_b0a986c80f_first_chunk_without_choices() {
    check(&[
        ("azure-chat_stream-b0a986c80f", Some([12, 0, 24, 0]), End::Done),
        ("github_copilot-chat_stream-586301f15c", Some([35, 0, 82, 0]), End::Done),
    ]);
}

#[test]
fn azure_chat_stream_16ebfdc216_choice_without_delta() {
    check(&[("azure-chat_stream-16ebfdc216", None, End::Done)]);
}

#[test]
fn openai_chat_stream_b120f91a72_chunks_after_usage() {
    check(&[
        ("openai-chat_stream-b120f91a72", Some([13, 0, 11, 0]), End::Done),
        ("openai-chat_stream-e80399c409", Some([18, 0, 24, 0]), End::Done),
    ]);
}

#[test]
fn openrouter_chat_stream_31416af490_finish_reason_sent_twice() {
    check(&[
        ("openrouter-chat_stream-31416af490", Some([157, 0, 45, 0]), End::Done),
        ("zai-chat_stream-5f3fdee256", Some([226, 52, 122, 0]), End::Done),
    ]);
}

#[test]
fn mistral_chat_stream_6890922b4d_text_in_the_finishing_chunk() {
    check(&[
        ("mistral-chat_stream-6890922b4d", Some([213, 0, 16, 0]), End::Done),
        ("huggingface-chat_stream-f19a780980", None, End::Whole),
        ("xai-chat_stream-b96ae7ba5a", Some([132, 0, 53, 0]), End::Done),
    ]);
}

#[test]
fn snowflake_chat_stream_5e6fb1277e_no_finish_reason_at_all() {
    check(&[
        ("snowflake-chat_stream-5e6fb1277e", Some([45, 0, 73, 0]), End::Done),
        ("openai-chat_stream-e80399c409", Some([18, 0, 24, 0]), End::Done),
    ]);
}

#[test]
fn mistral_chat_stream_01c403dd4b_choices_interleaved() {
    check(&[
        ("mistral-chat_stream-01c403dd4b", Some([20, 0, 8, 0]), End::Done),
        ("openai-chat_stream-3b70c4e1b9", Some([12, 0, 4, 0]), End::Done),
    ]);
}

#[test]
fn perplexity_chat_stream_f25056d747_cumulative_usage_is_never_summed() {
    check(&[("perplexity-chat_stream-f25056d747", Some([7, 0, 1, 0]), End::Whole)]);
}

#[test]
fn groq_chat_stream_074392a407_usage_twice_is_counted_once() {
    check(&[("groq-chat_stream-074392a407", Some([1795, 1792, 16, 14]), End::Done)]);
}

#[test]
fn perplexity_chat_stream_e3d519f5c7_message_beside_delta() {
    check(&[("perplexity-chat_stream-e3d519f5c7", Some([12, 0, 43, 0]), End::Whole)]);
}

#[test]
fn openai_chat_stream_d763eebc85_padding_fields() {
    check(&[
        ("openai-chat_stream-d763eebc85", Some([84, 0, 2, 0]), End::Done),
        ("mistral-chat_stream-01c403dd4b", Some([20, 0, 8, 0]), End::Done),
    ]);
}

#[test]
fn avian_chat_stream_7f8ebdde55_id_changing_within_a_stream() {
    check(&[
        ("avian-chat_stream-7f8ebdde55", Some([154, 128, 131, 87]), End::Done),
        ("perplexity-chat_stream-f25056d747", Some([7, 0, 1, 0]), End::Whole),
    ]);
}

#[test]
fn openai_chat_07ed9f6328_content_null_empty_or_absent_beside_tool_calls() {
    check(&[
        ("openai-chat-07ed9f6328", Some([65, 0, 19, 0]), End::Reply),
        ("azure-chat-3b5e4d298a", Some([211, 211, 27, 0]), End::Reply),
        ("cerebras-chat-e131a99213", Some([364, 0, 33, 0]), End::Reply),
        ("deepseek-chat-1199ea3c7e", Some([381, 0, 56, 0]), End::Reply),
    ]);
}

#[test]
fn mistral_chat_b13666a00e_tool_calls_null_or_empty() {
    check(&[
        ("mistral-chat-b13666a00e", Some([32, 0, 29, 0]), End::Reply),
        ("venice-chat-b1f0611770", Some([1602, 0, 2, 0]), End::Reply),
    ]);
}

#[test]
fn openai_chat_07ed9f6328_stop_with_tool_calls() {
    check(&[
        ("openai-chat-07ed9f6328", Some([65, 0, 19, 0]), End::Reply),
        ("openrouter-chat-2c7ec3432f", Some([41, 0, 100, 88]), End::Reply),
    ]);
}

#[test]
fn gemini_chat_153859f25e_calls_without_id_type_or_index() {
    check(&[
        ("gemini-chat-153859f25e", Some([35, 0, 74, 0]), End::Reply),
        ("mistral-chat-a84089798a", Some([85, 0, 17, 0]), End::Reply),
        ("gpustack-chat_stream-0653189412", Some([260, 3, 165, 125]), End::Whole),
    ]);
}

#[test]
fn groq_chat_stream_83e110d3ba_calls_whole_or_in_pieces() {
    check(&[
        ("groq-chat_stream-83e110d3ba", Some([201, 0, 58, 0]), End::Done),
        ("azure-chat_stream-7e48cd1426", Some([112, 0, 106, 0]), End::Done),
        ("venice-chat_stream-9f0d763ea4", Some([1288, 0, 18, 0]), End::Done),
    ]);
}

#[test]
fn deepseek_chat_750d7daef0_arguments_empty_or_cut() {
    check(&[
        ("deepseek-chat-750d7daef0", Some([355, 256, 16, 0]), End::Reply),
        ("groq-chat-c6df650c27", Some([359, 0, 35, 0]), End::Reply),
        ("deepseek-chat-3a82a71629", Some([372, 256, 64, 0]), End::Reply),
    ]);
}

#[test]
fn openai_chat_f23abf89a0_deprecated_function_call() {
    check(&[("openai-chat-f23abf89a0", Some([65, 0, 16, 0]), End::Reply)]);
}

#[test]
fn openrouter_chat_cf65e21cca_leading_white_space() {
    check(&[("openrouter-chat-cf65e21cca", Some([74, 0, 21, 2]), End::Reply)]);
}

#[test]
fn xai_chat_f06fed090b_reasoning_outside_the_completion() {
    check(&[
        ("xai-chat-f06fed090b", Some([80, 27, 188, 185]), End::Reply),
        ("azure-chat-cc17e41d7c", Some([155, 0, 1548, 313]), End::Reply),
        ("gemini-chat-153859f25e", Some([35, 0, 74, 0]), End::Reply),
    ]);
}

#[test]
fn snowflake_chat_9b6d68ab6e_unknown_finish_reasons() {
    check(&[
        ("snowflake-chat-9b6d68ab6e", Some([89, 0, 14, 0]), End::Reply),
        ("openrouter-chat-05b851b994", Some([16, 0, 105, 0]), End::Reply),
        ("huggingface-chat-ce87d26d62", Some([21, 0, 12, 0]), End::Reply),
        ("together-chat-b8f72235ea", Some([46, 0, 9, 0]), End::Reply),
    ]);
}

#[test]
fn groq_chat_2f3f10cfec_reasoning_in_other_places() {
    check(&[
        ("groq-chat-2f3f10cfec", Some([260, 0, 100, 70]), End::Reply),
        ("deepseek-chat-dd2663b07d", Some([38, 0, 155, 153]), End::Reply),
        ("openrouter-chat-07b77a1281", Some([73, 0, 510, 137]), End::Reply),
        ("gpustack-chat_stream-0653189412", Some([260, 3, 165, 125]), End::Whole),
        ("mistral-chat-17cea831bb", Some([10, 5, 63, 0]), End::Reply),
        ("mistral-chat_stream-6e4cd71dda", Some([10, 5, 63, 0]), End::Done),
    ]);
}

#[test]
fn huggingface_chat_ce87d26d62_fields_empty_missing_or_null() {
    check(&[
        ("huggingface-chat-ce87d26d62", Some([21, 0, 12, 0]), End::Reply),
        ("github_copilot-chat-50630a8199", Some([154, 0, 29, 0]), End::Reply),
        ("azure-chat-44b024dddb", Some([18, 0, 327, 0]), End::Reply),
    ]);
}

#[test]
fn openai_chat_35468c5a58_another_model_named() {
    check(&[
        ("openai-chat-35468c5a58", Some([75, 0, 10, 0]), End::Reply),
        ("azure-chat-53496583fd", Some([145, 0, 26, 0]), End::Reply),
    ]);
}

#[test]
fn openai_chat_e88bce41ea_refusal_or_audio_in_the_place_of_content() {
    check(&[
        ("openai-chat-e88bce41ea", Some([49, 0, 11, 0]), End::Reply),
        ("openai-chat-741ea2ef5d", Some([8, 0, 5, 0]), End::Reply),
        ("openai-chat_stream-a16d064448", Some([49, 0, 13, 0]), End::Done),
    ]);
}

#[test]
fn openai_embeddings_45c4e57830_embeddings_in_other_shapes() {
    check(&[
        ("openai-embeddings-45c4e57830", Some([20, 0, 0, 0]), End::Reply),
        ("cohere-embeddings-182493ed7e", None, End::Reply),
        ("gemini-embeddings-00de638313", None, End::Reply),
        ("ollama-embeddings-2a0e2af4fe", None, End::Reply),
    ]);
}

#[test]
fn groq_chat_stream_dd17ca752d_resets_in_every_form() {
    check(&[
        ("groq-chat_stream-dd17ca752d", Some([151, 0, 88, 49]), End::Done),
        ("azure-chat-3b5e4d298a", Some([211, 211, 27, 0]), End::Reply),
        ("cerebras-chat-dc18c77e9f", Some([171, 0, 69, 0]), End::Reply),
        ("mistral-chat_stream-1cbbae4053", Some([24, 0, 2, 0]), End::Done),
    ]);
}
