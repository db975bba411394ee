// SPDX-License-Identifier: MIT
#pragma once
#include "vmx/controls.hpp"
#include "vmx/cpu.hpp"

// The parts of a guest's run. Each works on the VMCS that is current: the guest's.
namespace hv::vmx {

/// What the VMCSs of the root VM and of guests have in common; the exit and entry controls too.
void write_common_controls(current_vmcs const& v, control_set const& own, std::uint16_t tag,
                           hpa msrs, hpa stage_root);
/// The constant part of a guest's VMCS, once.
void build_guest(cpu& c, guest_vcpu const& v);
/// The part that belongs to the CPU, after each move.
void settle_guest(cpu const& c);
/// The system registers of the exchange area. Errors: invalid; nothing written.
[[nodiscard]] status write_system(cpu& c, guest_vcpu& v, hv_vcpu_system const& s);
/// And back.
void read_system(cpu const& c, guest_vcpu const& v, hv_vcpu_system& s);

/// MOV to CR0 or CR4, CLTS, LMSW of a guest. False: #GP(0).
[[nodiscard]] bool write_guest_cr(cpu& c, general_registers& gpr, cr_access q);

/// CR0 bits that a guest sees as it wrote them while the CPU keeps its own.
inline constexpr std::uint64_t guest_cr0_mask = cr0::ne::mask | cr0::nw::mask | cr0::cd::mask;
inline constexpr std::uint64_t guest_cr4_mask = cr4::vmxe::mask;

}    // namespace hv::vmx

extern "C" void hv_vmx_guest_interrupted(hv::vmx::cpu& c);
