// SPDX-License-Identifier: MIT
#pragma once
#include "call/virtual_cpu.hpp"
#include "mem/ept_format.hpp"
#include "root/held_registers.hpp"
#include "vcpu/control_register.hpp"
#include "vcpu/exception.hpp"
#include "vmx/capabilities.hpp"
#include "vmx/msr_bitmap.hpp"
#include "vmx/vmcs.hpp"

namespace hv::vmx {

using root_machine = machine<ept_format, msr_bitmap, guest_registry<ept_format>>;

/// One CPU under VMX, and the root VM's virtual CPU on it. Lies at the top of the CPU's stack:
/// HOST_RSP points just behind the registers, so the exit entry's pushes fill them (entry.S).
class cpu : public virtual_cpu<root_machine> {
public:
    current_vmcs vmcs;
    std::uint32_t timer_value{};
    std::uint32_t guest_slice{};
    bool stepping{};
    rflags step_flags{};         // the root VM's own, while it steps
    control_set own_controls;    // of this launch

    // What the common code asks of a virtual CPU.
    [[nodiscard]] gva rip() const { return vmcs.read<guest_rip>(); }
    [[nodiscard]] bool runs_64_bit_code() const;
    [[nodiscard]] gva linear_rip() const;
    [[nodiscard]] unsigned privilege() const { return vmcs.read<guest_ss_access>() >> 5 & 3; }
    /// Deliver `x` at the next entry, combined with the event that was being delivered.
    void inject(exception x);
    /// Move behind the instruction that left guest operation.
    void advance();
    void synchronise();
    void let_nmis_in() const {}    // root mode takes them at any time
    void start_time_slice(bool executes, bool once);
    void end_time_slice();
    [[nodiscard]] pinned_registers seen_registers() const;
    [[nodiscard]] held_values held_now() const;
    void set_held(held_values const& v) const;
    /// Give the CPU back to Linux, at `target`: see vmx/leave.cpp. VMX needs no `table`.
    [[nodiscard]] status leave(gva target, hpa table);
    void dump(hv_cpu_dump& out) const;
    /// The root VM's value of an MSR, and a new one for it. False: the CPU raises #GP.
    [[nodiscard]] bool read_msr(std::uint32_t index, std::uint64_t& value) const;
    [[nodiscard]] bool write_msr(std::uint32_t index, std::uint64_t value) const;
    /// The basic exit reason of the present exit.
    [[nodiscard]] std::uint16_t reason() const {
        return static_cast<std::uint16_t>(vmcs.read<exit_reason_field>());
    }

    /// What guests need and the machine does not have yet. Errors: no_memory.
    [[nodiscard]] status prepare_guests();
    /// Make `v`'s VMCS the current one, ready for the entry; the root VM's instruction is done.
    /// Errors   invalid: what the exchange area says is not sound.
    [[nodiscard]] status enter_guest(guest_vcpu& v);
    /// The root VM's VMCS is the current one again, and its registers are back.
    void leave_guest(guest_exit const& e);
    /// Fill the exchange area's system registers.
    void read_guest(guest_vcpu& v);

    /// Inject the NMI that waits, or ask for an exit as soon as the root VM can take it.
    void deliver_nmi();
    void load_masks();
    void reset_by_init();
    void start_by_sipi(std::uint8_t vector);
    [[nodiscard]] masked_register control_register(unsigned number) const;
    void set_control_register(unsigned number, masked_register const& r);
    void set_processor_control(std::uint64_t mask, bool on);
    void close_windows();
    void set_time_slice(bool on);
    void begin_step();
    void watch_instructions();
    void wake() const;
    void block_nmis(bool on) const;
};

[[gnu::always_inline]] inline void cpu::advance() {
    vmcs.write<guest_rip>(vmcs.read<guest_rip>() + vmcs.read<instruction_length>());
    auto const state = vmcs.read<guest_interruptibility>();
    if ((state & interruptibility::shadow) != 0) [[unlikely]]
        vmcs.write<guest_interruptibility>(state &
                                           ~static_cast<std::uint32_t>(interruptibility::shadow));
    if (vmcs.read<guest_rflags>().get<rflags::tf>()) [[unlikely]]
        vmcs.write<guest_pending_debug>(
            vmcs.read<guest_pending_debug>().with<pending_debug::single_step>(true));
}

/// CR0 bits that belong to the core: NE must be set in VMX operation, and NW would take a CPU out
/// of the coherence of caches. CR4.VMXE: as on a CPU that has no VMX.
inline constexpr reserved_bits cr0_bits{.never = 0, .virtually = cr0::ne::mask | cr0::nw::mask};
inline constexpr reserved_bits cr4_bits{.never = cr4::vmxe::mask, .virtually = 0};

}    // namespace hv::vmx
