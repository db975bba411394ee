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

void write_segments(save_area& to, hv_vcpu_system const& s) {
    to.es = to_vmcb(s.es);
    to.cs = to_vmcb(s.cs);
    to.ss = to_vmcb(s.ss);
    to.ds = to_vmcb(s.ds);
    to.fs = to_vmcb(s.fs);
    to.gs = to_vmcb(s.gs);
    to.ldtr = to_vmcb(s.ldtr);
    to.tr = to_vmcb(s.tr);
    to.gdtr = {0, 0, s.gdtr.limit, s.gdtr.base};
    to.idtr = {0, 0, s.idtr.limit, s.idtr.base};
    to.cpl = static_cast<std::uint8_t>(s.ss.attributes >> 5 & 3);
}

void write_msrs(save_area& to, hv_vcpu_system const& s) {
    to.star = s.star;
    to.lstar = s.lstar;
    to.cstar = s.cstar;
    to.sfmask = s.fmask;
    to.kernel_gs_base = s.kernel_gs_base;
    to.sysenter_cs = s.sysenter_cs;
    to.sysenter_esp = s.sysenter_esp;
    to.sysenter_eip = s.sysenter_eip;
    to.pat = s.pat;
}

}    // namespace

status write_system(cpu const& c, guest_vcpu& v, hv_vcpu_system const& s) {
    HV_TRY(sound_system(s));
    if (c.has.xsave && !xcr0_is_possible(s.xcr0, insn::xgetbv())) return error{errc::invalid};
    auto& b = block_of(v);
    write_segments(b.save, s);
    write_msrs(b.save, s);
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
    v.xcr0 = s.xcr0;
    v.tsc_aux = s.tsc_aux;
    for (unsigned i = 0; i < 4; ++i) v.dr[i] = s.dr[i];
    return done;
}

void read_system(guest_vcpu const& v, hv_vcpu_system& s) {
    auto const& b = block_of(v);
    auto const& f = b.save;
    s.es = from_vmcb(f.es);
    s.cs = from_vmcb(f.cs);
    s.ss = from_vmcb(f.ss);
    s.ss.attributes = static_cast<std::uint16_t>((s.ss.attributes & ~0x60u) |
                                                 static_cast<unsigned>(f.cpl) << 5);
    s.ds = from_vmcb(f.ds);
    s.fs = from_vmcb(f.fs);
    s.gs = from_vmcb(f.gs);
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
    s.xcr0 = v.xcr0;
    for (unsigned i = 0; i < 4; ++i) s.dr[i] = v.dr[i];
    s.dr6 = f.dr6;
    s.dr7 = f.dr7;
    s.star = f.star;
    s.lstar = f.lstar;
    s.cstar = f.cstar;
    s.fmask = f.sfmask;
    s.kernel_gs_base = f.kernel_gs_base;
    s.sysenter_cs = f.sysenter_cs;
    s.sysenter_esp = f.sysenter_esp;
    s.sysenter_eip = f.sysenter_eip;
    s.pat = f.pat;
    s.tsc_aux = v.tsc_aux;
    s.tsc_offset = b.control.tsc_offset;
}

}    // namespace hv::svm
