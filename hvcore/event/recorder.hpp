// SPDX-License-Identifier: MIT
#pragma once
#include "abi/record.h"
#include "base/array.hpp"
#include "base/atomic.hpp"
#include "base/result.hpp"

namespace hv {

/// The writing end of one CPU's ring. The indices live here, in private memory; the shared page
/// only shows them. Only the owning CPU appends, from its exit path; any CPU may release.
class recorder {
public:
    recorder() = default;
    recorder(hv_cpu_shared& shared, hv_record* ring) : shared_{&shared}, ring_{ring} {}

    /// Append `r`, with its sequence and CPU, or count it as dropped: never waits. False: it is not
    /// in the ring.
    bool append(hv_record const& r) {
        if (shared_ == nullptr) return false;
        if (head_ - tail_.load() >= HV_RING_RECORDS) {
            shared_->dropped = ++dropped_;
            return false;
        }
        auto& to = ring_[head_ % HV_RING_RECORDS];
        to = r;
        to.sequence = head_;
        to.cpu = shared_->cpu_id;
        ++head_;
        __atomic_store_n(&shared_->head, head_, __ATOMIC_RELEASE);    // after the record itself
        visible_head_.store(head_);
        return true;
    }

    /// Records before `tail` have been read: their slots are free again.
    /// Errors   invalid: `tail` is not between the old tail and the head.
    [[nodiscard]] status release(std::uint64_t tail) {
        auto const old = tail_.load();
        if (tail < old || tail > visible_head_.load()) return error{errc::invalid};
        tail_.store(tail);
        __atomic_store_n(&shared_->tail, tail, __ATOMIC_RELEASE);
        return done;
    }
    [[nodiscard]] std::uint64_t head() const { return head_; }

private:
    hv_cpu_shared* shared_{};
    hv_record* ring_{};
    std::uint64_t head_{};
    std::uint64_t dropped_{};
    atomic<std::uint64_t> visible_head_{};
    atomic<std::uint64_t> tail_{};
};

}    // namespace hv
