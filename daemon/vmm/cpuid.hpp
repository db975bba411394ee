// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include <linux/kvm.h>

namespace hv::vmm {

struct cpu_place {
    unsigned id;       // also of its local APIC
    unsigned count;    // of the VM; all are cores of one package, one thread each
    bool deadline_timer;
};

/// What the CPU at `place` answers, made from what the node supports.
std::vector<kvm_cpuid_entry2> cpuid_of(std::vector<kvm_cpuid_entry2> supported,
                                       cpu_place const& place);

}
