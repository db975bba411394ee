// SPDX-License-Identifier: MIT
// Exits on MOV to CR0 and CR4, CLTS and LMSW that touch a bit which the core or a rule keeps.
#include "vmx/exit.hpp"

namespace hv::vmx {

namespace {

enum class cr_instruction : unsigned { mov_to = 0, mov_from = 1, clts = 2, lmsw = 3 };

struct cr_write {
    unsigned number{};
    std::uint64_t value{};
    bool known{};
};

/// What the instruction wants to write. MOV from CR and other registers never exit.
cr_write decode(cpu& c, cr_access q) {
    auto const seen = make<cr0>(c.control_register(0).seen());
    switch (static_cast<cr_instruction>(q.get<cr_access::type>())) {
    case cr_instruction::mov_to: {
        auto const number = q.get<cr_access::number>();
        auto const* from = c.base.gpr.numbered(q.get<cr_access::from>());
        bool const known = number == 0 || number == 4;
        return {number, from != nullptr ? *from : c.vmcs.read<guest_rsp>().raw, known};
    }
    case cr_instruction::clts: return {0, seen.with<cr0::ts>(false).raw, true};
    case cr_instruction::lmsw: { // sets PE, never clears it
        auto const low = q.get<cr_access::lmsw_source>() | (seen.raw & cr0::pe::mask);
        return {0, seen.with<cr0::low_word>(low).raw, true};
    }
    case cr_instruction::mov_from: break;
    }
    return {};
}

void record_cr(cpu& c, cr_write const& w, verdict by, std::uint64_t old) {
    c.base.records.append({.tsc = insn::rdtsc(),
                           .kind = record_kind(event_kind::cr, by.action),
                           .reason = static_cast<std::uint16_t>(exit_reason::cr_access),
                           .rule = by.rule,
                           .access = HV_ACCESS_WRITE,
                           .rip = c.rip().raw,
                           .address = w.number,
                           .value = w.value,
                           .old_value = old});
}

} // namespace

after on_cr_access(cpu& c) {
    auto const w = decode(c, make<cr_access>(c.vmcs.read<exit_qualification>()));
    if (!w.known) return on_unexpected(c);
    auto const now = c.control_register(w.number);
    auto const bits = w.number == 0 ? cr0_bits : cr4_bits;
    auto const d = decide_write(w.number, now, w.value, bits, c.machine().rules());
    if (d.by.action != action::allow) record_cr(c, w, d.by, now.seen());
    auto const wanted = make<cr0>(w.value);
    bool const impossible = w.number == 0 && wanted.get<cr0::nw>() && !wanted.get<cr0::cd>();
    if (d.fault || impossible) {
        c.inject(general_protection);
        return after::resume;
    }
    c.set_control_register(w.number, d.next);
    return after::resume; // executed again, and now nothing of it exits
}

} // namespace hv::vmx
