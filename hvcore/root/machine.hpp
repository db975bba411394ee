// SPDX-License-Identifier: MIT
#pragma once
#include "abi/call.h"
#include "abi/image.h"
#include "arch/apic.hpp"
#include "base/lock.hpp"
#include "mem/auditor.hpp"
#include "mem/core_guard.hpp"
#include "mem/core_space.hpp"
#include "mem/mtrr.hpp"
#include "mem/page_pool.hpp"
#include "mem/second_stage.hpp"
#include "policy/rule_set.hpp"
#include "root/cpu.hpp"
#include "vcpu/io_map.hpp"

namespace hv {

inline constexpr std::uint32_t max_cpus = 256;

/// A page that a rule with action log watches, opened for a moment so that the access can happen.
struct open_page {
    gpa page{};
    std::uint32_t cpu{};    // who closes it
    bool open{};
};

/// What a CPU may not be able to exit on; below these, 1 << enum hv_instruction.
inline constexpr std::uint32_t watchable_tables = 1u << 31, watchable_ports = 1u << 30,
                               watchable_debug = 1u << 29;

/// The bits that CR rules hold, as they were when the rules came into force.
struct pinned_registers {
    std::uint64_t cr0{}, cr4{};
};

/// All that the CPUs share. One per machine, at the start of the pool area.
/// MsrMap   the pages that say which MSR accesses exit, in the backend's own layout.
/// Guests   the registry of guest VMs (guest/registry.hpp)
template <entry_format Format, typename MsrMap, typename Guests> struct machine {
    using stage_type = second_stage<Format, core_tables, core_guard>;
    using msr_map = MsrMap;
    using guests_type = Guests;
    static constexpr bool stage_has_types = Format::has_types;

    machine() = default;
    machine(machine const&) = delete;
    machine& operator=(machine const&) = delete;

    [[nodiscard]] policy::rule_set& rules() { return rule_sets[active_rules.load()]; }
    [[nodiscard]] policy::rule_set& staged_rules() { return rule_sets[1 - active_rules.load()]; }

    [[nodiscard]] hv_audit audit() {
        auto found = auditor<Format, core_tables>{tables, all, stage_types(), stage.limits()}.audit(
            stage.root());
        found.pool_total = pool.total();
        found.pool_free = pool.available();
        return found;
    }

    /// The types that leaves of the second stage carry; all write-back where the MTRRs count for
    /// guests anyway.
    [[nodiscard]] mtrr_set stage_types() const {
        if constexpr (Format::has_types) return mtrrs;
        return {memory_type::wb, stage.limits().top()};
    }

    frames all;
    page_pool pool{all};
    core_tables tables{all, pool};
    stage_type stage{tables, core_guard{all}};
    core_space space;
    local_apic apic;
    mtrr_set mtrrs{};
    std::uint64_t top_of_ram{};
    unsigned max_phy_addr{};    // bits, CPUID.80000008H:EAX[7:0]
    MsrMap* msrs{};
    hpa msrs_at{};
    io_map* ports{};    // the pages that say which ports exit
    hpa ports_at{};
    hpa guest_msrs_at{}, guest_io_at{};    // the bitmaps of all guests, once there is one
    hva mailbox{};
    array<policy::rule_set, 2> rule_sets{};
    atomic<std::uint32_t> active_rules{};
    array<hv_rule, HV_MAX_RULES> arrived{};    // the one copy of what the mailbox held
    pinned_registers pinned{};
    array<open_page, 8> open_pages{};
    array<gate, 32> idt{};
    array<cpu*, max_cpus> cpus{};
    // the CPU's area and ring are there, from this or an earlier launch
    array<bool, max_cpus> built{};
    std::uint32_t cpu_count{};
    Guests guests;
    bool ready{};    // what the CPUs share is there
    std::uint64_t handle{};
    std::uint64_t generation{};
    bool time_slices{};          // the CPUs have a timer that ends guest operation
    std::uint32_t exits{~0u};    // what all CPUs can be made to leave it on: bits of watchable_…
    atomic<std::uint32_t> locked{};
    std::uint64_t reached{};            // markers: rules that wait for them are in force
    atomic<std::uint64_t> offered{};    // guests, to programs
    spin_lock lock;                     // of stage, pool, rules, frames
};

}    // namespace hv
