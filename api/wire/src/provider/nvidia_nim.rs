//! NVIDIA NIM.

use super::{OPENAI_SHAPED, Provider};

/// Models are named `maker/model`.
pub const PROVIDER: Provider = Provider {
    name: "nvidia-nim",
    base_url: "https://integrate.api.nvidia.com/v1",
    ..OPENAI_SHAPED
};
