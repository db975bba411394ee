// SPDX-License-Identifier: MIT
#pragma once
#include "root/build.hpp"
#include "vmx/cpu.hpp"

namespace hv::vmx {

/// Pages of a CPU's area, in order: VMXON region, VMCS, stacks for #DF, #MC and NMI, a guard page
/// that is taken out of the mapping, and the stack, at whose top `cpu` lies.
struct cpu_area {
    static constexpr std::uint32_t vmxon = 0, vmcs = 1, double_fault = 2, machine_check = 3,
                                   nmi = 4, guard = 5, stack = 6, pages = 10;
    hva first{};
    [[nodiscard]] hva page(std::uint32_t n) const { return first + n * page_bytes; }
    [[nodiscard]] hva stack_top_of(std::uint32_t n) const { return page(n + 1); }
    [[nodiscard]] hva cpu_at() const {
        return hva{(page(pages).raw - sizeof(cpu)) & ~std::uint64_t{63}};
    }
};

/// Whether the CPU that runs this can be hoisted by VMX at all.
bool vendor_is_vmx();

/// Put this CPU under the core. On success it does not return: the CPU is a guest at a.guest_rip.
/// Errors   whatever the step says that `progress` stands at; everything on this CPU is as it was,
///          except what progress.root_state announces.
/// Source   SDM 3C 32.5 "Preparation and Launching a Virtual Machine".
[[nodiscard]] status launch(hv_launch const& a, root_machine& m, cpu_area area,
                            image_sizes const& sizes, hva base, launch_progress& progress);

// The three parts of it.
[[nodiscard]] status enter_vmx(cpu& c, launch_progress& progress);
void leave_vmx(cpu& c);
void write_controls(cpu& c, std::uint32_t number, struct control_set const& controls);
void write_host_state(cpu const& c);
void write_guest_state(cpu& c, hv_launch const& a);
/// Undo what the exit of a failed entry has loaded of the host state, as far as abi/launch.h
/// promises.
void restore_linux_state(cpu const& c);

}    // namespace hv::vmx
