// SPDX-License-Identifier: MIT
#pragma once
#include "svm/cpu.hpp"

// The parts of a guest's run. The guest's VMCB is at guest_vcpu::block.
namespace hv::svm {

inline vmcb& block_of(guest_vcpu const& v) { return *reinterpret_cast<vmcb*>(v.block.raw); }

/// The constant part of a guest's VMCB, once.
void build_guest(cpu const& c, guest_vcpu const& v);
/// The system registers of the exchange area. Errors: invalid; nothing written.
[[nodiscard]] status write_system(cpu const& c, guest_vcpu& v, hv_vcpu_system const& s);
/// And back.
void read_system(guest_vcpu const& v, hv_vcpu_system& s);
/// Whether the guest goes on after this exit.
[[nodiscard]] bool handle_guest(cpu& c);

}    // namespace hv::svm
