// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>

/// What the stand-in kernel headers need behind them: a clock that only tests move, and memory.
namespace fake {
/// Moves the clock and runs what expires on the way, each at its own time.
void advance(std::uint64_t ns);
/// Moves the clock; what expires is taken off the queue, but runs only by run_late(), as when
/// another CPU holds the lock that it needs.
void advance_holding_expiries(std::uint64_t ns);
void run_late();
/// Moves the clock with no timer interrupt: they all come late, at the next advance().
void advance_without_interrupts(std::uint64_t ns);

std::uint64_t now();
std::size_t timers();         // queued
std::size_t allocations();    // not freed
void fail_allocation(unsigned int after);
}
