// SPDX-License-Identifier: MIT
#pragma once
// Rules that the core must refuse, whatever else is in their set.
#include "root_vm.hpp"

namespace fake {

inline hv_rule with(hv_rule r, void (*change)(hv_rule&)) {
    change(r);
    return r;
}

inline hv_rule bad(void (*change)(hv_rule&)) { return with(msr_rule(2, 0x10, 0x10), change); }

inline std::vector<hv_rule> unsound_msr_rules() {
    return {
        bad([](hv_rule& r) { r.id = 0; }),
        bad([](hv_rule& r) { r.kind = 0; }),
        bad([](hv_rule& r) { r.kind = 11; }),
        bad([](hv_rule& r) { r.action = 0; }),
        bad([](hv_rule& r) { r.action = HV_ACTION_PAUSE; }),
        bad([](hv_rule& r) { r.action = HV_ACTION_KILL; }),
        bad([](hv_rule& r) { r.action = 6; }),
        bad([](hv_rule& r) { r.action = HV_ACTION_KEEP, r.access = HV_ACCESS_READ; }),
        bad([](hv_rule& r) {
            r.action = HV_ACTION_KEEP, r.access = HV_ACCESS_READ | HV_ACCESS_WRITE;
        }),
        bad([](hv_rule& r) { r.access = 0; }),
        bad([](hv_rule& r) { r.access = 4; }),
        bad([](hv_rule& r) { r.access = 0x80000002; }),
        bad([](hv_rule& r) { r.flags = 0x4000; }),
        bad([](hv_rule& r) { r.flags = HV_RULE_GROWS | HV_RULE_SHRINKS; }),
        bad([](hv_rule& r) { r.flags = HV_RULE_GROWS, r.access = HV_ACCESS_READ; }),
        bad([](hv_rule& r) { r.pass_last = 1; }),
        bad([](hv_rule& r) { r.flags = HV_RULE_UNCHANGED; }),
        bad([](hv_rule& r) { r.flags = HV_RULE_PASSES, r.pass_first = 1; }),
        bad([](hv_rule& r) { r.flags = HV_RULE_PASSES, r.access = HV_ACCESS_READ; }),
        bad([](hv_rule& r) { r.flags = HV_RULE_PASSES | HV_RULE_UNCHANGED, r.last = 0x11; }),
        bad([](hv_rule& r) { r.mask = 1; }),
        bad([](hv_rule& r) { r.first = 0x11; }),
        bad([](hv_rule& r) { r.last = 0x2000; }),
        bad([](hv_rule& r) { r.last = 0xc0000000; }),
        bad([](hv_rule& r) { r.first = r.last = 0x4b564d00; }),
        bad([](hv_rule& r) { r.first = r.last = 0x1c0000080; }),
    };
}

/// What only some kinds know.
inline std::vector<hv_rule> unsound_scopes() {
    return {
        with(memory_rule(2, 0x1000, 0x1fff), [](hv_rule& r) { r.cpus = 1; }),
        memory_rule(2, 0x1000, 0x1fff, HV_ACTION_KEEP),
        io_rule(2, 5, 5, HV_ACTION_KEEP),
        cpuid_rule(2, 7, 1, 0, HV_ACTION_KEEP),
        instruction_rule(2, 1, HV_ACTION_KEEP),
    };
}

inline std::vector<hv_rule> unsound_memory_rules() {
    return {
        memory_rule(2, 0x1000, 0x1ffe),
        memory_rule(2, 0x1001, 0x1fff),
        memory_rule(2, 0x2000, 0x1fff),
        memory_rule(2, 0x1000, 0x1fff, HV_ACTION_DENY, HV_ACCESS_READ),
        memory_rule(2, 0x1000, 0x1fff, HV_ACTION_DENY, HV_ACCESS_READ | HV_ACCESS_WRITE),
        memory_rule(2, 0x1000, 0x1fff, HV_ACTION_DENY, HV_ACCESS_READ | HV_ACCESS_EXECUTE),
        memory_rule(2, 0x1000, 0x1fff, HV_ACTION_LOG, 8),
        memory_rule(2, 0x1000, (1ull << 40) + 0xfff),
        memory_rule(2, ~0xfffull, ~0ull),
        memory_rule(2, 0, ~0ull),
        with(memory_rule(2, 0x1000, 0x1fff), [](hv_rule& r) { r.mask = 1; }),
        with(memory_rule(2, 0x1000, 0x1fff, HV_ACTION_DENY, HV_ACCESS_EXECUTE),
             [](hv_rule& r) { r.flags = HV_RULE_PASSES; }),
    };
}

inline std::vector<hv_rule> unsound_other_rules() {
    return {
        with(cr_rule(2, 4, 1), [](hv_rule& r) { r.first = r.last = 3; }),
        with(cr_rule(2, 4, 1), [](hv_rule& r) { r.last = 5; }),
        with(cr_rule(2, 4, 1), [](hv_rule& r) { r.mask = 0; }),
        with(cr_rule(2, 4, 1), [](hv_rule& r) { r.mask = 1ull << 32; }),
        with(cr_rule(2, 4, 1), [](hv_rule& r) { r.access = HV_ACCESS_READ; }),
        with(cr_rule(2, 4, 1), [](hv_rule& r) { r.flags = HV_RULE_PASSES | HV_RULE_UNCHANGED; }),
        table_rule(2, HV_TABLE_GDT, HV_TABLE_COUNT),
        with(table_rule(2, 0, 1), [](hv_rule& r) { r.mask = 0; }),
        with(table_rule(2, 0, 1), [](hv_rule& r) { r.access = HV_ACCESS_READ; }),
        with(table_rule(2, 0, 1), [](hv_rule& r) { r.flags = HV_RULE_PASSES; }),
        io_rule(2, 0, 0x10000),
        io_rule(2, 5, 4),
        io_rule(2, 5, 5, HV_ACTION_DENY, HV_ACCESS_EXECUTE),
        with(io_rule(2, 5, 5), [](hv_rule& r) { r.mask = 1; }),
        with(io_rule(2, 5, 5, HV_ACTION_DENY, HV_ACCESS_WRITE),
             [](hv_rule& r) { r.flags = HV_RULE_PASSES; }),
        xcr_rule(2, 0),
        xcr_rule(2, 1ull << 32),
        with(xcr_rule(2, 4), [](hv_rule& r) { r.last = 1; }),
        cpuid_rule(2, 7, 0, 0),
        with(cpuid_rule(2, 7, 1, 0), [](hv_rule& r) { r.access = HV_ACCESS_WRITE; }),
        with(cpuid_rule(2, 7, 1, 0), [](hv_rule& r) { r.pass_last = 1; }),
        with(cpuid_rule(2, 7, 1, 0), [](hv_rule& r) { r.flags = HV_RULE_PASSES; }),
        instruction_rule(2, 0),
        instruction_rule(2, 1u << HV_INSTRUCTION_COUNT),
        with(instruction_rule(2, 1), [](hv_rule& r) { r.access = HV_ACCESS_WRITE; }),
    };
}

inline std::vector<hv_rule> unsound_guest_rules() {
    auto const port = of_guests(io_rule(2, 5, 5));
    return {
        with(port, [](hv_rule& r) { r.mask = 5ull | 4ull << 32; }),
        with(port, [](hv_rule& r) { r.cpus = 1; }),
        with(port, [](hv_rule& r) { r.action = HV_ACTION_KEEP; }),
        with(port, [](hv_rule& r) { r.flags |= HV_RULE_PASSES; }),
        with(port, [](hv_rule& r) { r.last = 0x10000; }),
        of_guests(msr_rule(2, 0x10, 0x10)),    // guests have them without an exit
        of_guests(msr_rule(2, 0xc0000000, 0xc0000085)),
        of_guests(msr_rule(2, 0x277, 0x277)),
        of_guests(msr_rule(2, 0, 1ull << 32)),
        of_guests(xcr_rule(2, 4)),
        of_guests(cr_rule(2, 4, 1)),
        with(table_rule(2, 0, 1), [](hv_rule& r) { r.last = 1; }),
        with(table_rule(2, 0, 1), [](hv_rule& r) { r.flags = HV_RULE_GROWS; }),
        debug_rule(2, 0),
        debug_rule(2, 1ull << 36),
        with(debug_rule(2, 1), [](hv_rule& r) { r.first = r.last = 7; }),
        with(debug_rule(2, 1), [](hv_rule& r) { r.flags = HV_RULE_GROWS; }),
        with(limit_rule(2, {}, {}), [](hv_rule& r) { r.last = 1ull << 32; }),
        with(limit_rule(2, {}, {}), [](hv_rule& r) { r.cpus = 1; }),
        with(limit_rule(2, {}, {}), [](hv_rule& r) { r.access = HV_ACCESS_WRITE; }),
        with(limit_rule(2, {}, {}), [](hv_rule& r) { r.action = HV_ACTION_KILL; }),
        limit_rule(2, {2, 1}, {}),
    };
}

inline std::vector<hv_rule> unsound_rules() {
    auto all = unsound_msr_rules();
    for (auto const& r : unsound_memory_rules()) all.push_back(r);
    for (auto const& r : unsound_other_rules()) all.push_back(r);
    for (auto const& r : unsound_scopes()) all.push_back(r);
    for (auto const& r : unsound_guest_rules()) all.push_back(r);
    return all;
}

}    // namespace fake
