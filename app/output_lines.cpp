#include "output_lines.h"

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"

namespace seq2seq {

OutputLines::OutputLines(const std::string& path) : name_(path == "-" ? "standard output" : path) {
  if (path == "-") return;
  file_.open(path, std::ios::binary);
  if (!file_) throw Error(path, "cannot be written (" + system_reason() + ")", "check the folder");
  stream_ = &file_;
}

void OutputLines::write(const std::string& text) {
  *stream_ << text;
  stream_->flush();
  if (!*stream_) throw Error(name_, "cannot be written (" + system_reason() + ")", "is the disk full?");
}

}  // namespace seq2seq
