// SPDX-License-Identifier: MIT
#pragma once
// What rules say of the accesses of guest VMs that leave them for the root VM.
#include "guest/vcpu.hpp"
#include "root/machine.hpp"
#include "vcpu/exception.hpp"

namespace hv {

/// Of an exit of the guest `v` that is about to end its run: `next`, or what rules make of it.
/// rip     linear address of the instruction
/// fault   makes the guest go on with an exception
template <typename Cpu, typename Fault>
next judge_guest(Cpu& c, guest_vcpu const& v, next const& otherwise, std::uint16_t reason,
                 std::uint64_t rip, Fault const& fault) {
    auto const& x = otherwise.exit;
    if (x.why != HV_GUEST_IO && x.why != HV_GUEST_MSR_READ && x.why != HV_GUEST_MSR_WRITE)
        return otherwise;
    auto& vm = *c.machine().guests.vcpus[v.slot].owner;
    auto const bytes = x.why == HV_GUEST_IO ? x.detail >> HV_GUEST_IO_BYTES_SHIFT : 0;
    bool const read = x.why == HV_GUEST_MSR_READ ||
                      (bytes != 0 && (x.detail & HV_GUEST_IO_IN) != 0);
    std::uint32_t const access = read ? HV_ACCESS_READ : HV_ACCESS_WRITE;
    event const e{event_kind::guest,
                  access,
                  x.address,
                  x.value,
                  bytes | std::uint64_t{vm.user} << 32,
                  rip,
                  vm.user};
    auto const by = c.machine().rules().decide(e);
    record_verdict(c.common(), reason, e, by);
    if (by.action == action::deny) return fault(general_protection);
    if (by.action < action::pause) return otherwise;
    vm.killed = vm.killed || by.action == action::kill;
    return back({by.action == action::kill ? HV_GUEST_KILLED : HV_GUEST_PAUSED, 0, 0, by.rule});
}

}    // namespace hv
