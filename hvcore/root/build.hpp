// SPDX-License-Identifier: MIT
#pragma once
#include "abi/launch.h"
#include "mem/identity.hpp"
#include "root/machine.hpp"

namespace hv {

/// Where a launch stands, for the caller's message and for the tests that make each step fail.
class launch_progress {
public:
    explicit launch_progress(std::uint32_t fail_step) : fail_step_{fail_step} {}
    /// The launch reaches `step`. Errors: io: a test asked for a failure here.
    [[nodiscard]] status reach(hv_launch_step step) {
        step_ = step;
        detail = 0;
#ifdef HV_TEST_HOOKS
        if (fail_step_ == static_cast<std::uint32_t>(step)) return error{errc::io};
#endif
        return done;
    }
    void back_to(hv_launch_step step) {
        step_ = step;
        detail = 0;
    }
    [[nodiscard]] hv_launch_step step() const { return step_; }
    std::uint64_t detail{};    // the hardware's own reason
    bool root_state{};         // the CPU has taken the core's segments and tables

private:
    hv_launch_step step_{HV_STEP_NONE};
    [[maybe_unused]] std::uint32_t fail_step_;
};

/// The image's sizes, as the linker and the types know them; also what the header tells the loader.
struct image_sizes {
    std::uint32_t image_pages, machine_pages, pool_pages, cpu_pages;
};

inline constexpr std::uint32_t shared_cpu_pages = 1 + HV_RING_PAGES;

/// Check everything in the launch arguments that does not depend on the CPU.
inline status check_launch(hv_launch const& a) {
    if (a.version != HV_ABI_VERSION || a.size != sizeof(hv_launch)) return error{errc::invalid};
    if (a.cpus > max_cpus || a.cpu >= a.cpus) return error{errc::invalid};
    if (a.chunks == 0 || a.chunks > HV_MAX_CHUNKS) return error{errc::invalid};
    if ((a.flags & ~std::uint64_t{HV_LAUNCH_NMI_PER_RECORD}) != 0) return error{errc::invalid};
    if (a.handle == 0 || a.table_pages < 4 || a.table_pages > 4096) return error{errc::invalid};
    return done;
}

inline frame_layout layout_of(hv_launch const& a, image_sizes const& sizes) {
    return {sizes.image_pages, sizes.pool_pages, std::uint64_t{sizes.cpu_pages} * a.cpus,
            a.table_pages,     HV_MAILBOX_PAGES, std::uint64_t{shared_cpu_pages} * a.cpus};
}

/// The core's linear address of a page of the layout.
inline hva page_at(hva base, std::uint64_t page) { return base + page * page_bytes; }

/// Frames, pool, the core's own windows: everything that needs no look at the CPU's second stage.
template <typename Machine>
status build_memory(Machine& m, hv_launch const& a, image_sizes const& sizes, hva base) {
    auto const layout = layout_of(a, sizes);
    HV_TRY(m.all.init({a.chunk, a.chunks}, layout, base));
    HV_TRY(m.pool.add_layout(layout.pool_first() + sizes.machine_pages,
                             layout.pool - sizes.machine_pages));
    auto const root = HV_TRY(m.all.to_hpa(page_at(base, layout.tables_first())));
    m.space = core_space{m.all, root, page_at(base, layout.total())};
    auto const apic = m.space.map({hpa{local_apic::base}, page_bytes},
                                  core_space::caching::uncached);
    m.apic = local_apic { HV_TRY(apic) };
    m.mailbox = page_at(base, layout.mailbox_first());
    m.handle = a.handle;
    m.top_of_ram = a.top_of_ram;
    m.cpu_count = a.cpus;
    using msr_map = typename Machine::msr_map;
    m.msrs_at = HV_TRY(m.pool.take_run(msr_map::pages));
    m.msrs = new (reinterpret_cast<void*>(HV_TRY(m.all.to_hva(m.msrs_at)).raw)) msr_map;
    m.msrs->build(m.rules());
    m.ports_at = HV_TRY(m.pool.take_run(io_map::pages));
    m.ports = new (reinterpret_cast<void*>(HV_TRY(m.all.to_hva(m.ports_at)).raw)) io_map;
    return done;
}

/// The root VM's second stage: identity, the types of the MTRRs, the core's frames out of reach.
template <typename Machine>
status build_second_stage(Machine& m, hv_launch const& a, stage_limits const& limits,
                          launch_progress& progress) {
    constexpr std::uint64_t below_4g = 1ull << 32;
    HV_TRY(progress.reach(HV_STEP_MEMORY_TYPES));
    m.mtrrs = HV_TRY(read_mtrrs([](std::uint32_t i) { return insn::rdmsr(i); }, m.max_phy_addr));
    HV_TRY(progress.reach(HV_STEP_SECOND_STAGE));
    HV_TRY(m.stage.init(limits));
    auto top = a.top_of_ram > below_4g ? a.top_of_ram : below_4g;
    top = (top + page_2m_bytes - 1) & ~(page_2m_bytes - 1);
    if (top > limits.top()) top = limits.top();
    HV_TRY(build_identity(m.stage, m.all, m.stage_types(), top));
    HV_TRY(progress.reach(HV_STEP_HIDE));
    HV_TRY(hide(m.stage, m.all, m.stage_types()));
    for (auto const& chunk : m.all.chunks()) {
        progress.detail = chunk.first.raw;
        if (m.mtrrs.type_of(chunk.span()) != memory_type::wb) return error{errc::invalid};
    }
    return done;
}

}    // namespace hv
