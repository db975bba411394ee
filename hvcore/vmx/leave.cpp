// SPDX-License-Identifier: MIT
#include "vmx/cpu.hpp"

namespace hv::vmx {

namespace {
template <typename...> struct fields {};
template <typename... To, typename... From>
void move_all(current_vmcs const& v, fields<To...> /*to*/, fields<From...> /*from*/) {
    (v.write<To>(from_raw<typename To::value_type>(to_raw(v.read<From>()))), ...);
}
using host =
    fields<host_cr0, host_cr3, host_cr4, host_efer, host_pat, host_cs_selector, host_ss_selector,
           host_tr_selector, host_tr_base, host_fs_base, host_gs_base, host_gdtr_base,
           host_idtr_base, host_sysenter_cs, host_sysenter_esp, host_sysenter_eip, host_rsp>;
using guest = fields<guest_cr0, guest_cr3, guest_cr4, guest_efer, guest_pat, guest_cs_selector,
                     guest_ss_selector, guest_tr_selector, guest_tr_base, guest_fs_base,
                     guest_gs_base, guest_gdtr_base, guest_idtr_base, guest_sysenter_cs,
                     guest_sysenter_esp, guest_sysenter_eip, guest_rsp>;
}    // namespace

/// The only instruction that changes CR3, RIP, RSP, GDTR, IDTR and TR at once is a VM exit, so the
/// way back is one: the host state becomes what Linux runs with, the guest state becomes one that
/// no CPU enters (RFLAGS bit 1 clear), and the failing VMRESUME loads the host state, that is
/// Linux, at `target`.
/// Errors   invalid: not 64-bit code, a selector with RPL or LDT, or a target that is not
///          canonical.
/// Source   SDM 3C 27.8 "VM-Entry Failures During or After Loading Guest State".
status cpu::leave(gva target, hpa /*table*/) {
    auto const selectors = vmcs.read<guest_cs_selector>() | vmcs.read<guest_ss_selector>() |
                           vmcs.read<guest_tr_selector>();
    if (!canonical(target) || target.raw == 0) return error{errc::invalid};
    if (!runs_64_bit_code() || (selectors & 7) != 0) return error{errc::invalid};
    if (vmcs.read<guest_tr_selector>() == 0) return error{errc::invalid};    // no exit loads that
    if (!vmcs.read<guest_efer>().get<efer::lma>()) return error{errc::invalid};
    record(*this, HV_RECORD_UNHOISTED);
    move_all(vmcs, host{}, vmx::guest{});
    for (auto i : {0u, 3u, 4u, 5u}) vmcs.write_at<host_es_selector>(i, 0);    // ES DS FS GS
    vmcs.write<host_rip>(target.raw);
    vmcs.write<guest_rflags>(rflags{});
    base.gpr.rax = 0;
    base.gpr.rdx = control_at.raw;
    base.state.store(cpu_state::unhoisted);
    base.shared->launched = 0;
    base.pending_work.store(0);
    return done;
}

}    // namespace hv::vmx
