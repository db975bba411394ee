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

constexpr auto caught_1 = intercept_1::external_interrupt::mask | intercept_1::nmi::mask |
                          intercept_1::init::mask | intercept_1::rdpmc::mask |
                          intercept_1::cpuid::mask | intercept_1::invd::mask |
                          intercept_1::hlt::mask | intercept_1::invlpga::mask |
                          intercept_1::io::mask | intercept_1::msr::mask |
                          intercept_1::task_switch::mask | intercept_1::shutdown::mask;
constexpr auto caught_2 = intercept_2::vmrun::mask | intercept_2::vmmcall::mask |
                          intercept_2::vmload::mask | intercept_2::vmsave::mask |
                          intercept_2::stgi::mask | intercept_2::clgi::mask |
                          intercept_2::skinit::mask | intercept_2::wbinvd::mask |
                          intercept_2::monitor::mask | intercept_2::mwait::mask |
                          intercept_2::armed_mwait::mask | intercept_2::xsetbv::mask;

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
    // #DB, #AC: endless; #UD: the other vendor's hypercall; #MC
    constexpr std::uint32_t caught = 1u << 1 | 1u << 6 | 1u << 17 | 1u << 18;
    auto& b = block_of(v).control;
    b.cr_intercepts = static_cast<std::uint32_t>(intercept_cr::read_cr8::mask |
                                                 intercept_cr::write_cr8::mask);
    b.intercepts_1 = static_cast<std::uint32_t>(caught_1);
    b.intercepts_2 = static_cast<std::uint32_t>(caught_2);
    b.exception_intercepts = caught;
    b.io_map = c.owner->guest_io_at.raw;
    b.msr_map = c.owner->guest_msrs_at.raw;
    b.asid = guest_asid;
    b.nested_paging = 1;
    b.nested_cr3 = v.stage_root.raw;
}

}    // namespace hv::svm
