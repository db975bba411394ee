// SPDX-License-Identifier: MIT
// What all guests' VMCBs have in common.
#include "svm/guest.hpp"

namespace hv::svm {

namespace {

constexpr std::uint32_t guest_asid = 2;    // the root VM has 1
constexpr std::uint64_t io_map_pages = 3;

/// MSRs that the guest reads and writes without an exit: VMRUN and VMLOAD switch them. PAT is not
/// among them: an emulated CPU may have one for all.
constexpr std::uint32_t own_msrs[] = {
    msr::ia32_sysenter_cs, msr::ia32_sysenter_esp,  msr::ia32_sysenter_eip, msr::ia32_star,
    msr::ia32_lstar,       msr::ia32_cstar,         msr::ia32_fmask,        msr::ia32_fs_base,
    msr::ia32_gs_base,     msr::ia32_kernel_gs_base};

// #DB, #AC: endless; #UD: the other vendor's hypercall.
constexpr exit_code caught[] = {exit_code::cr8_read,
                                exit_code::cr8_write,
                                exit_code::external_interrupt,
                                exit_code::nmi,
                                exit_code::init,
                                exit_code::rdpmc,
                                exit_code::cpuid,
                                exit_code::invd,
                                exit_code::hlt,
                                exit_code::invlpga,
                                exit_code::io,
                                exit_code::msr,
                                exit_code::task_switch,
                                exit_code::shutdown,
                                exit_code::vmmcall,
                                exit_code::wbinvd,
                                exit_code::monitor,
                                exit_code::mwait,
                                exit_code::armed_mwait,
                                exit_code::xsetbv,
                                exit_code::debug_exception,
                                exit_code::undefined,
                                exit_code::alignment_check,
                                exit_code::machine_check};

result<hpa> filled_pages(root_machine& m, std::uint64_t pages) {
    auto const at = HV_TRY(m.pool.take_run(pages));
    auto* const words = reinterpret_cast<std::uint64_t*>(HV_TRY(m.all.to_private_hva(at)).raw);
    for (std::uint64_t i = 0; i < pages * page_bytes / 8; ++i) words[i] = ~std::uint64_t{0};
    return at;
}

}    // namespace

status cpu::prepare_guests() {
    auto& m = *owner;
    if (m.guest_io_at == hpa{}) m.guest_io_at = HV_TRY(filled_pages(m, io_map_pages));
    if (m.guest_msrs_at != hpa{}) return done;
    m.guest_msrs_at = HV_TRY(filled_pages(m, msr_permissions::pages));
    auto const where = HV_TRY(m.all.to_private_hva(m.guest_msrs_at));
    auto* const words = reinterpret_cast<std::uint64_t*>(where.raw);
    for (auto const index : own_msrs) {
        auto const slot = policy::msr_slot(index);
        words[slot / 32] &= ~(3ull << 2 * (slot % 32));
    }
    return done;
}

void build_guest(cpu const& c, guest_vcpu const& v) {
    auto& b = block_of(v).control;
    set_intercepts(block_of(v), caught);
    b.io_map = c.owner->guest_io_at.raw;
    b.msr_map = c.owner->guest_msrs_at.raw;
    b.asid = guest_asid;
    b.nested_paging = 1;
    b.nested_cr3 = v.stage_root.raw;
}

}    // namespace hv::svm
