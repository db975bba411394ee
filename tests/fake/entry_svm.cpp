// SPDX-License-Identifier: MIT
// Stands in for svm/entry.S.
#include "entry_svm.hpp"
#include "base/assert.hpp"
#include "svm/exit.hpp"
#include "svm/launch.hpp"

extern "C" {
bool hv_svm_exit(hv::svm::cpu& c);
unsigned hv_svm_exit_rare(hv::svm::cpu& c);
unsigned hv_svm_guest_exit(hv::svm::cpu& c);
}

namespace fake {

namespace {

constexpr std::uint64_t loader_rsp = 0x5000;

/// Copies the five registers that C++ functions keep.
void copy_kept(hv::general_registers& to, hv::general_registers const& from) {
    to.r15 = from.r15;
    to.r14 = from.r14;
    to.r13 = from.r13;
    to.r12 = from.r12;
    to.rbp = from.rbp;
}

entry resume_rare(cpu& p, hv::svm::cpu& c) {
    p.gpr = c.base.gpr;
    p.vmload(c.control_at);
    return p.vmrun(c.control_at);
}

entry enter_guest(cpu& p, hv::svm::cpu const& c) {
    p.gpr = c.guest->gpr;
    p.vmload(c.guest->block_at);
    return p.vmrun(c.guest->block_at);
}

}    // namespace

entry svm_guest_way_out(cpu& p, hv::svm::cpu& c) {
    auto& v = *c.guest;
    v.gpr = p.gpr;
    v.gpr.rax = v.block_at.raw;    // VMRUN left it there
    p.vmsave(v.block_at);
    p.vmload(c.host_at);
    bool const again = hv_svm_guest_exit(c) == hv::svm::way_to_guest;
    return again ? enter_guest(p, c) : resume_rare(p, c);
}

std::optional<entry> svm_way_out(cpu& p, hv::svm::cpu& c) {
    constexpr std::uint64_t junk = 0xbadbadbadbad0bad;
    auto const guest = p.gpr;
    c.base.gpr = guest;
    copy_kept(c.base.gpr, {.r15 = junk, .r14 = junk, .r13 = junk, .r12 = junk, .rbp = junk});
    c.base.gpr.rax = c.control_at.raw;    // VMRUN left it there, and the next one takes it
    if (!hv_svm_exit(c)) {
        p.gpr = c.base.gpr;
        copy_kept(p.gpr, guest);
        return p.vmrun(hv::hpa{c.base.gpr.rax});
    }
    copy_kept(c.base.gpr, guest);
    p.vmsave(c.control_at);
    p.vmload(c.host_at);
    auto const way = hv_svm_exit_rare(c);
    if (way == hv::svm::way_to_root_vm) return resume_rare(p, c);
    if (way == hv::svm::way_to_guest) return enter_guest(p, c);
    p.vmload(c.control_at);
    p.cr3 = c.leave_cr3;
    p.rip = c.leave_rip;
    return std::nullopt;
}

}    // namespace fake

extern "C" std::uint64_t hv_svm_launch(hv::svm::cpu& c) {
    auto& p = fake::this_cpu();
    c.launch_rsp = fake::loader_rsp;
    hv_svm_take_host_state(c);
    if (fake::resume_rare(p, c) == fake::entry::entered) throw fake::guest_entered{};
    try {
        static_cast<void>(fake::svm_way_out(p, c));
    } catch (fake::abandoned const&) {
        return hv::svm::launch_entry_failed;
    }
    hv::broken("the core goes on after a launch whose entry failed", __LINE__);
}

extern "C" void hv_svm_abandon(hv::svm::cpu& c) {
    if (c.launch_rsp != fake::loader_rsp) hv::broken("not the stack of the launch", __LINE__);
    auto& p = fake::this_cpu();
    p.vmload(c.control_at);
    p.cr3 = c.launch_cr3;
    throw fake::abandoned{};
}
