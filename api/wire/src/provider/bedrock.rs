//! Amazon Bedrock, by Converse, and by InvokeModel where a caller speaks it.

use super::{Auth, Path, Provider, Quirks, Speech};
use crate::call::Operation;
use crate::dialect::{bedrock_cohere, bedrock_converse, bedrock_invoke, bedrock_titan};
use crate::splice::OutputField;

/// What stands before a model.
const MODEL: &str = "/model/";

/// Each region has a host of its own. The path names the model, encoded, be it an id, an inference profile or an ARN
/// (`bedrock-converse-bee11282cc`). A credential is keys of AWS, or an API key for Bedrock.
pub const PROVIDER: Provider = Provider {
    name: "bedrock",
    base_url: "https://bedrock-runtime.{region}.amazonaws.com",
    auth: Auth::Aws { service: "bedrock" },
    headers: &[],
    speaks: &[
        CONVERSE,
        INVOKE,
        Speech {
            only: Some("titan-embed"),
            ..Speech::of_model(Operation::Embeddings, &bedrock_titan::DIALECT, (MODEL, "/invoke"))
        },
        Speech {
            only: Some("cohere.embed"),
            ..Speech::of_model(Operation::Embeddings, &bedrock_cohere::DIALECT, (MODEL, "/invoke"))
        },
        Speech::of_model(
            Operation::CountTokens,
            &bedrock_converse::DIALECT,
            (MODEL, "/count-tokens"),
        ),
    ],
    quirks: Quirks { ask_usage: false, output_field: OutputField::MaxTokens, bare_calls: false },
    keeps: &[],
};

/// A server that speaks Converse alone.
pub(super) const CONVERSING: Provider = Provider { speaks: &[CONVERSE], ..PROVIDER };

/// A server that speaks InvokeModel alone.
pub(super) const INVOKED: Provider = Provider {
    speaks: &[INVOKE, Speech { operation: Operation::Embeddings, ..INVOKE }],
    ..PROVIDER
};

const CONVERSE: Speech = Speech {
    operation: Operation::ChatCompletions,
    dialect: &bedrock_converse::DIALECT,
    path: Path::Of { before: "/model/", after: "/converse", stream: "/converse-stream" },
    only: None,
};

const INVOKE: Speech = Speech {
    operation: Operation::ChatCompletions,
    dialect: &bedrock_invoke::DIALECT,
    path: Path::Of { before: "/model/", after: "/invoke", stream: "/invoke-with-response-stream" },
    only: None,
};

/// The region of a host of Bedrock's: `eu-west-1` of `bedrock-runtime.eu-west-1.amazonaws.com`, and of those for FIPS
/// and inside of virtual networks.
#[must_use]
pub fn region(host: &str) -> Option<&str> {
    let mut labels = host.split('.');
    labels.find(|label| label.starts_with("bedrock-runtime"))?;
    labels.next().filter(|region| region.contains('-'))
}

/// The id of the model behind an id, an inference profile or an ARN; `None` for what only an account knows.
#[must_use]
pub fn base_model(model: &str) -> Option<&str> {
    let id = match model.strip_prefix("arn:") {
        None => model,
        Some(arn) => {
            let known = arn
                .split_once(":foundation-model/")
                .or_else(|| arn.split_once(":inference-profile/"));
            known?.1
        }
    };
    Some(without_region(id))
}

/// An id without the part of the world that an inference profile serves.
fn without_region(id: &str) -> &str {
    const PARTS: [&str; 9] =
        ["us.", "us-gov.", "eu.", "apac.", "jp.", "au.", "ca.", "sa.", "global."];
    PARTS.iter().find_map(|part| id.strip_prefix(part)).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_tells_its_region() {
        let cases = [
            ("bedrock-runtime.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
            ("bedrock-runtime.us-east-1.api.aws", Some("us-east-1")),
            ("vpce-1-a.bedrock-runtime.us-east-2.vpce.amazonaws.com", Some("us-east-2")),
            ("127.0.0.1", None),
            ("bedrock-runtime.example", None),
        ];
        for (host, expected) in cases {
            assert_eq!(region(host), expected, "{host}");
        }
    }

    #[test]
    fn the_model_behind_a_profile_is_found_by_its_name() {
        let nova = Some("amazon.nova-pro-v1:0");
        for name in [
            "amazon.nova-pro-v1:0",
            "us.amazon.nova-pro-v1:0",
            "global.amazon.nova-pro-v1:0",
            "us-gov.amazon.nova-pro-v1:0",
            "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
            "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-pro-v1:0",
        ] {
            assert_eq!(base_model(name), nova, "{name}");
        }
        let own = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc";
        assert_eq!(base_model(own), None);
    }
}
