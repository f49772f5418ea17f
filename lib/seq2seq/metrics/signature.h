#pragma once

// Private to the metrics.

namespace seq2seq {

/// The end of every signature. It changes when a metric's values change, which is rarer than a release.
inline constexpr const char* signature_version = "version:seq2seq-0.1.0";

}  // namespace seq2seq
