// SPDX-License-Identifier: MIT
#pragma once
#include "base/atomic.hpp"

namespace hv {

/// A ticket lock: CPUs get it in the order in which they asked. Root mode never waits on the host
/// with one held. Who waits calls `meanwhile` again and again: a shoot-down by the holder needs its
/// answer.
class spin_lock {
public:
    template <typename Meanwhile> void acquire(Meanwhile const& meanwhile) {
        auto const mine = next_.fetch_add(1);
        while (serving_.load() != mine) {
            meanwhile();
            __builtin_ia32_pause();
        }
    }
    void release() { serving_.store(serving_.load() + 1); }

private:
    atomic<std::uint32_t> next_{};
    atomic<std::uint32_t> serving_{};
};

class [[nodiscard]] lock_guard {
public:
    template <typename Meanwhile>
    lock_guard(spin_lock& l, Meanwhile const& meanwhile) : lock_{l} {
        lock_.acquire(meanwhile);
    }
    ~lock_guard() { lock_.release(); }
    lock_guard(lock_guard const&) = delete;
    lock_guard& operator=(lock_guard const&) = delete;

private:
    spin_lock& lock_;
};

}    // namespace hv
