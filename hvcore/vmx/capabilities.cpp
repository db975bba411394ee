// SPDX-License-Identifier: MIT
#include "vmx/capabilities.hpp"
#include "arch/insn.hpp"
#include "arch/msr.hpp"
#include "root/machine.hpp"
#include "vmx/watched.hpp"

namespace hv::vmx {

namespace {

/// `wanted` with the bits that must be set, or an error where a needed bit may not be.
result<std::uint32_t> adjust(std::uint32_t index, std::uint64_t needed, std::uint64_t wished,
                             std::uint64_t& detail) {
    auto const allowed = make<capability>(insn::rdmsr(index));
    detail = index;
    if ((needed & ~allowed.get<capability::may>()) != 0) return error{errc::no_device};
    auto const bits = needed | (wished & allowed.get<capability::may>());
    return static_cast<std::uint32_t>(bits | allowed.get<capability::must>());
}

bool has(std::uint32_t index, std::uint64_t control) {
    return (make<capability>(insn::rdmsr(index)).get<capability::may>() & control) != 0;
}

std::uint32_t possible_exits() {
    auto const one = [](std::uint64_t primary, std::uint64_t more) {
        return std::uint32_t{has(msr::ia32_vmx_true_procbased_ctls, primary) ||
                             has(msr::ia32_vmx_procbased_ctls2, more)};
    };
    auto exits = one(0, secondary::descriptor_tables::mask) * watchable_tables |
                 one(processor::io_bitmaps::mask, 0) * watchable_ports |
                 one(processor::mov_dr::mask, 0) * watchable_debug;
    std::uint32_t i = 0;
    for (auto const& each : watched_instructions) exits |= one(each.primary, each.secondary) << i++;
    return exits;
}

constexpr auto pin_needed = pin::nmi_exiting::mask | pin::virtual_nmis::mask;
constexpr auto processor_needed = processor::msr_bitmaps::mask | processor::secondary::mask;
constexpr auto secondary_needed = secondary::ept::mask | secondary::vpid::mask |
                                  secondary::unrestricted::mask;
// Instructions that Linux found in CPUID must not raise #UD under the core.
constexpr auto secondary_wished = secondary::rdtscp::mask | secondary::invpcid::mask |
                                  secondary::xsaves::mask | secondary::user_wait::mask;
constexpr auto exit_needed = exit_control::save_debug::mask | exit_control::host_64::mask |
                             exit_control::save_pat::mask | exit_control::load_pat::mask |
                             exit_control::save_efer::mask | exit_control::load_efer::mask;
constexpr auto entry_needed = entry_control::load_debug::mask | entry_control::ia32e::mask |
                              entry_control::load_pat::mask | entry_control::load_efer::mask;

}    // namespace

result<control_set> choose_controls(std::uint64_t& detail) {
    control_set c;
    detail = msr::ia32_vmx_basic;
    auto const b = make<basic>(insn::rdmsr(msr::ia32_vmx_basic));
    if (!b.get<basic::true_controls>() || b.get<basic::memory_type>() != 6)
        return error{errc::no_device};
    detail = msr::ia32_vmx_misc;
    auto const misc = make<vmx_misc>(insn::rdmsr(msr::ia32_vmx_misc));
    if (!misc.get<vmx_misc::stores_lma>() || !misc.get<vmx_misc::wait_for_sipi>())
        return error{errc::no_device};
    c.timer_shift = static_cast<std::uint32_t>(misc.get<vmx_misc::timer_shift>());
    c.pin = HV_TRY(adjust(msr::ia32_vmx_true_pinbased_ctls, pin_needed, 0, detail));
    c.time_slices = has(msr::ia32_vmx_true_pinbased_ctls, pin::preemption_timer::mask) &&
                    has(msr::ia32_vmx_true_exit_ctls, exit_control::save_timer::mask);
    c.processor = HV_TRY(adjust(msr::ia32_vmx_true_procbased_ctls, processor_needed, 0, detail));
    c.secondary = HV_TRY(
        adjust(msr::ia32_vmx_procbased_ctls2, secondary_needed, secondary_wished, detail));
    c.exits = possible_exits();
    c.exit = HV_TRY(adjust(msr::ia32_vmx_true_exit_ctls, exit_needed, 0, detail));
    c.entry = HV_TRY(adjust(msr::ia32_vmx_true_entry_ctls, entry_needed, 0, detail));
    return c;
}

result<stage_limits> ept_limits(unsigned max_phy_addr, std::uint64_t& detail) {
    detail = msr::ia32_vmx_ept_vpid_cap;
    auto const cap = make<ept_vpid>(insn::rdmsr(msr::ia32_vmx_ept_vpid_cap));
    constexpr auto needed = ept_vpid::walk_4::mask | ept_vpid::write_back::mask |
                            ept_vpid::invept::mask | ept_vpid::invept_all::mask |
                            ept_vpid::invvpid::mask | ept_vpid::invvpid_all::mask;
    if ((cap.raw & needed) != needed) return error{errc::no_device};
    return stage_limits{.address_bits = max_phy_addr < 48 ? max_phy_addr : 48,
                        .leaf_2m = cap.get<ept_vpid::page_2m>(),
                        .leaf_1g = cap.get<ept_vpid::page_1g>()};
}

}    // namespace hv::vmx
