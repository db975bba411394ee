// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "daemon/vmm/descriptor.hpp"

namespace hv::vmm {

enum class ending : unsigned char { none, powered_off, reset, halted, stopped, crashed };
char const* ending_text(ending how);

/// Whether the VM runs, and how it ended: what its CPUs and the loop around them agree on.
class run_state {
public:
    run_state();

    // From any thread.
    void end(ending how, std::string detail = {});
    bool over() const { return how_.load() != ending::none; }
    void pause();
    void resume();
    bool paused() const { return paused_.load(); }
    /// Readable once something changed that the loop must see.
    int descriptor_of_changes() const { return changes_.get(); }
    void wake_loop() const;
    void take_changes() const;

    // From a CPU's thread.
    /// Comes back when it may run; false when the VM has ended.
    bool may_run();
    /// A rule of the hypervisor's holds the VM, as `pause` does; the loop sees to the other CPUs.
    void pause_by_rule(std::uint64_t rule);
    unsigned inspection() const { return inspection_.load(); }
    void report(bool halted_for_good);

    // From the loop.
    /// The rule that has held the VM since this was asked last.
    std::optional<std::uint64_t> take_rule();
    /// Comes back when so many CPUs wait for the first `resume`.
    void wait_for_parked(unsigned cpus);
    void begin_inspection(unsigned cpus);
    ending how() const { return how_.load(); }
    std::string detail() const;

private:
    mutable std::mutex lock_;
    std::condition_variable change_;
    std::atomic<ending> how_ = ending::none;
    std::atomic<bool> paused_ = true;    // until all is ready
    std::atomic<unsigned> inspection_ = 0;
    std::optional<std::uint64_t> rule_;
    unsigned parked_ = 0;
    unsigned awaited_ = 0;
    unsigned halted_ = 0;
    unsigned cpus_ = 0;
    std::string detail_;
    descriptor changes_;
};

}
