#include "training_jobs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <map>
#include <thread>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/log.h"

namespace seq2seq {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto poll_interval = std::chrono::milliseconds(100);

std::string program_path() {
  std::error_code missing;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", missing);
  if (missing)
    throw Error("/proc/self/exe", "cannot be read: a study starts this program again for each run");
  return path.string();
}

pid_t start(const std::string& program, const TrainingJob& job) {
  std::vector<std::string> words{program};
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
  if (child == 0) {  // only what is safe between fork and exec
    setpgid(0, 0);   // Ctrl-C is for the parent, which passes it on
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
#endif
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execv(program.c_str(), arguments.data());
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

/// Of its updates, by its log.
double share_done(const TrainingJob& job) {
  const std::string key = "\"update\":";
  std::ifstream file(job.run / "train.jsonl");
  int64_t update = 0;
  for (std::string line; std::getline(file, line);)
    if (const size_t at = line.find(key); at != std::string::npos)
      update = std::atoll(line.c_str() + at + key.size());
  return job.updates > 0 ? std::min(1.0, static_cast<double>(update) / static_cast<double>(job.updates))
                         : 0.5;
}

class Jobs {
 public:
  Jobs(const std::vector<TrainingJob>& jobs, int64_t at_a_time)
      : jobs_(jobs), at_a_time_(static_cast<size_t>(at_a_time)), program_(program_path()) {}
  ~Jobs() {
    signal_all(SIGKILL);
    for (const auto& [process, job] : running_) waitpid(process, nullptr, 0);
  }

  bool run(const std::function<bool()>& stop_requested) {
    bool stopping = false;
    while (true) {
      if (!stopping && stop_requested()) {
        stopping = true;
        signal_all(SIGTERM);
      }
      while (!stopping && next_ < jobs_.size() && running_.size() < at_a_time_) {
        running_[start(program_, jobs_[next_])] = {next_, Clock::now()};
        ++next_;
      }
      if (running_.empty()) break;
      reap(stopping);
      show(stopping);
      std::this_thread::sleep_for(poll_interval);
    }
    clear_progress();
    return !stopping;
  }

 private:
  struct Running {
    size_t job;
    Clock::time_point begin;
  };

  static double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }

  void signal_all(int signal) const {
    for (const auto& [process, job] : running_) kill(process, signal);
  }

  void reap(bool stopping) {
    int status = 0;
    for (auto at = running_.begin(); at != running_.end();) {
      if (waitpid(at->first, &status, WNOHANG) != at->first) {
        ++at;
        continue;
      }
      const Running ended = at->second;
      at = running_.erase(at);
      const TrainingJob& job = jobs_[ended.job];
      if (stopping) continue;
      if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        const std::string words = last_line(job.log);
        throw Error("run " + job.name,
                    words.empty() || WIFSIGNALED(status)
                        ? fmt::format("ended by signal {}", WIFSIGNALED(status) ? WTERMSIG(status) : 0)
                        : words,
                    "its log is " + job.log.string());
      }
      ++done_;
      log_info(fmt::format("{}: trained in {} ({} of {})", job.name,
                           format_duration(seconds_since(ended.begin)), done_, jobs_.size()));
    }
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
  size_t at_a_time_, next_ = 0, done_ = 0;
  std::string program_;
  std::map<pid_t, Running> running_;
  Clock::time_point begin_ = Clock::now(), shown_ = {};
};

}  // namespace

bool run_training_jobs(const std::vector<TrainingJob>& jobs, int64_t at_a_time,
                       const std::function<bool()>& stop_requested) {
  return Jobs(jobs, at_a_time).run(stop_requested);
}

}  // namespace seq2seq
