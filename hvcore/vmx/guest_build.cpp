// SPDX-License-Identifier: MIT
// What all guests' VMCSs have in common, and what belongs to the CPU that they run on.
#include "vmx/capabilities.hpp"
#include "vmx/entry.hpp"
#include "vmx/guest.hpp"
#include "vmx/launch.hpp"

namespace hv::vmx {

namespace {

constexpr std::uint32_t read_only_msrs[] = {msr::ia32_tsc, msr::ia32_efer};

void clear_bit(std::uint64_t* words, std::uint32_t index, bool write) {
    auto const bit = policy::msr_slot(index) + (write ? 2 * policy::msr_range_slots : 0);
    words[bit / 64] &= ~(1ull << bit % 64);
}

// Beside the root VM's own controls, what it takes to keep a guest from the devices and the clock.
constexpr auto guest_processor = processor::tsc_offsetting::mask | processor::hlt::mask |
                                 processor::mwait::mask | processor::monitor::mask |
                                 processor::rdpmc::mask | processor::cr8_load::mask |
                                 processor::cr8_store::mask | processor::all_io::mask;
constexpr std::uint32_t with(std::uint32_t control, std::uint64_t more) {
    return static_cast<std::uint32_t>(control | more);
}

}    // namespace

status cpu::prepare_guests() {
    auto& m = *owner;
    if (m.guest_msrs_at != hpa{}) return done;
    m.guest_msrs_at = HV_TRY(m.pool.take());
    auto* const words = reinterpret_cast<std::uint64_t*>(
        HV_TRY(m.all.to_private_hva(m.guest_msrs_at)).raw);
    for (unsigned i = 0; i < page_bytes / 8; ++i) words[i] = ~std::uint64_t{0};
    for (auto const index : guests_own_msrs) {
        clear_bit(words, index, false);
        clear_bit(words, index, true);
    }
    for (auto const index : read_only_msrs) clear_bit(words, index, false);
    return done;
}

void build_guest(cpu& c, guest_vcpu const& v) {
    // #DB, #AC: endless; #UD: the other vendor's hypercall; #MC
    constexpr std::uint32_t caught = 1u << 1 | 1u << 6 | 1u << 17 | 1u << 18;
    auto const& b = c.vmcs;
    auto const& own = c.own_controls;
    auto const slice = own.time_slices ? pin::preemption_timer::mask : 0;
    b.write<pin_controls>(with(own.pin, pin::external_interrupts::mask | slice));
    b.write<processor_controls>(with(own.processor, guest_processor));
    auto const exits = make<exit_control>(own.exit).with<exit_control::save_timer>(own.time_slices);
    b.write<exit_controls>(static_cast<std::uint32_t>(exits.raw));    // a slice is a run's
    b.write<exception_bitmap>(caught);
    write_common_controls(b, own, static_cast<std::uint16_t>(v.tag), c.owner->guest_msrs_at,
                          v.stage_root);
    if ((own.secondary & secondary::xsaves::mask) != 0) b.write<xss_exiting_bitmap>(~0ull);
    b.write<guest_debugctl>(0);
    b.write<cr0_mask>(guest_cr0_mask);
    b.write<cr4_mask>(guest_cr4_mask);
}

void settle_guest(cpu const& c) {
    write_host_state(c);
    auto const& v = *c.guest;
    c.vmcs.write<host_rsp>(reinterpret_cast<std::uint64_t>(&v) + sizeof(general_registers));
    c.vmcs.write<host_rip>(reinterpret_cast<std::uint64_t>(hv_vmx_guest_exit_entry));
}

}    // namespace hv::vmx
