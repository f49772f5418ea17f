#include "seq2seq/study/training_jobs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <map>
#include <optional>
#include <thread>

#include "seq2seq/core/clock.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/log.h"
#include "seq2seq/train/run_log.h"

namespace seq2seq {
namespace {

constexpr auto poll_interval = std::chrono::milliseconds(100);

pid_t start(const TrainingJob& job, const char* program) {
  std::vector<std::string> words{"seq2seq"};
  words.insert(words.end(), job.arguments.begin(), job.arguments.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int log = open(job.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (log < 0) throw Error(job.log.string(), "cannot be written: " + system_reason());
  const pid_t parent = getpid(), child = fork();
  if (child < 0) {
    close(log);
    throw Error("fork", system_reason());
  }
  if (child == 0) {  // only async-signal-safe calls until exec
    setpgid(0, 0);   // Ctrl-C goes to the parent, which passes it on
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
#endif
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execv(program, arguments.data());
    constexpr char problem[] = "this program cannot be started again, as a study does for each run\n";
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, problem, sizeof problem - 1);
    _exit(127);
  }
  close(log);
  return child;
}

std::string last_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line, last;
  while (std::getline(file, line))
    if (!line.empty()) last = line;
  const std::string own = "seq2seq: ";
  return last.starts_with(own) ? last.substr(own.size()) : last;
}

/// The share of its budget that is used, according to its log; 0.5 if unknown.
double share_done(const TrainingJob& job) {
  double updates = 0, tokens = 0, share = 0;
  if (!std::filesystem::exists(job.run / RunLog::file_name)) return 0;
  for (const UpdateLine& line : lines_of<UpdateLine>(RunLog::read(job.run))) {
    updates = static_cast<double>(line.update);
    tokens += static_cast<double>(line.target_tokens);
  }
  const LimitOptions& limits = job.limits;
  if (limits.max_updates == 0 && limits.max_target_tokens == 0) return 0.5;
  if (limits.max_updates > 0) share = updates / static_cast<double>(limits.max_updates);
  if (limits.max_target_tokens > 0)
    share = std::max(share, tokens / static_cast<double>(limits.max_target_tokens));
  return std::min(1.0, share);
}

class Jobs {
 public:
  Jobs(const std::vector<TrainingJob>& jobs, const std::string& program, int64_t at_a_time)
      : jobs_(jobs), program_(program), at_a_time_(static_cast<size_t>(at_a_time)) {
    std::signal(SIGCHLD, SIG_DFL);  // children of a process that ignores it cannot be waited for
  }
  ~Jobs() {
    signal_all(SIGKILL);
    for (const auto& [process, job] : running_) waitpid(process, nullptr, 0);
  }

  bool run(const std::function<bool()>& stop_requested) {
    bool stopping = false;
    while (true) {
      if (!stopping && (failure_ || stop_requested())) {
        stopping = true;
        signal_all(SIGTERM);
      }
      while (!stopping && next_ < jobs_.size() && running_.size() < at_a_time_) {
        running_[start(jobs_[next_], program_.c_str())] = {next_, Clock::now()};
        ++next_;
      }
      if (running_.empty() && (stopping || next_ == jobs_.size())) break;
      reap(stopping);
      show(stopping);
      std::this_thread::sleep_for(poll_interval);
    }
    clear_progress();
    if (failure_) throw Error(*failure_);
    return !stopping;
  }

 private:
  struct Running {
    size_t job;
    Clock::time_point begin;
  };

  void signal_all(int signal) const {
    for (const auto& [process, job] : running_) kill(process, signal);
  }

  void reap(bool stopping) {
    for (auto at = running_.begin(); at != running_.end();) {
      int status = 0;
      const pid_t ended = waitpid(at->first, &status, WNOHANG);
      if (ended == 0 || (ended < 0 && errno == EINTR)) {
        ++at;
        continue;
      }
      if (ended < 0) throw Error("waitpid", system_reason());
      const Running running = at->second;
      at = running_.erase(at);
      settle(running, status, stopping);
    }
  }

  void settle(const Running& ended, int status, bool stopping) {
    const TrainingJob& job = jobs_[ended.job];
    const std::string remedy = "its log is " + job.log.string();
    // A job asked to end exits with 128 + the signal, or dies of the signal if it had nothing to save yet.
    const int signal = WIFSIGNALED(status)         ? WTERMSIG(status)
                       : WEXITSTATUS(status) > 128 ? WEXITSTATUS(status) - 128
                                                   : 0;
    if (signal != 0) {
      if (!stopping || signal != SIGTERM)
        fail(Error("run " + job.name, fmt::format("was ended by signal {}", signal),
                   remedy + "; the same command goes on"));
    } else if (status != 0) {
      const std::string words = last_line(job.log);
      fail(Error("run " + job.name,
                 words.empty() ? fmt::format("ended with status {}", WEXITSTATUS(status)) : words, remedy));
    } else if (!stopping) {
      ++done_;
      log_info(fmt::format("{}: trained in {} ({} of {})", job.name,
                           format_duration(seconds_since(ended.begin)), done_, jobs_.size()));
    }
  }

  // Only the first failure is reported: later ones may be its consequences.
  void fail(const Error& error) {
    if (!failure_) failure_ = error;
  }

  void show(bool stopping) {
    if (!stderr_is_terminal() || seconds_since(shown_) < 1) return;
    shown_ = Clock::now();
    std::string names;
    double done = static_cast<double>(done_);
    for (const auto& [process, running] : running_) {
      const double share = share_done(jobs_[running.job]);
      done += share;
      names += fmt::format("{}{} {:.0f}%", names.empty() ? "" : ", ", jobs_[running.job].name, 100 * share);
    }
    const double used = seconds_since(begin_);
    const double left = done > 0 ? used * (static_cast<double>(jobs_.size()) - done) / done : -1;
    show_progress(fmt::format("{} of {} trained; {}: {}  {}{}", done_, jobs_.size(),
                              stopping ? "stopping" : "training", names, format_duration(used),
                              left >= 0 ? "  left " + format_duration(left) : ""));
  }

  const std::vector<TrainingJob>& jobs_;
  const std::string& program_;
  size_t at_a_time_, next_ = 0, done_ = 0;
  std::map<pid_t, Running> running_;
  std::optional<Error> failure_;
  Clock::time_point begin_ = Clock::now(), shown_ = {};
};

}  // namespace

bool run_training_jobs(const std::vector<TrainingJob>& jobs, const std::string& program, int64_t at_a_time,
                       const std::function<bool()>& stop_requested) {
  return Jobs(jobs, program, at_a_time).run(stop_requested);
}

}  // namespace seq2seq
