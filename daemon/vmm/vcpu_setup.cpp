// SPDX-License-Identifier: MIT
// The state in which a virtual CPU begins.
#include <algorithm>
#include <array>
#include <cstring>

#include "daemon/vmm/failure.hpp"
#include "daemon/vmm/vcpu.hpp"

namespace hv::vmm {
namespace {

constexpr std::uint64_t cr0_pe = 1u << 0;
constexpr std::uint64_t cr0_et = 1u << 4;
constexpr std::uint64_t cr0_ne = 1u << 5;
constexpr std::uint64_t cr0_pg = 1u << 31;
constexpr std::uint64_t cr4_pae = 1u << 5;
constexpr std::uint64_t efer_lme = 1u << 8;
constexpr std::uint64_t efer_lma = 1u << 10;
constexpr std::uint64_t rflags_one = 1u << 1;

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t table_entry = 3;    // present, writable
constexpr std::uint64_t large_entry = 0x83;
constexpr std::uint64_t large_page = 2u << 20;
constexpr std::uint64_t tables_of_gib = 4;

// Linux's __BOOT_CS and __BOOT_DS; what lies before the second goes unused.
constexpr std::uint16_t code_selector = 0x10;
constexpr std::uint16_t data_selector = 0x18;
constexpr std::uint16_t task_selector = 0x20;
constexpr std::array<std::uint64_t, 5> gdt_64{0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff,
                                              0x00008b0000000067};
constexpr std::array<std::uint64_t, 5> gdt_32{0, 0, 0x00cf9b000000ffff, 0x00cf93000000ffff,
                                              0x00008b0000000067};

kvm_segment segment(std::uint16_t selector, std::uint8_t type) {
    kvm_segment out{};
    out.limit = 0xffffffff;
    out.selector = selector;
    out.type = type;
    out.present = out.s = out.g = 1;
    return out;
}

kvm_segment code_segment(bool long_mode) {
    auto out = segment(code_selector, 0xb);
    out.l = long_mode ? 1 : 0;
    out.db = long_mode ? 0 : 1;
    return out;
}

kvm_segment data_segment() {
    auto out = segment(data_selector, 0x3);
    out.db = 1;
    return out;
}

kvm_segment task_segment() {
    auto out = segment(task_selector, 0xb);
    out.limit = 0x67;
    out.s = out.g = 0;
    return out;
}

/// The first 4 GiB at their own addresses, in pages of 2 MiB.
void write_page_tables(guest_memory const& memory) {
    constexpr auto middle = page_tables_gpa + page;
    constexpr auto low = middle + page;
    memory.put(page_tables_gpa, middle | table_entry);
    for (std::uint64_t i = 0; i < tables_of_gib; ++i) {
        memory.put(middle + i * 8, (low + i * page) | table_entry);
    }
    for (std::uint64_t i = 0; i < tables_of_gib * 512; ++i) {
        memory.put(low + i * 8, i * large_page | large_entry);
    }
}

void set_mode(kvm_sregs& registers, bool long_mode) {
    registers.cr0 = cr0_pe | cr0_et | cr0_ne;
    registers.cr4 = 0;
    registers.efer = 0;
    if (!long_mode) return;
    registers.cr0 |= cr0_pg;
    registers.cr3 = page_tables_gpa;
    registers.cr4 = cr4_pae;
    registers.efer = efer_lme | efer_lma;
}

}

void vcpu::set_start(guest_memory const& memory, boot_start const& start) {
    memory.put(gdt_gpa, start.long_mode ? gdt_64 : gdt_32);
    if (start.long_mode) write_page_tables(memory);
    kvm_sregs system{};
    kvm_call(file_.get(), KVM_GET_SREGS, "KVM_GET_SREGS", &system);
    system.cs = code_segment(start.long_mode);
    system.ds = system.es = system.fs = system.gs = system.ss = data_segment();
    system.tr = task_segment();
    system.gdt.base = gdt_gpa;
    system.gdt.limit = sizeof(gdt_64) - 1;
    system.idt.base = system.idt.limit = 0;
    set_mode(system, start.long_mode);
    kvm_call(file_.get(), KVM_SET_SREGS, "KVM_SET_SREGS", &system);
    kvm_regs registers{};
    registers.rflags = rflags_one;
    registers.rip = start.entry;
    registers.rsp = boot_params_gpa;
    (start.long_mode ? registers.rsi : registers.rbx) = start.information;
    kvm_call(file_.get(), KVM_SET_REGS, "KVM_SET_REGS", &registers);
    kvm_fpu fpu{};
    fpu.fcw = 0x37f;
    fpu.mxcsr = 0x1f80;
    kvm_call(file_.get(), KVM_SET_FPU, "KVM_SET_FPU", &fpu);
}

void vcpu::set_cpuid(kvm_node const& node, cpu_place const& place) {
    kvm_list<kvm_cpuid_entry2> table{cpuid_of(node.supported_cpuid(), place)};
    kvm_call(file_.get(), write_cpuid, "KVM_SET_CPUID2", table.argument());
}

/// Memory is written back everywhere: without a firmware nobody else would say so.
void vcpu::set_msrs() {
    constexpr std::uint32_t mtrr_default_type = 0x2ff;
    constexpr std::uint64_t on_and_write_back = 1u << 11 | 6;
    kvm_msr_entry entry{};
    entry.index = mtrr_default_type;
    entry.data = on_and_write_back;
    kvm_list<kvm_msr_entry> list{std::vector{entry}};
    if (kvm_call(file_.get(), write_msrs, "KVM_SET_MSRS", list.argument()) != 1) {
        throw failure{"KVM_SET_MSRS: the memory types of a virtual CPU cannot be set"};
    }
}

/// As a firmware leaves it: the old interrupt controller on the first pin, NMIs on the second.
void vcpu::set_local_apic() {
    constexpr std::size_t pins[]{0x350, 0x360};
    constexpr std::uint32_t modes[]{7u << 8, 4u << 8};
    constexpr std::uint32_t mode_mask = 7u << 8 | 1u << 16;
    kvm_lapic_state state{};
    kvm_call(file_.get(), KVM_GET_LAPIC, "KVM_GET_LAPIC", &state);
    for (unsigned i = 0; i < 2; ++i) {
        std::uint32_t pin = 0;
        std::memcpy(&pin, state.regs + pins[i], sizeof(pin));
        pin = (pin & ~mode_mask) | modes[i];
        std::memcpy(state.regs + pins[i], &pin, sizeof(pin));
    }
    kvm_call(file_.get(), KVM_SET_LAPIC, "KVM_SET_LAPIC", &state);
}

}
