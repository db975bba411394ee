// SPDX-License-Identifier: MIT
#pragma once
// Stands in for hvcore/arch/insn.hpp: the same functions, executed by the fake CPU of this thread.
#include "arch/cpuid.hpp"
#include "arch/descriptor.hpp"
#include "base/address.hpp"
#include <cstdint>

// gate: list
namespace hv::insn {

std::uint64_t rdmsr(std::uint32_t index);
void wrmsr(std::uint32_t index, std::uint64_t value);
bool rdmsr_safe(std::uint32_t index, std::uint64_t& value);
bool wrmsr_safe(std::uint32_t index, std::uint64_t value);
bool xsetbv_safe(std::uint32_t index, std::uint64_t value);
cpuid_leaf cpuid(std::uint32_t leaf, std::uint32_t subleaf);
void cpuid(std::uint64_t& rax, std::uint64_t& rbx, std::uint64_t& rcx, std::uint64_t& rdx);

bool vmxon(hpa region);
void vmxoff();
bool vmclear(hpa region);
bool vmptrld(hpa region);
bool vmread(std::uint64_t field, std::uint64_t& value);
bool vmwrite(std::uint64_t field, std::uint64_t value);
bool invept(std::uint64_t type, std::uint64_t ept_pointer);
bool invvpid(std::uint64_t type, std::uint16_t vpid);

void vmsave(hpa vmcb);
void clgi();
void open_gif();
void ltr(std::uint16_t task);
void load_segments(std::uint16_t code, std::uint16_t data);

std::uint64_t read_cr0();
std::uint64_t xgetbv();
std::uint64_t read_cr2();
void write_cr2(std::uint64_t value);
std::uint64_t read_dr0();
std::uint64_t read_dr1();
std::uint64_t read_dr2();
std::uint64_t read_dr3();
void write_dr0(std::uint64_t value);
void write_dr1(std::uint64_t value);
void write_dr2(std::uint64_t value);
void write_dr3(std::uint64_t value);
void write_dr6(std::uint64_t value);
std::uint64_t read_cr3();
std::uint64_t read_cr4();
std::uint64_t read_dr6();
std::uint64_t read_dr7();
void write_cr0(std::uint64_t value);
void write_cr3(std::uint64_t value);
void write_cr4(std::uint64_t value);
std::uint16_t read_cs();
std::uint16_t read_ss();
std::uint16_t read_ds();
std::uint16_t read_es();
std::uint16_t read_fs();
std::uint16_t read_gs();
std::uint16_t str();
std::uint16_t sldt();
table_register sgdt();
table_register sidt();
void lgdt(table_register value);
void lidt(table_register value);
void invlpg(hva at);
std::uint64_t rdtsc();
void wbinvd();
void pause();
void cli_hlt();
void outb(std::uint16_t port, std::uint8_t value);
std::uint32_t read_mmio(hva at);
void write_mmio(hva at, std::uint32_t value);
void unblock_nmi();
void interrupt_of(unsigned vector);
template <unsigned Vector> inline void interrupt() { interrupt_of(Vector); }

}    // namespace hv::insn
