// SPDX-License-Identifier: MIT
// What the control socket can ask for, and what the loop looks for by itself.
#include <cstdint>
#include <utility>

#include <sys/resource.h>

#include "daemon/vmm/machine.hpp"

namespace hv::vmm {
namespace {

// A second in which all CPUs together did less than this is one in which nothing happened.
constexpr std::uint64_t idle_us = 5'000;

std::uint64_t microseconds(timeval const& from) {
    return static_cast<std::uint64_t>(from.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(from.tv_usec);
}

std::uint64_t busy_us() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return microseconds(used.ru_utime) + microseconds(used.ru_stime);
}

std::string field(char const* name, std::uint64_t value) {
    return std::string{" "} + name + "=" + std::to_string(value);
}

}

/// A halted VM looks like an idle one from outside: only when it is idle its CPUs are asked.
void machine::look_for_halt() {
    std::uint64_t rounds = 0;
    (void)!read(timer_.get(), &rounds, sizeof(rounds));
    auto const busy = busy_us();
    bool const idle = busy - busy_before_us_ < idle_us;
    busy_before_us_ = busy;
    if (!idle || state_.paused()) return;
    state_.begin_inspection(static_cast<unsigned>(cpus_.size()));
    kick_all();
}

/// One CPU has met a rule, and waits; the others are made to.
void machine::on_change() {
    state_.take_changes();
    auto const rule = state_.take_rule();
    if (!rule || state_.over() || !state_.paused()) return;
    kick_all();
    held_by_rule_ = true;
    if (told_) told_("paused by rule " + std::to_string(*rule));
}

void machine::resume() {
    if (std::exchange(held_by_rule_, false) && told_) told_("running");
    state_.resume();
}

std::string machine::command(std::string const& word) {
    if (word == "state") return std::string{"ok state="} + (state_.paused() ? "paused" : "running");
    if (word == "stats") return stats();
    if (word == "stop") {
        press_power_button();
        return "ok";
    }
    if (word == "pause") {
        state_.pause();
        kick_all();
        return "ok";
    }
    if (word == "resume") {
        resume();
        return "ok";
    }
    if (word == "end") {
        state_.end(ending::stopped);
        return "ok";
    }
    return "error unknown command: state, stats, stop, pause, resume, end";
}

std::string machine::stats() const {
    using std::chrono::milliseconds;
    auto const up = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() -
                                                             started_);
    return std::string{"ok state="} + (state_.paused() ? "paused" : "running") +
           field("uptime_ms", static_cast<std::uint64_t>(up.count())) +
           field("busy_us", busy_us()) + field("port_exits", exits(exit_kind::port)) +
           field("memory_exits", exits(exit_kind::memory)) +
           field("interrupted", exits(exit_kind::interrupted));
}

}
