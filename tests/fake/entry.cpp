// SPDX-License-Identifier: MIT
// Stands in for vmx/entry.S, arch/trap.S and what core.ld defines: the labels that C++ compares
// with, and the two ways through VMLAUNCH. For svm/entry.S see entry_svm.cpp.
#include "vmx/entry.hpp"
#include "base/assert.hpp"
#include "cpu.hpp"

asm(".pushsection .rodata\n\t"
    ".globl hv_vmx_exit_entry, hv_vmx_fast_check, hv_vmx_fast_end\n\t"
    ".globl hv_vmx_rare_check, hv_vmx_rare_end, hv_vmx_trap_stubs, hv_svm_trap_stubs\n"
    "hv_vmx_exit_entry:\n\t.skip 32\n"
    "hv_vmx_fast_check:\n\t.skip 32\n"
    "hv_vmx_fast_end:\n\t.skip 32\n"
    "hv_vmx_rare_check:\n\t.skip 32\n"
    "hv_vmx_rare_end:\n\t.skip 16\n\t.balign 16\n"
    ".globl hv_vmx_guest_exit_entry, hv_vmx_guest_check, hv_vmx_guest_end\n"
    "hv_vmx_guest_exit_entry:\n\t.skip 32\n"
    "hv_vmx_guest_check:\n\t.skip 32\n"
    "hv_vmx_guest_end:\n\t.skip 16\n\t.balign 16\n"
    "hv_vmx_trap_stubs:\n\t.skip 512\n"
    "hv_svm_trap_stubs:\n\t.skip 512\n\t"
    ".globl hv_fixup_begin, hv_fixup_end\n"
    "hv_fixup_begin:\n\t.quad 0x40001000, 0x40001010, 0x40001020, 0x40001030\n"
    "hv_fixup_end:\n\t.popsection\n\t"
    ".globl hv_image_end\n\t.set hv_image_end, 0x40010000\n");

extern "C" {
bool hv_vmx_exit(hv::vmx::cpu& c);
bool hv_vmx_exit_rare(hv::vmx::cpu& c, bool exited);
}

extern "C" std::uint64_t hv_vmx_launch(hv::vmx::cpu& c) {
    auto& p = fake::this_cpu();
    c.launch_rsp = 0x5000;
    switch (p.enter(true)) {
    case fake::entry::entered: throw fake::guest_entered{};
    case fake::entry::refused: return hv::vmx::launch_refused;
    case fake::entry::failed:  break;
    }
    try {
        hv_vmx_exit_rare(c, hv_vmx_exit(c));
    } catch (fake::abandoned const&) {
        return hv::vmx::launch_entry_failed;
    }
    hv::broken("the core goes on after a launch whose entry failed", __LINE__);
}

extern "C" void hv_vmx_abandon(hv::vmx::cpu& c) {
    if (c.launch_rsp != 0x5000) hv::broken("not the stack of the launch", __LINE__);
    fake::this_cpu().cr3 = c.launch_cr3;
    throw fake::abandoned{};
}
