#pragma once

// Private to the metrics.

namespace seq2seq {

/// Ends every signature. Raised when a metric's numbers change, which is rarer than a release.
inline constexpr const char* signature_version = "version:seq2seq-0.1.0";

}  // namespace seq2seq
