// SPDX-License-Identifier: MIT
#pragma once
#include "arch/trap.hpp"
#include "root/build.hpp"

namespace hv {

/// Pages of a CPU's area, in order: two blocks that the hardware wants (VMXON region and VMCS; host
/// save area and VMCB), stacks for #DF, #MC and NMI, a guard page that is taken out of the mapping,
/// and the stack, at whose top the backend's cpu lies.
template <typename Cpu> struct cpu_area {
    static constexpr std::uint32_t host_block = 0, control_block = 1, double_fault = 2,
                                   machine_check = 3, nmi = 4, guard = 5, stack = 6, pages = 10;
    hva first{};
    [[nodiscard]] hva page(std::uint32_t n) const { return first + n * page_bytes; }
    [[nodiscard]] hva stack_top_of(std::uint32_t n) const { return page(n + 1); }
    [[nodiscard]] hva cpu_at() const {
        return hva{(page(pages).raw - sizeof(Cpu)) & ~std::uint64_t{63}};
    }
};

inline unsigned max_phy_addr() { return insn::cpuid(0x80000008, 0).eax & 0xff; }

/// Everything that all CPUs share, on the first one.
/// stubs    of the backend's trap handler
template <typename Machine>
status build_machine(Machine& m, hv_launch const& a, image_sizes const& sizes, hva base,
                     stage_limits const& limits, char const* stubs, launch_progress& progress) {
    if (auto const built = build_memory(m, a, sizes, base); !built) {
        progress.back_to(HV_STEP_ARGUMENTS);    // the chunks are not what the layout needs
        return built.error();
    }
    m.max_phy_addr = max_phy_addr();
    fill_idt(m.idt, stubs);
    HV_TRY(build_second_stage(m, a, limits, progress));
    m.ready = true;
    return done;
}

/// The CPU's ring and counters, which outlive a launch: a CPU that left and comes back goes on
/// counting.
template <typename Machine> void build_ring(cpu& c, Machine const& m, hv_launch const& a,
                                            hva base) {
    auto const page = m.all.layout().shared_cpu_first() + std::uint64_t{shared_cpu_pages} * a.cpu;
    auto const shared = page_at(base, page).raw;
    c.shared = new (reinterpret_cast<void*>(shared)) hv_cpu_shared{};
    c.shared->version = HV_ABI_VERSION;
    c.shared->size = sizeof(hv_cpu_shared);
    c.shared->cpu = a.cpu;
    c.shared->cpu_id = a.cpu_id;
    c.records = recorder{*c.shared, reinterpret_cast<hv_record*>(shared + page_bytes)};
}

/// The CPU's own part of the core: its area, GDT, TSS, stacks, ring. Errors: fault.
template <typename Cpu, typename Machine>
result<Cpu*> build_cpu(Machine& m, hv_launch const& a, cpu_area<Cpu> area, hva base) {
    static_assert(sizeof(Cpu) <= 1536, "leaves less than 14.5 KiB of stack");
    auto* const at = reinterpret_cast<void*>(area.cpu_at().raw);
    auto& c = m.built[a.cpu] ? *static_cast<Cpu*>(at) : *new (at) Cpu;
    auto& common = c.common();
    c.owner = &m;
    c.host_at = HV_TRY(m.all.to_hpa(area.page(area.host_block)));
    c.control_at = HV_TRY(m.all.to_hpa(area.page(area.control_block)));
    c.has = decltype(c.has)::of_this_cpu();
    c.guest = nullptr;
    common.tss.ist[ist_double_fault - 1] = area.stack_top_of(area.double_fault).raw;
    common.tss.ist[ist_machine_check - 1] = area.stack_top_of(area.machine_check).raw;
    common.tss.ist[ist_nmi - 1] = area.stack_top_of(area.nmi).raw;
    common.gdt.set_task(hva{reinterpret_cast<std::uint64_t>(&common.tss)});
    common.number = a.cpu;
    common.apic_id = initial_apic_id();
    common.pending_work.store(0);
    common.synchronise_requested.store(0);
    common.nmi_waits = false;
    common.nmi_per_record = (a.flags & HV_LAUNCH_NMI_PER_RECORD) != 0;
    common.held.held = 0;
    if (!m.built[a.cpu]) {
        build_ring(common, m, a, base);
        m.space.unmap(area.page(area.guard), page_bytes);
    }
    insn::invlpg(area.page(area.guard));
    m.built[a.cpu] = true;
    c.exits_before = c.exits();
    return &c;
}

/// The last thing before the first entry: from here on the others see the CPU as one that runs.
template <typename Cpu> void announce_launch(Cpu& c) {
    auto& common = c.common();
    common.state.store(cpu_state::running);
    common.shared->launched = 1;
    c.machine().cpus[common.number] = &common;
    record_plain(common, HV_RECORD_LAUNCHED);
}
/// Linux's registers, after a first entry that failed.
inline void restore_paging(std::uint64_t cr0, std::uint64_t cr3, std::uint64_t cr4) {
    insn::write_cr0(cr0);
    insn::write_cr3(cr3 & ~(page_bytes - 1));    // PCIDE can only be set while CR3 names PCID 0
    insn::write_cr4(cr4);
    insn::write_cr3(cr3);
}
/// The first entry failed.
template <typename Cpu> void withdraw_launch(Cpu& c) {
    c.common().state.store(cpu_state::absent);
    c.common().shared->launched = 0;
}

}    // namespace hv
