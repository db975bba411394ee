// SPDX-License-Identifier: MIT
// Exceptions and NMIs that meet a CPU in root mode, and the end of a CPU whose core is broken.
#include "arch/trap.hpp"
#include "vmx/entry.hpp"
#include "vmx/exit_reason.hpp"

namespace hv::vmx {

namespace {

struct mcg_status : reg<mcg_status> {    // SDM 3B 16.3.1.2 "IA32_MCG_STATUS MSR"
    using restart_valid = bit<mcg_status, 0>;
    using in_progress = bit<mcg_status, 2>;
};
static_assert(mcg_status{}.with<mcg_status::in_progress>(true).raw == 4);

/// Between the last look at pending_work and VMRESUME a note would be slept through: start over
/// from the look. The registers are still where the exit entry pushed them, pops do not change
/// memory.
void restart_entry(cpu& c, trap_frame& f) {
    struct stretch {
        char const *from, *end;
        std::uint64_t kept;    // bytes of registers that this way out has not pushed
    };
    constexpr auto kept = offsetof(general_registers, r11);
    stretch const both[] = {{hv_vmx_fast_check, hv_vmx_fast_end, kept},
                            {hv_vmx_rare_check, hv_vmx_rare_end, 0}};
    for (auto const& s : both) {
        auto const from = reinterpret_cast<std::uint64_t>(s.from);
        if (f.rip < from || f.rip >= reinterpret_cast<std::uint64_t>(s.end)) continue;
        f.rip = from;
        f.rsp = reinterpret_cast<std::uint64_t>(&c) + s.kept;
        return;
    }
}

bool survivable_machine_check() {
    auto const s = make<mcg_status>(insn::rdmsr(msr::ia32_mcg_status));
    return s.get<mcg_status::restart_valid>() || !s.get<mcg_status::in_progress>();
}

#ifdef HV_DEBUG_PORT
void print(char const* text) {
    for (; *text != 0; ++text) insn::outb(0xe9, static_cast<std::uint8_t>(*text));
}
void print(std::uint64_t number) {
    for (unsigned shift = 64; shift != 0; shift -= 4)
        insn::outb(0xe9, static_cast<std::uint8_t>("0123456789abcdef"[number >> (shift - 4) & 15]));
    insn::outb(0xe9, ' ');
}
#else
void print(char const*) {}
void print(std::uint64_t) {}
#endif

}    // namespace

cpu& this_cpu() {
    return *reinterpret_cast<cpu*>(
        insn::rdmsr(msr::ia32_gs_base));    // write_host_state put it there
}

void meet_nmi(hv::cpu& c) {
    bool const ours = c.synchronise_requested.load() != 0;
    c.pending_work.fetch_or(ours ? work_synchronise : work_nmi);
}

void park(cpu& c, char const* why) {
    print("\nhvcore: parked: ");
    print(why);
    print(" reason, qualification, rip: ");
    print(c.vmcs.read<exit_reason_field>());
    print(c.vmcs.read<exit_qualification>());
    print(c.rip().raw);
    print("\n");
    c.base.state.store(cpu_state::parked);
    c.base.shared->parked = 1;
    for (;;) insn::cli_hlt();    // an NMI wakes it, is answered by nobody, and it halts again
}

}    // namespace hv::vmx

extern "C" void hv_trap(hv::trap_frame& f) {
    using namespace hv;
    auto& c = vmx::this_cpu();
    if (f.vector == static_cast<std::uint64_t>(vector::nmi)) {
        if (c.base.state.load() == cpu_state::parked) return;
        vmx::meet_nmi(c.base);
        vmx::restart_entry(c, f);
        return;
    }
    if (f.vector == static_cast<std::uint64_t>(vector::machine_check) &&
        vmx::survivable_machine_check()) {
        c.base.pending_work.fetch_or(work_machine_check);
        vmx::restart_entry(c, f);
        return;
    }
    if (auto const to = find_fixup(f.rip); to != 0) {
        f.rip = to;
        return;
    }
    c.base.records.append({.tsc = insn::rdtsc(),
                           .kind = HV_RECORD_ROOT_FAULT,
                           .rip = f.rip,
                           .address = f.vector,
                           .value = f.error,
                           .old_value = f.rsp});
    vmx::print("\nhvcore: vector, error, rip, rsp: ");
    vmx::print(f.vector);
    vmx::print(f.error);
    vmx::print(f.rip);
    vmx::print(f.rsp);
    vmx::park(c, "root fault");
}

/// VMRESUME fell through: the controls or the host state are not sound any more.
extern "C" void hv_vmx_resume_failed(hv::vmx::cpu& c) {
    c.record(HV_RECORD_ENTRY_FAILED, c.vmcs.read<hv::vmx::instruction_error>());
    hv::vmx::park(c, "vmresume");
}
