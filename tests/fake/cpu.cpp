// SPDX-License-Identifier: MIT
#include "cpu.hpp"
#include "arch/insn.hpp"
#include "base/assert.hpp"
#include <thread>

namespace fake {

namespace {
thread_local cpu* running = nullptr;
constexpr std::uint64_t apic_page = 0xfee00000;
constexpr std::uint32_t icr_low = 0x300, icr_high = 0x310;
}    // namespace

cpu& this_cpu() {
    if (running == nullptr) hv::broken("no fake CPU runs on this thread", __LINE__);
    // The core's code never runs in guest mode: a test has forgotten the exit.
    if (running->in_guest) hv::broken("core code in guest mode", __LINE__);
    return *running;
}

on_cpu::on_cpu(cpu& c) : before_{running} { running = &c; }
on_cpu::~on_cpu() { running = before_; }

std::uint64_t ticks_of(cpu& c) { return c.around_.ticks(); }

cpu::cpu(std::uint32_t apic_number, surroundings around, vendor maker)
    : gdt{linux_gdt()},
      msrs{maker == vendor::amd ? amd_msrs() : default_msrs()},
      leaves{maker == vendor::amd ? amd_leaves(apic_number) : default_leaves(apic_number)},
      apic_id_{apic_number},
      around_{std::move(around)},
      maker_{maker} {
    gdtr = {127, reinterpret_cast<std::uint64_t>(gdt.data())};
    if (maker == vendor::amd) start_svm();
    if (apic_number == 0) msrs.value[0x1b] |= 0x100;
    apic[icr_high] = 0x5a000000;
}

hv::cpuid_leaf cpu::cpuid(std::uint32_t leaf, std::uint32_t subleaf) const {
    auto found = leaves.find(std::uint64_t{leaf} << 32 | subleaf);
    if (found == leaves.end() && leaf != 7 && leaf != 0xb && leaf != 0xd)
        found = leaves.find(std::uint64_t{leaf} << 32);
    if (found == leaves.end()) return {};
    auto answer = found->second;
    if (leaf == 1) answer.ecx = (answer.ecx & ~(1u << 27)) | (cr4 >> 18 & 1 ? 1u << 27 : 0);
    if (leaf == 7 && subleaf == 0)
        answer.ecx = (answer.ecx & ~(1u << 4)) | (cr4 >> 22 & 1 ? 1u << 4 : 0);
    return answer;
}

bool cpu::xsetbv(std::uint32_t index, std::uint64_t value) {
    auto const supported = cpuid(0xd, 0).eax;
    if ((cr4 >> 18 & 1) == 0) throw root_fault{6};
    if (index != 0 || (value & ~std::uint64_t{supported}) != 0 || (value & 1) == 0) return false;
    if ((value & 4) != 0 && (value & 2) == 0) return false;
    log(op::xsetbv, index, value);
    xcr0 = value;
    return true;
}

void cpu::write_cr4(std::uint64_t value) {
    bool const clears_vmxe = (cr4 >> 13 & 1) != 0 && (value >> 13 & 1) == 0;
    bool const sets_pcide = (cr4 >> 17 & 1) == 0 && (value >> 17 & 1) != 0;
    if ((vmx_on && clears_vmxe) || (sets_pcide && (cr3 & 0xfff) != 0)) throw root_fault{13};
    cr4 = value;
}

std::optional<std::pair<hv::hpa, std::uint64_t>> cpu::translate(hv::hva at) const {
    std::uint64_t table = cr3 & 0xffffffffff000;
    for (unsigned shift = 39;; shift -= 9) {
        auto const* words = static_cast<std::uint64_t const*>(around_.memory(hv::hpa{table}));
        if (words == nullptr) return std::nullopt;
        auto const found = words[at.raw >> shift & 511];
        if ((found & 1) == 0) return std::nullopt;
        table = found & 0xffffffffff000;
        if (shift == 12) return {{hv::hpa{table + (at.raw & 0xfff)}, found}};
    }
}

std::uint32_t cpu::read_apic(hv::hva at) const {
    auto const to = translate(at);
    if (!to || to->first.down(4096) != hv::hpa{apic_page}) throw root_fault{14};
    if ((to->second & 0x10) == 0) hv::broken("the APIC is mapped cached", __LINE__);
    auto const found = apic.find(static_cast<std::uint32_t>(to->first.raw & 0xfff));
    return found == apic.end() ? 0 : found->second;
}

void cpu::write_apic(hv::hva at, std::uint32_t value) {
    static_cast<void>(read_apic(at));
    auto const offset = static_cast<std::uint32_t>(at.raw & 0xfff);
    apic[offset] = value;
    if (offset != icr_low) return;
    log(op::nmi_sent, apic[icr_high] >> 24, value);
    if ((value >> 8 & 7) == 4) around_.send_nmi(apic[icr_high] >> 24);
}

std::uint64_t cpu::count(op what) const {
    std::uint64_t n = 0;
    for (auto const& s : steps) n += s.what == what;
    return n;
}

}    // namespace fake

namespace hv::insn {

using fake::op;
using fake::this_cpu;

std::uint64_t rdmsr(std::uint32_t index) {
    std::uint64_t value = 0;
    if (!this_cpu().read_msr(index, value)) throw fake::root_fault{13};
    return value;
}
void wrmsr(std::uint32_t index, std::uint64_t value) {
    if (!wrmsr_safe(index, value)) throw fake::root_fault{13};
}
bool rdmsr_safe(std::uint32_t index, std::uint64_t& value) {
    value = 0;
    return this_cpu().read_msr(index, value);
}
bool wrmsr_safe(std::uint32_t index, std::uint64_t value) {
    auto& c = this_cpu();
    if (!c.write_msr(index, value)) return false;
    c.log(op::wrmsr, index, value);
    return true;
}
bool xsetbv_safe(std::uint32_t index, std::uint64_t value) {
    return this_cpu().xsetbv(index, value);
}
cpuid_leaf cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
    return this_cpu().cpuid(leaf, subleaf);
}
void cpuid(std::uint64_t& rax, std::uint64_t& rbx, std::uint64_t& rcx, std::uint64_t& rdx) {
    auto const leaf = this_cpu().cpuid(static_cast<std::uint32_t>(rax),
                                       static_cast<std::uint32_t>(rcx));
    rax = leaf.eax;
    rbx = leaf.ebx;
    rcx = leaf.ecx;
    rdx = leaf.edx;
}

bool vmxon(hpa region) { return this_cpu().vmxon(region); }
void vmxoff() { this_cpu().vmxoff(); }
bool vmclear(hpa region) { return this_cpu().vmclear(region); }
bool vmptrld(hpa region) { return this_cpu().vmptrld(region); }
bool vmread(std::uint64_t field, std::uint64_t& value) { return this_cpu().vmread(field, value); }
bool vmwrite(std::uint64_t field, std::uint64_t value) { return this_cpu().vmwrite(field, value); }
bool invept(std::uint64_t type, std::uint64_t ept_pointer) {
    return this_cpu().invalidate(op::invept, type, ept_pointer);
}
bool invvpid(std::uint64_t type, std::uint16_t vpid) {
    return this_cpu().invalidate(op::invvpid, type, vpid);
}

void vmsave(hpa vmcb) { this_cpu().vmsave(vmcb); }
void clgi() { this_cpu().clgi(); }
void open_gif() { this_cpu().open_gif(); }
void ltr(std::uint16_t task) { this_cpu().load_task(task); }
void load_segments(std::uint16_t code, std::uint16_t data) {
    auto& c = this_cpu();
    c.cs = code;
    c.ss = data;
    c.ds = c.es = c.fs = c.gs = 0;
}

std::uint64_t read_cr0() { return this_cpu().cr0; }
std::uint64_t xgetbv() { return this_cpu().xcr0; }
std::uint64_t read_cr2() { return this_cpu().cr2; }
void write_cr2(std::uint64_t value) { this_cpu().cr2 = value; }
std::uint64_t read_dr0() { return this_cpu().dr[0]; }
std::uint64_t read_dr1() { return this_cpu().dr[1]; }
std::uint64_t read_dr2() { return this_cpu().dr[2]; }
std::uint64_t read_dr3() { return this_cpu().dr[3]; }
void write_dr0(std::uint64_t value) { this_cpu().dr[0] = value; }
void write_dr1(std::uint64_t value) { this_cpu().dr[1] = value; }
void write_dr2(std::uint64_t value) { this_cpu().dr[2] = value; }
void write_dr3(std::uint64_t value) { this_cpu().dr[3] = value; }
void write_dr6(std::uint64_t value) { this_cpu().dr6 = value; }
std::uint64_t read_cr3() { return this_cpu().cr3; }
std::uint64_t read_cr4() { return this_cpu().cr4; }
std::uint64_t read_dr6() { return this_cpu().dr6; }
std::uint64_t read_dr7() { return this_cpu().dr7; }
void write_cr0(std::uint64_t value) { this_cpu().cr0 = value; }
void write_cr3(std::uint64_t value) {
    this_cpu().cr3 = value;
    this_cpu().log(op::write_cr3, value);
}
void write_cr4(std::uint64_t value) { this_cpu().write_cr4(value); }
std::uint16_t read_cs() { return this_cpu().cs; }
std::uint16_t read_ss() { return this_cpu().ss; }
std::uint16_t read_ds() { return this_cpu().ds; }
std::uint16_t read_es() { return this_cpu().es; }
std::uint16_t read_fs() { return this_cpu().fs; }
std::uint16_t read_gs() { return this_cpu().gs; }
std::uint16_t str() { return this_cpu().tr; }
std::uint16_t sldt() { return this_cpu().ldtr; }
table_register sgdt() { return this_cpu().gdtr; }
table_register sidt() { return this_cpu().idtr; }
void lgdt(table_register value) { this_cpu().gdtr = value; }
void lidt(table_register value) {
    this_cpu().idtr = value;
    this_cpu().log(op::lidt, value.limit, value.base);
}
void invlpg(hva at) { this_cpu().log(op::invlpg, at.raw); }
std::uint64_t rdtsc() { return ticks_of(this_cpu()); }
void wbinvd() { this_cpu().log(op::wbinvd); }
void pause() { std::this_thread::yield(); }
void cli_hlt() { throw fake::halted{}; }
void outb(std::uint16_t port, std::uint8_t value) { this_cpu().log(op::outb, port, value); }
std::uint32_t read_mmio(hva at) { return this_cpu().read_apic(at); }
void write_mmio(hva at, std::uint32_t value) { this_cpu().write_apic(at, value); }
void unblock_nmi() { this_cpu().log(op::unblock_nmi); }
void interrupt_of(unsigned vector) {
    this_cpu().log(op::interrupt, vector);
    // With an IDT of limit 0 there is no handler, and none for #DF either: the CPU shuts down.
    if (this_cpu().idtr.limit == 0) throw fake::machine_reset{};
}

}    // namespace hv::insn
