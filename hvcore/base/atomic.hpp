// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

namespace hv {

/// A word that several CPUs change. <atomic> is not freestanding in both compilers, so this is
/// ours.
template <typename T> class atomic {
public:
    constexpr atomic() = default;
    constexpr explicit atomic(T v) : value_{v} {}
    // Not the _n forms: clang takes no enumeration there.
    [[nodiscard]] T load() const {
        T v;
        __atomic_load(&value_, &v, __ATOMIC_ACQUIRE);
        return v;
    }
    void store(T v) { __atomic_store(&value_, &v, __ATOMIC_RELEASE); }
    T fetch_add(T n) { return __atomic_fetch_add(&value_, n, __ATOMIC_ACQ_REL); }
    T fetch_or(T n) { return __atomic_fetch_or(&value_, n, __ATOMIC_ACQ_REL); }
    T fetch_and(T n) { return __atomic_fetch_and(&value_, n, __ATOMIC_ACQ_REL); }
    T exchange(T v) { return __atomic_exchange_n(&value_, v, __ATOMIC_ACQ_REL); }

private:
    T value_{};
};

}    // namespace hv
