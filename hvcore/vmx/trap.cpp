// SPDX-License-Identifier: MIT
#include "vmx/entry.hpp"
#include "vmx/exit_reason.hpp"

namespace hv::vmx {

namespace {

/// Between the last look at pending_work and VMRESUME a note would be slept through: start over
/// from the look. The registers are still where the exit entry pushed them, pops do not change
/// memory.
void restart_entry(hv::cpu const& c, trap_frame& f) {
    struct stretch {
        char const *from, *end;
        std::uint64_t kept;    // bytes of registers that this way out has not pushed
    };
    constexpr auto kept = offsetof(general_registers, r11);
    stretch const all[] = {{hv_vmx_fast_check, hv_vmx_fast_end, kept},
                           {hv_vmx_rare_check, hv_vmx_rare_end, 0},
                           {hv_vmx_guest_check, hv_vmx_guest_end, 0}};
    for (auto const& s : all) {
        auto const from = reinterpret_cast<std::uint64_t>(s.from);
        if (f.rip < from || f.rip >= reinterpret_cast<std::uint64_t>(s.end)) continue;
        f.rip = from;
        f.rsp = reinterpret_cast<std::uint64_t>(&c) + s.kept;
        return;
    }
}

}    // namespace

void give_up(cpu& c, char const* why) {
    print("\nhvcore: reason, qualification, rip: ");
    print(c.vmcs.read<exit_reason_field>());
    print(c.vmcs.read<exit_qualification>());
    print(c.rip().raw);
    park(c.base, why);
}

}    // namespace hv::vmx

extern "C" void hv_vmx_trap(hv::trap_frame& f) {
    auto& c = hv::this_cpu();    // write_host_state put it there
    hv::on_root_trap(c, f, [&](hv::trap_frame& at) { hv::vmx::restart_entry(c, at); });
}

/// VMRESUME fell through: the controls or the host state are not sound any more.
extern "C" void hv_vmx_resume_failed(hv::vmx::cpu& c) {
    hv::record(c, HV_RECORD_ENTRY_FAILED, c.vmcs.read<hv::vmx::instruction_error>());
    hv::vmx::give_up(c, "vmresume");
}
