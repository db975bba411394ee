// SPDX-License-Identifier: MIT
// Exits on MOV to CR0 and CR4, CLTS and LMSW that touch a bit which the core or a rule keeps.
#include "vmx/exit.hpp"
#include "vmx/guest.hpp"

namespace hv::vmx {

namespace {

enum class cr_instruction : unsigned { mov_to = 0, mov_from = 1, clts = 2, lmsw = 3 };

struct cr_write {
    unsigned number{};
    std::uint64_t value{};
    bool known{};
};

/// What the instruction wants to write. MOV from CR and other registers never exit.
cr_write decode(cpu const& c, general_registers& gpr, cr_access q) {
    auto const seen = make<cr0>(c.control_register(0).seen());
    switch (static_cast<cr_instruction>(q.get<cr_access::type>())) {
    case cr_instruction::mov_to: {
        auto const number = q.get<cr_access::number>();
        auto const* from = gpr.numbered(q.get<cr_access::from>());
        bool const known = number == 0 || number == 4;
        return {number, from != nullptr ? *from : c.vmcs.read<guest_rsp>().raw, known};
    }
    case cr_instruction::clts: return {0, seen.with<cr0::ts>(false).raw, true};
    case cr_instruction::lmsw: {    // sets PE, never clears it
        auto const low = q.get<cr_access::lmsw_source>() | (seen.raw & cr0::pe::mask);
        return {0, seen.with<cr0::low_word>(low).raw, true};
    }
    case cr_instruction::mov_from: break;
    }
    return {};
}

bool takes(cpu const& c, cr_write const& w) {
    auto const& v = c.vmcs;
    paging_mode const m{v.read<guest_cr0>(),  v.read<guest_cr4>(),
                        v.read<guest_efer>(), c.runs_64_bit_code(),
                        v.read<guest_cr3>(),  insn::rdmsr(msr::ia32_vmx_cr4_fixed1)};
    return w.number == 0 ? takes_cr0(make<cr0>(w.value), m) : takes_cr4(make<cr4>(w.value), m);
}

after refuse(cpu& c) {
    c.inject(general_protection);
    return after::resume;
}

/// What the CPU does by itself when it executes the write: IA-32e mode goes with paging, and
/// translations of the old mode are dropped.
void follow(cpu& c) {
    auto const now = c.vmcs.read<guest_efer>();
    bool const active = now.get<efer::lme>() && c.vmcs.read<guest_cr0>().get<cr0::pg>();
    c.vmcs.write<guest_efer>(now.with<efer::lma>(active));
    auto const controls = make<entry_control>(c.vmcs.read<entry_controls>());
    c.vmcs.write<entry_controls>(
        static_cast<std::uint32_t>(controls.with<entry_control::ia32e>(active).raw));
    HV_ASSERT(insn::invvpid(invalidate_all_contexts, 0));
}

}    // namespace

/// A guest's write of a bit that the core keeps from it: its shadow takes the bit, the instruction
/// is executed again, and now nothing of it exits.
bool write_guest_cr(cpu& c, general_registers& gpr, cr_access q) {
    auto const w = decode(c, gpr, q);
    if (!w.known || !takes(c, w)) return false;
    auto const never = w.number == 4 ? cr4::vmxe::mask : 0;
    if ((w.value & never) != 0) return false;
    auto r = c.control_register(w.number);
    r.shadow = (r.shadow & ~r.mask) | (w.value & r.mask);
    c.set_control_register(w.number, r);
    return true;
}

after on_cr_access(cpu& c) {
    auto const w = decode(c, c.base.gpr, make<cr_access>(c.vmcs.read<exit_qualification>()));
    if (!w.known) return on_unexpected(c);
    if (!takes(c, w)) return refuse(c);
    auto const now = c.control_register(w.number);
    auto const bits = w.number == 0 ? cr0_bits : cr4_bits;
    auto const rip = c.linear_rip();
    auto const d = decide_write(w.number, now, w.value, bits, c.machine().rules(), rip,
                                c.base.shared->cpu_id);
    record_verdict(c.base, c.reason(),
                   {event_kind::cr, HV_ACCESS_WRITE, w.number, w.value, now.seen(), rip.raw}, d.by);
    if (d.fault || !takes(c, {w.number, d.value, true})) return refuse(c);
    c.set_control_register(w.number, d.next);
    if (d.next.real != now.real) follow(c);
    if (d.value != w.value) c.begin_step();    // at its end kept bits are seen again as they are
    return after::resume;                      // executed again, and now nothing of it exits
}

}    // namespace hv::vmx
