// SPDX-License-Identifier: MIT
#include "fake_kernel.hpp"
#include <algorithm>
#include <cstdlib>
#include <linux/hrtimer.h>
#include <linux/slab.h>
#include <utility>
#include <vector>

namespace {
ktime_t clock_ns = 1'000'000'000;
std::vector<hrtimer*> queue;
std::vector<hrtimer*> late;
std::size_t allocated;
unsigned int until_failure;

bool before(hrtimer const* a, hrtimer const* b) { return a->expires < b->expires; }

/// Takes the first timer that is due off the queue, or says that there is none.
hrtimer* take_due(ktime_t at) {
    auto const first = std::min_element(queue.begin(), queue.end(), before);
    if (first == queue.end() || (*first)->expires > at) return nullptr;
    auto* const timer = *first;
    queue.erase(first);
    return timer;
}
}

namespace fake {
void advance(std::uint64_t ns) {
    auto const end = clock_ns + static_cast<ktime_t>(ns);
    while (auto* const timer = take_due(end)) {
        clock_ns = std::max(clock_ns, timer->expires);
        if (timer->function(timer) != HRTIMER_NORESTART) std::abort();
    }
    clock_ns = end;
}

void advance_holding_expiries(std::uint64_t ns) {
    clock_ns += static_cast<ktime_t>(ns);
    while (auto* const timer = take_due(clock_ns)) late.push_back(timer);
}

void run_late() {
    auto const timers = std::exchange(late, {});
    for (auto* const timer : timers) timer->function(timer);
}

void advance_without_interrupts(std::uint64_t ns) { clock_ns += static_cast<ktime_t>(ns); }

std::uint64_t now() { return static_cast<std::uint64_t>(clock_ns); }

std::size_t timers() { return queue.size(); }

std::size_t allocations() { return allocated; }

void fail_allocation(unsigned int after) { until_failure = after; }
}

extern "C" {
ktime_t ktime_get() { return clock_ns; }

void hrtimer_init(hrtimer* timer, int, hrtimer_mode) { *timer = {}; }

void hrtimer_start(hrtimer* timer, ktime_t expires, hrtimer_mode) {
    std::erase(queue, timer);
    timer->expires = expires;
    queue.push_back(timer);
}

int hrtimer_try_to_cancel(hrtimer* timer) {
    if (std::erase(queue, timer)) return 1;
    return std::find(late.begin(), late.end(), timer) == late.end() ? 0 : -1;
}

int hrtimer_cancel(hrtimer* timer) {
    std::erase(late, timer);
    return static_cast<int>(std::erase(queue, timer));
}

void* fake_zalloc(std::size_t bytes) {
    if (until_failure) {
        --until_failure;
        if (!until_failure) return nullptr;
    }
    ++allocated;
    return std::calloc(1, bytes);
}

void fake_free(void const* memory) {
    if (!memory) return;
    --allocated;
    std::free(const_cast<void*>(memory));
}
}
