// SPDX-License-Identifier: MIT
#pragma once
#include "base/atomic.hpp"

namespace hv {

/// A ticket lock: CPUs get it in the order in which they asked. Root mode never waits on the host with one
/// held, except in a shoot-down, where the CPUs waiting for the lock still take the NMI and answer.
class spin_lock {
public:
    void acquire() {
        auto const mine = next_.fetch_add(1);
        while (serving_.load() != mine) __builtin_ia32_pause();
    }
    void release() { serving_.store(serving_.load() + 1); }

private:
    atomic<std::uint32_t> next_{};
    atomic<std::uint32_t> serving_{};
};

class [[nodiscard]] lock_guard {
public:
    explicit lock_guard(spin_lock& l) : lock_{l} { lock_.acquire(); }
    ~lock_guard() { lock_.release(); }
    lock_guard(lock_guard const&) = delete;
    lock_guard& operator=(lock_guard const&) = delete;

private:
    spin_lock& lock_;
};

} // namespace hv
