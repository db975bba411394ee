// SPDX-License-Identifier: MIT
// SDM 3C 27.3: guest state. What fails here is an exit with reason 33, on the host state.
#include "entry_check.hpp"

namespace fake {

using namespace entry_rule;

namespace {

struct guest_mode {
    bool long_mode, v86, unrestricted, protected_mode;
};

void check_registers(findings& f, vmcs const& v, vmx_limits const& limits, guest_mode m) {
    auto const cr0 = v[field::cr0];
    auto const cr4 = v[field::cr4];
    auto const efer = v[field::efer];
    std::uint64_t const unchecked = 3ull << 29 | (m.unrestricted ? 1ull << 31 | 1 : 0);
    f.expect(fixed(cr0 | unchecked, limits.cr0_fixed0, limits.cr0_fixed1), "27.3.1.1 CR0");
    f.expect(!bit(cr0, 31) || bit(cr0, 0), "27.3.1.1 CR0.PG without PE");
    f.expect(fixed(cr4, limits.cr4_fixed0, limits.cr4_fixed1), "27.3.1.1 CR4");
    f.expect(!bit(cr4, 23) || bit(cr0, 16), "27.3.1.1 CR4.CET without CR0.WP");
    f.expect(!m.long_mode || (bit(cr0, 31) && bit(cr4, 5)), "27.3.1.1 IA-32e without PG or PAE");
    f.expect(m.long_mode || !bit(cr4, 17), "27.3.1.1 CR4.PCIDE outside IA-32e");
    f.expect(v[field::cr3] >> limits.physical_bits == 0, "27.3.1.1 CR3");
    if (bit(v[field::entry], 2)) {
        f.expect((v[field::debugctl] & ~0xdfc3ull) == 0, "27.3.1.1 DEBUGCTL");
        f.expect(v[field::dr7] >> 32 == 0, "27.3.1.1 DR7");
    }
    f.expect(canonical(v[field::sysenter_esp]), "27.3.1.1 SYSENTER_ESP");
    f.expect(canonical(v[field::sysenter_eip]), "27.3.1.1 SYSENTER_EIP");
    f.expect(!bit(v[field::entry], 14) || pat(v[field::pat]), "27.3.1.1 PAT");
    if (!bit(v[field::entry], 15)) return;
    f.expect((efer & ~0xd01ull) == 0, "27.3.1.1 EFER reserved bits");
    f.expect(bit(efer, 10) == m.long_mode, "27.3.1.1 EFER.LMA");
    f.expect(!bit(cr0, 31) || bit(efer, 8) == bit(efer, 10), "27.3.1.1 EFER.LME");
}

struct segment_view {
    std::uint64_t selector, limit, access, base;
    [[nodiscard]] bool usable() const { return !bit(access, 16); }
    [[nodiscard]] std::uint64_t type() const { return access & 15; }
    [[nodiscard]] std::uint64_t dpl() const { return access >> 5 & 3; }
    [[nodiscard]] bool granular() const {
        if ((limit & 0xfff) != 0xfff && bit(access, 15)) return false;
        return limit >> 20 == 0 || bit(access, 15);
    }
    [[nodiscard]] bool no_reserved() const { return (access & 0xf00) == 0 && access >> 17 == 0; }
};

enum segment_number : std::uint32_t { es, cs, ss, ds, fs, gs, ldtr, tr };

segment_view segment(vmcs const& v, std::uint32_t n) {
    return {v[field::es_selector + 2 * n], v[field::es_limit + 2 * n], v[field::es_access + 2 * n],
            v[field::es_base + 2 * n]};
}

void check_code(findings& f, vmcs const& v, guest_mode m) {
    auto const code = segment(v, cs);
    auto const stack = segment(v, ss);
    bool const ordinary = code.type() == 9 || code.type() == 11 || code.type() == 13 ||
                          code.type() == 15;
    f.expect(ordinary || (code.type() == 3 && m.unrestricted), "27.3.1.2 CS type");
    f.expect(code.type() != 3 || code.dpl() == 0, "27.3.1.2 CS DPL");
    if (code.type() == 9 || code.type() == 11)
        f.expect(code.dpl() == stack.dpl(), "27.3.1.2 CS DPL and SS DPL");
    if (code.type() >= 13) f.expect(code.dpl() <= stack.dpl(), "27.3.1.2 conforming CS DPL");
    f.expect(!m.long_mode || !bit(code.access, 13) || !bit(code.access, 14), "27.3.1.2 CS L and D");
    f.expect(!stack.usable() || stack.type() == 3 || stack.type() == 7, "27.3.1.2 SS type");
    if (code.type() == 3 || !m.protected_mode) f.expect(stack.dpl() == 0, "27.3.1.2 SS DPL");
    if (m.unrestricted) return;
    f.expect((code.selector & 3) == (stack.selector & 3), "27.3.1.2 RPL of CS and SS");
    f.expect(stack.dpl() == (stack.selector & 3), "27.3.1.2 SS DPL and RPL");
}

void check_data(findings& f, vmcs const& v, guest_mode m) {
    for (std::uint32_t const n : {es, ds, fs, gs}) {
        auto const s = segment(v, n);
        if (!s.usable()) continue;
        f.expect(bit(s.type(), 0) && (!bit(s.type(), 3) || bit(s.type(), 1)), "27.3.1.2 data type");
        f.expect(m.unrestricted || s.type() > 11 || s.dpl() >= (s.selector & 3),
                 "27.3.1.2 data DPL");
    }
    for (std::uint32_t const n : {es, cs, ss, ds, fs, gs}) {
        auto const s = segment(v, n);
        if (!s.usable()) {
            f.expect(n != cs, "27.3.1.2 CS unusable");
            continue;
        }
        f.expect(bit(s.access, 4) && bit(s.access, 7), "27.3.1.2 segment S or P clear");
        f.expect(s.no_reserved(), "27.3.1.2 reserved access rights");
        f.expect(s.granular(), "27.3.1.2 limit and granularity");
        f.expect(n == fs || n == gs || s.base >> 32 == 0, "27.3.1.2 base above 4 GiB");
    }
}

void check_v86(findings& f, vmcs const& v) {
    for (std::uint32_t const n : {es, cs, ss, ds, fs, gs}) {
        auto const s = segment(v, n);
        f.expect(s.base == s.selector << 4 && s.limit == 0xffff && s.access == 0xf3,
                 "27.3.1.2 virtual-8086 segment");
    }
}

void check_system_segments(findings& f, vmcs const& v, guest_mode m) {
    auto const task = segment(v, tr);
    auto const local = segment(v, ldtr);
    f.expect(!bit(task.selector, 2), "27.3.1.2 TR in the LDT");
    f.expect(task.usable(), "27.3.1.2 TR unusable");
    f.expect(task.type() == 11 || (task.type() == 3 && !m.long_mode), "27.3.1.2 TR type");
    f.expect(!bit(task.access, 4) && bit(task.access, 7), "27.3.1.2 TR S or P");
    f.expect(task.no_reserved() && task.granular(), "27.3.1.2 TR access rights or limit");
    for (std::uint32_t const n : {fs, gs, tr})
        f.expect(canonical(segment(v, n).base), "27.3.1.2 base not canonical");
    if (local.usable()) {
        f.expect(!bit(local.selector, 2) && canonical(local.base),
                 "27.3.1.2 LDTR selector or base");
        f.expect(local.type() == 2 && !bit(local.access, 4) && bit(local.access, 7),
                 "27.3.1.2 LDTR type");
        f.expect(local.no_reserved() && local.granular(), "27.3.1.2 LDTR access rights or limit");
    }
    for (auto const base : {field::gdtr_base, field::idtr_base})
        f.expect(canonical(v[base]), "27.3.1.3 table base");
    for (auto const limit : {field::gdtr_limit, field::idtr_limit})
        f.expect(v[limit] >> 16 == 0, "27.3.1.3 table limit");
}

void check_position(findings& f, vmcs const& v, guest_mode m) {
    auto const flags = v[field::rflags];
    auto const event = v[field::entry_event];
    bool const code_64 = m.long_mode && bit(v[field::cs_access], 13);
    f.expect(code_64 ? canonical(v[field::rip]) : v[field::rip] >> 32 == 0, "27.3.1.4 RIP");
    f.expect((flags & 0xffffffffffc08028) == 0 && bit(flags, 1), "27.3.1.4 RFLAGS reserved bits");
    f.expect(!m.v86 || (!m.long_mode && m.protected_mode), "27.3.1.4 RFLAGS.VM");
    bool const interrupt = bit(event, 31) && (event >> 8 & 7) == 0;
    f.expect(!interrupt || bit(flags, 9), "27.3.1.4 RFLAGS.IF for an external interrupt");
}

/// Which events may be injected into a processor that is not active.
bool wakes(std::uint64_t activity, std::uint64_t event) {
    auto const type = event >> 8 & 7;
    auto const vector = event & 0xff;
    bool const exception = type == 3 && (vector == 18 || (vector == 1 && activity == 1));
    if (activity == 1) return type == 0 || type == 2 || exception || (type == 7 && vector == 0);
    return activity == 2 && (type == 2 || (type == 3 && vector == 18));
}

void check_activity(findings& f, vmcs const& v, vmx_limits const& limits) {
    auto const activity = v[field::activity];
    auto const blocked = v[field::interruptibility];
    auto const event = v[field::entry_event];
    auto const type = event >> 8 & 7;
    bool const injects = bit(event, 31);
    f.expect(activity <= 3, "27.3.1.5 activity");
    f.expect(activity == 0 || bit(limits.misc, static_cast<unsigned>(5 + activity)),
             "27.3.1.5 activity not supported");
    f.expect(activity != 1 || (v[field::ss_access] >> 5 & 3) == 0, "27.3.1.5 HLT outside ring 0");
    f.expect(activity == 0 || (blocked & 3) == 0,
             "27.3.1.5 not active, but blocked by STI or MOV SS");
    f.expect(activity == 0 || !injects || wakes(activity, event),
             "27.3.1.5 event while not active");
    f.expect((blocked & ~0x1full) == 0 && !bit(blocked, 2),
             "27.3.1.5 interruptibility reserved bits");
    f.expect((blocked & 3) != 3, "27.3.1.5 blocked by STI and MOV SS");
    f.expect(!bit(blocked, 0) || bit(v[field::rflags], 9), "27.3.1.5 blocked by STI with IF clear");
    f.expect(!injects || type != 0 || (blocked & 3) == 0, "27.3.1.5 interrupt while blocked");
    f.expect(!injects || type != 2 || (blocked & 3) == 0, "27.3.1.5 NMI while blocked");
    f.expect(!injects || type != 2 || !bit(v[field::pin], 5) || !bit(blocked, 3),
             "27.3.1.5 NMI while blocked by NMI");
    auto const pending = v[field::pending_debug];
    f.expect((pending & ~0x1500full) == 0, "27.3.1.5 pending debug reserved bits");
    if ((blocked & 3) == 0 && activity != 1) return;
    bool const steps = bit(v[field::rflags], 8) && !bit(v[field::debugctl], 1);
    f.expect(bit(pending, 14) == steps, "27.3.1.5 pending single step");
}

}    // namespace

std::vector<std::string> check_guest(vmcs const& v, vmx_limits const& limits) {
    findings f;
    guest_mode const m{bit(v[field::entry], 9), bit(v[field::rflags], 17), unrestricted(v),
                       bit(v[field::cr0], 0)};
    check_registers(f, v, limits, m);
    if (m.v86) {
        check_v86(f, v);
    } else {
        check_code(f, v, m);
        check_data(f, v, m);
    }
    check_system_segments(f, v, m);
    check_position(f, v, m);
    check_activity(f, v, limits);
    auto const link = v[field::link_pointer];
    f.expect(link == ~0ull, "27.3.1.5 VMCS link pointer");
    bool const pae = bit(v[field::cr0], 31) && bit(v[field::cr4], 5) && !m.long_mode;
    for (std::uint32_t i = 0; pae && i < 4; ++i) {
        auto const entry = v[field::pdpte0 + 2 * i];
        f.expect(!bit(entry, 0) || (entry & 0x1e6) == 0, "27.3.1.6 PDPTE");
    }
    return f.take();
}

}    // namespace fake
