// SPDX-License-Identifier: MIT
#pragma once
#include "arch/msr.hpp"
#include "mem/identity.hpp"
#include "root/memory_event.hpp"
#include "vcpu/msr_table.hpp"

namespace hv {

enum class guarded : std::uint8_t { write, fault };

/// IA32_APIC_BASE: the page stays where it is, and a CPU that cannot get interrupts could not be
/// shot down.
constexpr guarded check_apic_base(std::uint64_t now, std::uint64_t wanted) {
    auto const a = make<msr::apic_base>(now);
    auto const b = make<msr::apic_base>(wanted);
    using base = msr::apic_base;
    auto const known = base::bsp::mask | base::x2apic::mask | base::enable::mask | base::page::mask;
    if ((wanted & ~known) != 0 || !b.get<base::enable>()) return guarded::fault;
    bool const same = ((a.raw ^ b.raw) & (base::page::mask | base::bsp::mask)) == 0;
    return same ? guarded::write : guarded::fault;
}

/// IA32_MISC_ENABLE: without no-execute the next exit could not load the core's EFER.
constexpr guarded check_misc_enable(std::uint64_t wanted) {
    return make<msr::misc_enable>(wanted).get<msr::misc_enable::xd_disable>() ? guarded::fault
                                                                              : guarded::write;
}

/// IA32_XSS: only states that the CPU has, and not processor trace, which writes to memory. SDM 1
/// 13.3.
inline guarded check_xss(std::uint64_t wanted) {
    auto const leaf = insn::cpuid(0xd, 1);
    constexpr std::uint64_t processor_trace = 1u << 8;
    auto const supported = (leaf.ecx | std::uint64_t{leaf.edx} << 32) & ~processor_trace;
    return (wanted & ~supported) != 0 ? guarded::fault : guarded::write;
}

/// Whether all the core's frames stay write-back under `types`: no rule of caching may make what
/// the core writes invisible to another CPU.
template <typename Machine> bool core_stays_write_back(Machine const& m, mtrr_set const& types) {
    for (auto const& chunk : m.all.chunks())
        if (types.type_of({chunk.first, chunk.pages * page_bytes}) != memory_type::wb) return false;
    return true;
}

/// A write to an MTRR: the CPU gets it, and the types of the second stage follow on all CPUs before
/// the instruction ends. While Linux has the MTRRs off (caches off too, in the middle of an update)
/// they stay.
template <typename Machine, typename Cpu>
guarded write_mtrr(Machine& m, Cpu& c, std::uint32_t index, std::uint64_t value) {
    auto const as_it_will_be = [&](std::uint32_t i) { return i == index ? value : insn::rdmsr(i); };
    auto const next = read_mtrrs(as_it_will_be, m.max_phy_addr);
    if (!next) return guarded::fault;
    mtrr_def_type const def = make<mtrr_def_type>(as_it_will_be(mtrr_def_type::msr));
    bool const on = def.get<mtrr_def_type::enable>();
    if (on && !core_stays_write_back(m, next.value())) return guarded::fault;
    if (!insn::wrmsr_safe(index, value)) return guarded::fault;
    if (!on) return guarded::write;
    auto const hold = hold_machine(m, c);
    close_pages(m, c, true);    // their leaves must stay 4 KiB until then
    m.mtrrs = next.value();
    if constexpr (Machine::stage_has_types) retype(m.stage, m.mtrrs);
    if (!shoot_down(m, c)) return guarded::fault;    // recorded: a CPU does not answer
    return guarded::write;
}

/// A write that the table lets through only after a look at the value.
template <typename Machine, typename Cpu>
guarded write_guarded(Machine& m, Cpu& c, std::uint32_t index, std::uint64_t value) {
    if (is_mtrr(index)) return write_mtrr(m, c, index, value);
    if (index == msr::ia32_efer) return c.write_msr(index, value) ? guarded::write : guarded::fault;
    auto verdict = guarded::fault;
    if (index == msr::ia32_apic_base)
        verdict = check_apic_base(insn::rdmsr(msr::ia32_apic_base), value);
    if (index == msr::ia32_misc_enable) verdict = check_misc_enable(value);
    if (index == msr::ia32_xss) verdict = check_xss(value);
    if (verdict == guarded::write && !insn::wrmsr_safe(index, value)) return guarded::fault;
    return verdict;
}

}    // namespace hv
