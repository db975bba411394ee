// SPDX-License-Identifier: MIT
// A guest's system registers: from the exchange area to the VMCB, and back.
#include "svm/guest.hpp"

namespace hv::svm {

namespace {

constexpr vmcb_segment to_vmcb(hv_segment const& s) {
    bool const usable = (s.attributes & 0x80) != 0;
    return {s.selector, static_cast<std::uint16_t>(usable ? s.attributes & 0xfff : 0), s.limit,
            s.base};
}
constexpr hv_segment from_vmcb(vmcb_segment const& s) {
    return {s.base, s.limit, s.selector, s.attributes};
}

constexpr unsigned ordinary_segments = 6;    // es cs ss ds fs gs, here as there
constexpr unsigned call_msrs = 8;            // from star to sysenter_eip, likewise

void write_segments(save_area& to, hv_vcpu_system const& s) {
    for (unsigned i = 0; i < ordinary_segments; ++i) (&to.es)[i] = to_vmcb((&s.es)[i]);
    to.ldtr = to_vmcb(s.ldtr);
    to.tr = to_vmcb(s.tr);
    to.gdtr = {0, 0, s.gdtr.limit, s.gdtr.base};
    to.idtr = {0, 0, s.idtr.limit, s.idtr.base};
    to.cpl = static_cast<std::uint8_t>(s.ss.attributes >> 5 & 3);
}

}    // namespace

status write_system(cpu const& c, guest_vcpu& v, hv_vcpu_system const& s) {
    HV_TRY(sound_system(s));
    if (c.has.xsave && !xcr0_is_possible(s.xcr0, insn::xgetbv())) return error{errc::invalid};
    auto& b = block_of(v);
    write_segments(b.save, s);
    for (unsigned i = 0; i < call_msrs; ++i) (&b.save.star)[i] = (&s.star)[i];
    b.save.pat = s.pat;
    b.save.cr0 = s.cr0;
    b.save.cr2 = s.cr2;
    b.save.cr3 = s.cr3;
    b.save.cr4 = s.cr4;
    b.save.efer = make<efer>(s.efer).with<efer::svme>(true).raw;    // or VMRUN refuses
    b.save.dr6 = s.dr6;
    b.save.dr7 = s.dr7;
    b.control.tsc_offset = s.tsc_offset;
    b.control.virtual_interrupt = make<virtual_interrupt>(b.control.virtual_interrupt)
                                      .with<virtual_interrupt::tpr>(s.cr8)
                                      .raw;
    v.outside = s;
    return done;
}

void read_system(guest_vcpu const& v, hv_vcpu_system& s) {
    auto const& b = block_of(v);
    auto const& f = b.save;
    s = v.outside;
    for (unsigned i = 0; i < ordinary_segments; ++i) (&s.es)[i] = from_vmcb((&f.es)[i]);
    s.ss.attributes = static_cast<std::uint16_t>((s.ss.attributes & ~0x60u) |
                                                 static_cast<unsigned>(f.cpl) << 5);
    s.ldtr = from_vmcb(f.ldtr);
    s.tr = from_vmcb(f.tr);
    s.gdtr = from_vmcb(f.gdtr);
    s.idtr = from_vmcb(f.idtr);
    s.cr0 = f.cr0;
    s.cr2 = f.cr2;
    s.cr3 = f.cr3;
    s.cr4 = f.cr4;
    s.cr8 = make<virtual_interrupt>(b.control.virtual_interrupt).get<virtual_interrupt::tpr>();
    s.efer = make<efer>(f.efer).with<efer::svme>(false).raw;
    s.dr6 = f.dr6;
    s.dr7 = f.dr7;
    for (unsigned i = 0; i < call_msrs; ++i) (&s.star)[i] = (&f.star)[i];
    s.pat = f.pat;
    s.tsc_offset = b.control.tsc_offset;
}

}    // namespace hv::svm
