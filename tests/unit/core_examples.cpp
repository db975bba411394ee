// SPDX-License-Identifier: MIT
// One value per register: where its fields lie. They hold as soon as this file compiles.
#include "arch/cpuid.hpp"
#include "arch/descriptor.hpp"
#include "arch/msr.hpp"
#include "arch/register.hpp"
#include "guest/vcpu.hpp"
#include "mem/core_space.hpp"
#include "mem/entry_format.hpp"
#include "mem/ept_format.hpp"
#include "mem/mtrr.hpp"
#include "mem/npt_format.hpp"
#include "policy/rule.hpp"
#include "root/root_trap.hpp"
#include "svm/capabilities.hpp"
#include "svm/exit_code.hpp"
#include "svm/vmcb.hpp"
#include "vcpu/exception.hpp"
#include "vmx/controls.hpp"
#include "vmx/exit_reason.hpp"

namespace hv {
static_assert(cr0{}.with<cr0::pg>(true).raw == 1u << 31);
static_assert(cr4{}.with<cr4::vmxe>(true).raw == 1u << 13);
static_assert(efer{}.with<efer::nxe>(true).raw == 1u << 11);
static_assert(rflags{}.with<rflags::fixed_1>(true).raw == 2);
static_assert(xcr0::avx512::mask == 0xe0);

static_assert(selector::index::get(make<selector>(0x2b)) == 5);
static_assert(descriptor::type::get(make<descriptor>(0x00af9b000000ffff)) == 0xb);

static_assert(mcg_status{}.with<mcg_status::in_progress>(true).raw == 4);

static_assert(valid_xcr0(make<xcr0>(7), make<xcr0>(7)));
static_assert(!valid_xcr0(make<xcr0>(5), make<xcr0>(7)));

static_assert(event_field{}.with<event_field::valid>(true).raw == 1u << 31);

static_assert(npt_entry{}.with<npt_entry::large>(true).with<npt_entry::user>(true).raw == 0x84);
static_assert(npt_format::leaf({hpa{page_2m_bytes}, all_rights, memory_type::wb,
                                guest_pat::honoured},
                               2) == 0x2000e7);

static_assert(ept_entry{}.with<ept_entry::type>(6u).with<ept_entry::large>(true).raw == 0xb0);
static_assert(ept_format::leaf({hpa{page_2m_bytes}, all_rights, memory_type::wb,
                                guest_pat::honoured},
                               2) == 0x2000b7);

static_assert(core_entry::page::get(make<core_entry>(0x5063)) == 5);

static_assert(mtrr_cap{}.with<mtrr_cap::fixed>(true).raw == 0x100);
static_assert(mtrr_def_type{}.with<mtrr_def_type::enable>(true).raw == 0x800);
static_assert(mtrr_base{}.with<mtrr_base::frame>(1u).raw == 0x1000);
static_assert(mtrr_mask{}.with<mtrr_mask::valid>(true).raw == 0x800);
static_assert(mtrr_fixed::msr(2) == 0x259 && mtrr_fixed::msr(3) == 0x268);
static_assert(mtrr_fixed::msr(10) == 0x26f);

static_assert(entry_bytes(3) == page_1g_bytes);

static_assert(!sound_event({event_valid | 3u << 8 | 40, 0}));
}    // namespace hv

namespace hv::cpuid {
static_assert(leaf_1_ecx{}.with<leaf_1_ecx::vmx>(true).raw == 1u << 5);
static_assert(leaf_1_edx{}.with<leaf_1_edx::mtrr>(true).raw == 1u << 12);
static_assert(leaf_7_ebx{}.with<leaf_7_ebx::sgx>(true).raw == 4);
static_assert(leaf_7_ecx{}.with<leaf_7_ecx::ospke>(true).raw == 16);
static_assert(leaf_7_edx{}.with<leaf_7_edx::uintr>(true).raw == 32);
static_assert(leaf_6_eax{}.with<leaf_6_eax::hw_feedback>(true).raw == 1u << 19);
}    // namespace hv::cpuid

namespace hv::msr {
static_assert(apic_base::page::get(make<apic_base>(0xfee00900)) == 0xfee00);
static_assert(feature_control{}.with<feature_control::vmx_outside_smx>(true).raw == 4);
static_assert(vm_control{}.with<vm_control::svm_disable>(true).raw == 16);
static_assert(misc_enable{}.with<misc_enable::xd_disable>(true).raw == 1ull << 34);
}    // namespace hv::msr

namespace hv::policy {
static_assert(msr_slot(0xc0000080) == 0x2080 && msr_slot(0xc0011fff) == msr_slots - 1);
}    // namespace hv::policy

namespace hv::svm {
static_assert(svm_features{}.with<svm_features::next_rip>(true).raw == 8);

static_assert(nested_fault{}.with<nested_fault::fetch>(true).raw == 16);
static_assert(virtual_interrupt{}.with<virtual_interrupt::masking>(true).raw == 1u << 24);
static_assert(io_access::port::get(make<io_access>(0xe90010)) == 0xe9);

static_assert(code_of(0xffffffff) == exit_code::invalid && code_of(~0ull) == exit_code::invalid);
static_assert(counter_of(0x81, 0) == 0x21 && counter_of(0x7f, 0) < HV_COUNTERS);
}    // namespace hv::svm

namespace hv::vmx {
static_assert(pin{}.with<pin::virtual_nmis>(true).raw == 32);
static_assert(processor{}.with<processor::nmi_window>(true).raw == 1u << 22);
static_assert(secondary{}.with<secondary::ept>(true).raw == 2);
static_assert(exit_control{}.with<exit_control::host_64>(true).raw == 512);
static_assert(entry_control{}.with<entry_control::ia32e>(true).raw == 512);
static_assert(ept_pointer::to(hpa{0x5000}).raw == 0x501e);
static_assert(interruptibility::shadow == 3);
static_assert(pending_debug{}.with<pending_debug::single_step>(true).raw == 1u << 14);
static_assert(capability::may::get(make<capability>(0x700000016)) == 7);
static_assert(basic::revision::get(make<basic>(0x00d810000000002b)) == 0x2b);
static_assert(ept_vpid{}.with<ept_vpid::walk_4>(true).raw == 64);
static_assert(vmx_misc{}.with<vmx_misc::wait_for_sipi>(true).raw == 256);
static_assert(ept_violation_qualification::rights::get(make<ept_violation_qualification>(0x38)) ==
              7);
static_assert(cr_access::from::get(make<cr_access>(0x300)) == 3);
static_assert(io_access::port::get(make<io_access>(0xe90000)) == 0xe9);

static_assert(exit_information::basic::get(make<exit_information>(0x80000021)) == 33);
}    // namespace hv::vmx
