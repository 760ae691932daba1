//! Amazon Bedrock, by Converse.

use super::{Auth, Path, Provider, Quirks, Speech};
use crate::call::Operation;
use crate::dialect::bedrock_converse;
use crate::splice::OutputField;

/// Each region has a host of its own: `https://bedrock-runtime.<region>.amazonaws.com`. The path names the model,
/// encoded, be it an id, an inference profile or an ARN (`bedrock-converse-bee11282cc`). A credential is an API key
/// for Bedrock.
pub const PROVIDER: Provider = Provider {
    name: "bedrock",
    base_url: "",
    auth: Auth::Bearer,
    headers: &[],
    speaks: &[Speech {
        operation: Operation::ChatCompletions,
        dialect: &bedrock_converse::DIALECT,
        path: Path::Of { before: "/model/", after: "/converse", stream: "/converse-stream" },
        only: None,
    }],
    quirks: Quirks { ask_usage: false, output_field: OutputField::MaxTokens, bare_calls: false },
};
