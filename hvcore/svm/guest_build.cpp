// SPDX-License-Identifier: MIT
// What all guests' VMCBs have in common.
#include "svm/guest.hpp"

namespace hv::svm {

namespace {

constexpr std::uint32_t guest_asid = 2;    // the root VM has 1
constexpr std::uint64_t io_map_pages = 3;

// #DB, #AC: endless; #UD: the other vendor's hypercall.
using enum exit_code;
constexpr exit_code caught[] = {cr8_read,
                                cr8_write,
                                external_interrupt,
                                nmi,
                                init,
                                rdpmc,
                                cpuid,
                                invd,
                                hlt,
                                invlpga,
                                io,
                                msr,
                                task_switch,
                                shutdown,
                                vmmcall,
                                wbinvd,
                                monitor,
                                mwait,
                                armed_mwait,
                                xsetbv,
                                debug_exception,
                                undefined,
                                alignment_check,
                                machine_check};

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
    for (auto const index : guests_own_msrs) {
        if (index == msr::ia32_pat) continue;
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
