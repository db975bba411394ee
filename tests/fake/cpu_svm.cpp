// SPDX-License-Identifier: MIT
// SVM of the fake CPU. APM 3 "VMRUN", "VMLOAD", "VMSAVE", "CLGI", "STGI"; APM 2 15.5, 15.6, 15.17.
#include "arch/trap.hpp"
#include "base/assert.hpp"
#include "cpu.hpp"

extern "C" void hv_svm_trap(hv::trap_frame& f);

namespace fake {

namespace {

constexpr std::uint32_t efer = 0xc0000080, vm_cr = 0xc0010114, vm_hsave_pa = 0xc0010117;

bool bit(std::uint64_t value, unsigned n) { return (value >> n & 1) != 0; }

/// A descriptor as the VMCB has it.
hv::svm::vmcb_segment segment_of(hv::table_register gdtr, std::uint16_t selector) {
    auto const* low = reinterpret_cast<std::uint64_t const*>(gdtr.base + (selector & ~7u));
    auto const d = low[0];
    auto const limit = static_cast<std::uint32_t>((d & 0xffff) | (d >> 32 & 0xf0000));
    return {selector, static_cast<std::uint16_t>((d >> 40 & 0xff) | (d >> 44 & 0xf00)),
            bit(d, 55) ? limit << 12 | 0xfff : limit,
            (d >> 16 & 0xffffff) | (d >> 32 & 0xff000000) | low[1] << 32};
}

}    // namespace

void cpu::start_svm() { svm.tr = segment_of(gdtr, tr); }

hv::svm::vmcb& cpu::block_at(hv::hpa at) const {
    if (!bit(msrs(efer), 12)) throw root_fault{6};
    auto* const found = around_.memory(at);
    if (found == nullptr || !at.aligned(4096)) throw root_fault{13};
    return *static_cast<hv::svm::vmcb*>(found);
}

void cpu::vmsave(hv::hpa at) {
    auto& s = block_at(at).save;
    log(op::vmsave, at.raw);
    s.fs = {fs, svm.fs.attributes, svm.fs.limit, msrs(0xc0000100)};
    s.gs = {gs, svm.gs.attributes, svm.gs.limit, msrs(0xc0000101)};
    s.tr = svm.tr;
    s.ldtr = svm.ldtr;
    s.kernel_gs_base = msrs(0xc0000102);
    s.star = msrs(0xc0000081);
    s.lstar = msrs(0xc0000082);
    s.cstar = msrs(0xc0000083);
    s.sfmask = msrs(0xc0000084);
    s.sysenter_cs = msrs(0x174);
    s.sysenter_esp = msrs(0x175);
    s.sysenter_eip = msrs(0x176);
}

void cpu::vmload(hv::hpa at) {
    auto const& s = block_at(at).save;
    log(op::vmload, at.raw);
    svm.fs = s.fs;
    svm.gs = s.gs;
    svm.tr = s.tr;
    svm.ldtr = s.ldtr;
    fs = s.fs.selector;
    gs = s.gs.selector;
    tr = s.tr.selector;
    ldtr = s.ldtr.selector;
    auto& m = msrs.value;
    m[0xc0000100] = s.fs.base;
    m[0xc0000101] = s.gs.base;
    m[0xc0000102] = s.kernel_gs_base;
    m[0xc0000081] = s.star;
    m[0xc0000082] = s.lstar;
    m[0xc0000083] = s.cstar;
    m[0xc0000084] = s.sfmask;
    m[0x174] = s.sysenter_cs;
    m[0x175] = s.sysenter_esp;
    m[0x176] = s.sysenter_eip;
}

void cpu::clgi() {
    if (!bit(msrs(efer), 12)) throw root_fault{6};
    log(op::clgi);
    svm.gif = false;
}

void cpu::open_gif() {
    if (!bit(msrs(efer), 12)) throw root_fault{6};
    if (svm.gif) hv::broken("GIF is open already", __LINE__);
    log(op::open_gif);
    auto const take = [](std::uint64_t vector) {
        hv::trap_frame frame{};
        frame.vector = vector;
        frame.rip = 0x40002000;
        hv_svm_trap(frame);
    };
    if (svm.nmi.exchange(false)) take(2);
    if (!svm.init.exchange(false)) return;
    if (!bit(msrs(vm_cr), 1)) hv::broken("an INIT takes the CPU away from the core", __LINE__);
    take(30);
}

void cpu::load_task(std::uint16_t selector) {
    auto const found = segment_of(gdtr, selector);
    if (selector + 15u > gdtr.limit || found.attributes != 0x89) throw root_fault{13};
    reinterpret_cast<std::uint64_t*>(std::uint64_t{gdtr.base})[selector / 8] |= 2ull
                                                                                << 40;    // busy
    tr = selector;
    svm.tr = segment_of(gdtr, selector);
}

svm_limits cpu::limits_of_svm() const {
    auto const leaf = cpuid(0x8000000a, 0);
    return {.physical_bits = cpuid(0x80000008, 0).eax & 0xff,
            .cr4_known = 0xf70fff,
            .efer_known = 0xfd01,
            .asids = leaf.ebx,
            .nested_paging = bit(leaf.edx, 0)};
}

/// APM 2 15.21.4 "Injecting Virtual (INTR) Interrupts"
void cpu::take_virtual_interrupt(hv::svm::vmcb& v) {
    using hv::svm::virtual_interrupt;
    auto const waits = hv::make<virtual_interrupt>(v.control.virtual_interrupt);
    bool const open = bit(v.save.rflags, 9) && !bit(v.control.interrupt_shadow, 0);
    if (!waits.get<virtual_interrupt::pending>() || !open || svm.interrupt_comes_first) return;
    if (bit(v.control.intercepts_1, 4)) return;    // an exit, which a test makes itself
    injected.push_back(1u << 31 | waits.get<virtual_interrupt::vector>());
    v.control.virtual_interrupt = waits.with<virtual_interrupt::pending>(false).raw;
}

entry cpu::vmrun(hv::hpa at) {
    auto& v = block_at(at);
    log(op::vmentry, at.raw);
    if (around_.memory(hv::hpa{msrs(vm_hsave_pa)}) == nullptr)
        hv::broken("VM_HSAVE_PA is not the core's memory", __LINE__);
    svm.block = &v;
    svm.host = {cr0, cr3, cr4, msrs(efer), msrs(0x277), es, cs, ss, ds, gdtr, idtr};
    broken_rules = check_vmcb(v, limits_of_svm());
    svm.gif = false;
    if (!broken_rules.empty()) {
        v.control.exit_code = ~0ull;
        v.control.exit_info_1 = v.control.exit_info_2 = v.control.exit_event = 0;
        return entry::failed;
    }
    if (v.control.tlb == hv::svm::tlb_control::flush_all) ++svm.flushes;
    if (bit(v.control.event, 31)) {
        injected.push_back(v.control.event);
        v.control.interrupt_shadow = 0;
    }
    take_virtual_interrupt(v);
    gpr.rax = v.save.rax;
    msrs.value[efer] = v.save.efer;
    msrs.value[0x277] = v.save.pat;
    svm.gif = in_guest = true;
    return entry::entered;
}

void cpu::leave_guest(svm_exit const& info) {
    if (!in_guest) hv::broken("an exit of a CPU that runs no guest", __LINE__);
    auto& v = *svm.block;
    v.save.rax = gpr.rax;
    v.save.efer = msrs(efer);
    v.save.pat = msrs(0x277);
    v.control.exit_code = info.code;
    v.control.exit_info_1 = info.info_1;
    v.control.exit_info_2 = info.info_2;
    v.control.exit_event = info.event;
    bool const has_next_rip = bit(cpuid(0x8000000a, 0).edx, 3);
    v.control.next_rip = has_next_rip ? (info.length != 0 ? v.save.rip + info.length : 0) : 0xbad;
    auto const& h = svm.host;
    cr0 = h.cr0;
    cr3 = h.cr3;
    cr4 = h.cr4;
    msrs.value[efer] = h.efer;
    msrs.value[0x277] = h.pat;
    es = h.es;
    cs = h.cs;
    ss = h.ss;
    ds = h.ds;
    gdtr = h.gdtr;
    idtr = h.idtr;
    dr7 = 0x400;
    svm.gif = in_guest = false;
}

}    // namespace fake
