// SPDX-License-Identifier: MIT
#include "daemon/vmm/run_state.hpp"

#include <utility>

#include <sys/eventfd.h>

#include "daemon/vmm/failure.hpp"

namespace hv::vmm {

char const* ending_text(ending how) {
    switch (how) {
    case ending::none:        return "running";
    case ending::powered_off: return "powered off";
    case ending::reset:       return "reset";
    case ending::halted:      return "halted";
    case ending::stopped:     return "stopped";
    case ending::crashed:     return "crashed";
    }
    return "";
}

run_state::run_state() : changes_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
    if (!changes_) throw system_failure("eventfd");
}

void run_state::end(ending how, std::string detail) {
    {
        std::lock_guard const guard{lock_};
        if (over()) return;
        detail_ = std::move(detail);
        how_ = how;
    }
    change_.notify_all();
    wake_loop();
}

void run_state::pause() { paused_ = true; }

void run_state::pause_by_rule(std::uint64_t rule) {
    {
        std::lock_guard const guard{lock_};
        if (!rule_) rule_ = rule;
        paused_ = true;
    }
    wake_loop();
}

std::optional<std::uint64_t> run_state::take_rule() {
    std::lock_guard const guard{lock_};
    return std::exchange(rule_, std::nullopt);
}

void run_state::resume() {
    {
        std::lock_guard const guard{lock_};
        paused_ = false;
    }
    change_.notify_all();
}

void run_state::wake_loop() const {
    std::uint64_t const one = 1;
    (void)!write(changes_.get(), &one, sizeof(one));
}

void run_state::take_changes() const {
    std::uint64_t count = 0;
    (void)!read(changes_.get(), &count, sizeof(count));
}

bool run_state::may_run() {
    if (over()) return false;
    if (!paused_) return true;
    std::unique_lock guard{lock_};
    ++parked_;
    change_.notify_all();
    change_.wait(guard, [this] { return !paused_ || over(); });
    --parked_;
    return !over();
}

void run_state::wait_for_parked(unsigned cpus) {
    std::unique_lock guard{lock_};
    change_.wait(guard, [&] { return parked_ == cpus; });
}

void run_state::begin_inspection(unsigned cpus) {
    std::lock_guard const guard{lock_};
    cpus_ = awaited_ = cpus;
    halted_ = 0;
    ++inspection_;
}

void run_state::report(bool halted_for_good) {
    {
        std::lock_guard const guard{lock_};
        if (awaited_ == 0) return;
        --awaited_;
        if (halted_for_good) ++halted_;
        if (awaited_ != 0 || halted_ != cpus_) return;
    }
    end(ending::halted);
}

std::string run_state::detail() const {
    std::lock_guard const guard{lock_};
    return detail_;
}

}
