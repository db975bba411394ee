// SPDX-License-Identifier: MIT
#include "vmx/cpu.hpp"

namespace hv::vmx {

namespace {
void host_from_guest(current_vmcs const& v, gva target) {
    v.write<host_cr0>(v.read<guest_cr0>());
    v.write<host_cr3>(v.read<guest_cr3>());
    v.write<host_cr4>(v.read<guest_cr4>());
    v.write<host_efer>(v.read<guest_efer>());
    v.write<host_pat>(v.read<guest_pat>());
    v.write<host_cs_selector>(v.read<guest_cs_selector>());
    v.write<host_ss_selector>(v.read<guest_ss_selector>());
    for (auto i : {0u, 3u, 4u, 5u}) v.write_at<host_es_selector>(i, 0);    // ES DS FS GS
    v.write<host_tr_selector>(v.read<guest_tr_selector>());
    v.write<host_tr_base>(v.read<guest_tr_base>().raw);
    v.write<host_fs_base>(v.read<guest_fs_base>().raw);
    v.write<host_gs_base>(v.read<guest_gs_base>().raw);
    v.write<host_gdtr_base>(v.read<guest_gdtr_base>().raw);
    v.write<host_idtr_base>(v.read<guest_idtr_base>().raw);
    v.write<host_sysenter_cs>(v.read<guest_sysenter_cs>());
    v.write<host_sysenter_esp>(v.read<guest_sysenter_esp>());
    v.write<host_sysenter_eip>(v.read<guest_sysenter_eip>());
    v.write<host_rsp>(v.read<guest_rsp>().raw);
    v.write<host_rip>(target.raw);
}
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
    record(HV_RECORD_UNHOISTED);
    host_from_guest(vmcs, target);
    vmcs.write<guest_rflags>(rflags{});
    base.gpr.rax = 0;
    base.gpr.rdx = control_at.raw;
    base.state.store(cpu_state::unhoisted);
    base.shared->launched = 0;
    base.pending_work.store(0);
    return done;
}

}    // namespace hv::vmx
