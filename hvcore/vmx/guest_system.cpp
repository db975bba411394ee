// SPDX-License-Identifier: MIT
// A guest's system registers: from the exchange area to the VMCS, and back.
#include "vmx/guest.hpp"

namespace hv::vmx {

namespace {

constexpr std::uint32_t access_of(hv_segment const& s) {
    bool const usable = (s.attributes & 0x80) != 0;
    auto const access = (s.attributes & 0xffu) | (s.attributes & 0xf00u) << 4;
    return usable ? access : segment::unusable;
}
constexpr std::uint16_t attributes_of(std::uint64_t access) {
    if ((access & segment::unusable) != 0) return 0;
    return static_cast<std::uint16_t>((access & 0xff) | (access >> 4 & 0xf00));
}

void write_segments(current_vmcs const& b, hv_vcpu_system const& s) {
    auto const* from = &s.es;
    for (unsigned i = 0; i < segments; ++i)
        b.write_segment(i,
                        {from[i].selector, from[i].limit, access_of(from[i]), gva{from[i].base}});
    b.write<guest_gdtr_base>(gva{s.gdtr.base});
    b.write<guest_gdtr_limit>(s.gdtr.limit);
    b.write<guest_idtr_base>(gva{s.idtr.base});
    b.write<guest_idtr_limit>(s.idtr.limit);
}

/// CR0, CR4 and EFER as the CPU runs with them, and as the guest sees them.
void write_modes(current_vmcs const& b, hv_vcpu_system const& s) {
    b.write<cr0_shadow>(make<cr0>(s.cr0));
    b.write<guest_cr0>(make<cr0>((s.cr0 & ~guest_cr0_mask) | cr0::ne::mask));
    b.write<cr4_shadow>(make<cr4>(s.cr4));
    b.write<guest_cr4>(make<cr4>(s.cr4 | cr4::vmxe::mask));
    b.write<guest_efer>(make<efer>(s.efer));
    auto const entry = make<entry_control>(b.read<entry_controls>())
                           .with<entry_control::ia32e>(make<efer>(s.efer).get<efer::lma>());
    b.write<entry_controls>(static_cast<std::uint32_t>(entry.raw));
}

}    // namespace

status write_system(cpu& c, guest_vcpu& v, hv_vcpu_system const& s) {
    HV_TRY(sound_system(s));
    if (c.has.xsave && !xcr0_is_possible(s.xcr0, insn::xgetbv())) return error{errc::invalid};
    auto const& b = c.vmcs;
    write_segments(b, s);
    write_modes(b, s);
    b.write<guest_cr3>(s.cr3);
    b.write<guest_dr7>(s.dr7);
    b.write<guest_sysenter_cs>(static_cast<std::uint32_t>(s.sysenter_cs));
    b.write<guest_sysenter_esp>(s.sysenter_esp);
    b.write<guest_sysenter_eip>(s.sysenter_eip);
    b.write<guest_pat>(s.pat);
    b.write<tsc_offset>(s.tsc_offset);
    v.outside = s;
    // Translations of the old mode, and of another CR3 that is loaded with the same VPID.
    HV_ASSERT(insn::invvpid(invalidate_all_contexts, 0));
    return done;
}

void read_system(cpu const& c, guest_vcpu const& v, hv_vcpu_system& s) {
    auto const& b = c.vmcs;
    s = v.outside;
    auto* const to = &s.es;
    for (unsigned i = 0; i < segments; ++i) {
        auto const from = b.read_segment(i);
        to[i] = {from.base.raw, from.limit, from.selector, attributes_of(from.access)};
    }
    s.gdtr = {b.read<guest_gdtr_base>().raw, b.read<guest_gdtr_limit>(), 0, 0};
    s.idtr = {b.read<guest_idtr_base>().raw, b.read<guest_idtr_limit>(), 0, 0};
    s.cr0 = (b.read<guest_cr0>().raw & ~guest_cr0_mask) |
            (b.read<cr0_shadow>().raw & guest_cr0_mask);
    s.cr4 = (b.read<guest_cr4>().raw & ~guest_cr4_mask) |
            (b.read<cr4_shadow>().raw & guest_cr4_mask);
    s.cr3 = b.read<guest_cr3>();
    s.efer = b.read<guest_efer>().raw;
    s.dr7 = b.read<guest_dr7>();
    s.sysenter_cs = b.read<guest_sysenter_cs>();
    s.sysenter_esp = b.read<guest_sysenter_esp>();
    s.sysenter_eip = b.read<guest_sysenter_eip>();
    s.pat = b.read<guest_pat>();
    s.tsc_offset = b.read<tsc_offset>();
}

}    // namespace hv::vmx
