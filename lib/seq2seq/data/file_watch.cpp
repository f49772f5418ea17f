#include "seq2seq/data/file_watch.h"

#include <chrono>
#include <thread>

#include "seq2seq/core/clock.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/data/corpus.h"

namespace seq2seq {
namespace {

// Who writes a file writes again within the first, and is done within the second.
constexpr std::chrono::milliseconds settling_time(500);
constexpr double longest_wait_seconds = 10;

}  // namespace

FileWatch::FileWatch(const std::string& path, const FileStamp& stamp, FileFingerprint content)
    : path_(path), file_(nullptr), content_(std::move(content)), stamp_(stamp) {}

FileWatch::FileWatch(const OpenFile& file, const FileStamp& stamp, FileFingerprint content)
    : path_(file.name()), file_(&file), content_(std::move(content)), stamp_(stamp) {}

std::optional<FileStamp> FileWatch::stamp() const {
  return file_ ? file_->stamp() : stamp_of(path_);
}

bool FileWatch::has_content() const {
  try {
    return (file_ ? fingerprint_of(*file_) : fingerprint_of(path_)).same_content(content_);
  } catch (const Error&) {  // it has just been removed
    return false;
  }
}

bool FileWatch::is_untouched() const {
  const std::optional<FileStamp> now = stamp();
  const std::lock_guard lock(mutex_);
  return now == stamp_;
}

void FileWatch::require_same() const {
  const std::lock_guard lock(mutex_);
  std::optional<FileStamp> now = stamp();
  if (now == stamp_ && stamp_.settled) return;
  if (now && now == other_) refuse(*now);
  for (const Clock::time_point begin = Clock::now(); now;) {
    const FileStamp seen = *now;
    if (seen.bytes == content_.bytes && has_content() && stamp() == seen) return remember(seen);
    if (seen.bytes > content_.bytes || seconds_since(begin) > longest_wait_seconds) refuse(seen);
    std::this_thread::sleep_for(settling_time);
    now = stamp();
    if (now == seen) refuse(seen);
  }
  tell_missing();
}

void FileWatch::remember(const FileStamp& stamp) const {
  if (!file_ && stamp != stamp_)
    log_info(path_ + ": was written or replaced, but its content is the same: going on");
  stamp_ = stamp;
}

void FileWatch::refuse(const FileStamp& stamp) const {
  other_ = stamp;
  const auto count = [](uint64_t bytes) { return format_count(static_cast<int64_t>(bytes)); };
  const std::string difference = stamp.bytes == content_.bytes
                                     ? "other content in " + count(stamp.bytes) + " bytes"
                                     : count(content_.bytes) + " bytes then, " + count(stamp.bytes) + " now";
  throw ChangedText(path_, "is no longer the text that was read (" + difference + ")",
                    "begin again when it does not change any more");
}

void FileWatch::tell_missing() const {
  if (told_missing_) return;
  told_missing_ = true;
  log_warning(path_ + ": was removed or renamed; what was opened is still read");
}

}  // namespace seq2seq
