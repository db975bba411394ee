// SPDX-License-Identifier: MIT
// VMX operation of the fake CPU. SDM 3C 31 "VMX Instruction Reference", 27, 28.
#include "base/assert.hpp"
#include "cpu.hpp"

namespace fake {

namespace {

enum vm_error : std::uint32_t {    // SDM 3C 31.4 "VM Instruction Error Numbers"
    launch_not_clear = 4,
    resume_not_launched = 5,
    bad_controls = 7,
    bad_host = 8,
    bad_revision = 11,
    no_such_field = 12,
    field_read_only = 13,
    bad_invalidation = 28,
};

bool bit(std::uint64_t value, unsigned n) { return (value >> n & 1) != 0; }

}    // namespace

bool cpu::take_revision(vmcs& v, hv::hpa region) const {
    auto const* word = static_cast<std::uint32_t const*>(around_.memory(region));
    v.revision_ok = word != nullptr && *word == (msrs(0x480) & 0x7fffffff);
    return v.revision_ok;
}

bool cpu::fail(std::uint32_t error) {
    if (current_at) (*around_.regions)[current_at->raw].set(field::instruction_error, error);
    return false;
}

bool cpu::vmxon(hv::hpa region) {
    if (!bit(cr4, 13)) throw root_fault{6};
    auto const control = msrs(0x3a);
    if (!bit(control, 0) || !bit(control, 2) || !bit(cr0, 5)) throw root_fault{13};
    log(op::vmxon, region.raw);
    vmcs scratch;
    if (vmx_on || fail_vmxon || !region.aligned(4096) || !take_revision(scratch, region))
        return false;
    vmx_on = true;
    current_at.reset();
    return true;
}

void cpu::vmxoff() {
    if (!vmx_on) throw root_fault{6};
    log(op::vmxoff);
    vmx_on = false;
    current_at.reset();
}

bool cpu::vmclear(hv::hpa region) {
    if (!vmx_on) throw root_fault{6};
    log(op::vmclear, region.raw);
    if (fail_vmclear || !region.aligned(4096) || around_.memory(region) == nullptr) return fail(2);
    (*around_.regions)[region.raw].launched = false;
    if (current_at == region) current_at.reset();
    return true;
}

bool cpu::vmptrld(hv::hpa region) {
    if (!vmx_on) throw root_fault{6};
    log(op::vmptrld, region.raw);
    if (fail_vmptrld || !region.aligned(4096)) return fail(9);
    if (!take_revision((*around_.regions)[region.raw], region)) return fail(bad_revision);
    current_at = region;
    return true;
}

vmcs& cpu::current() {
    if (!current_at) hv::broken("no current VMCS", __LINE__);
    return around_.regions->at(current_at->raw);
}

bool cpu::vmread(std::uint64_t field, std::uint64_t& value) {
    if (!vmx_on) throw root_fault{6};
    ++vmreads;
    if (!current_at) return false;
    if (!vmcs::has(field)) return fail(no_such_field);
    value = current()[field];
    return true;
}

bool cpu::vmwrite(std::uint64_t field, std::uint64_t value) {
    if (!vmx_on) throw root_fault{6};
    ++vmwrites;
    if (!current_at) return false;
    if (!vmcs::has(field)) return fail(no_such_field);
    if (vmcs::read_only(field) && !bit(msrs(0x485), 29)) return fail(field_read_only);
    current().set(field, value);
    return true;
}

bool cpu::invalidate(op which, std::uint64_t type, std::uint64_t what) {
    if (!vmx_on) throw root_fault{6};
    log(which, type, what);
    auto const first = which == op::invept ? 24u : 40u;
    if (fail_invept || type > 3 || !bit(msrs(0x48c), first + static_cast<unsigned>(type)))
        return fail(bad_invalidation);
    return true;
}

vmx_limits cpu::limits() const {
    return {.true_pin = msrs(0x48d),
            .true_processor = msrs(0x48e),
            .true_exit = msrs(0x48f),
            .true_entry = msrs(0x490),
            .secondary = msrs(0x48b),
            .misc = msrs(0x485),
            .ept_vpid = msrs(0x48c),
            .cr0_fixed0 = msrs(0x486),
            .cr0_fixed1 = msrs(0x487),
            .cr4_fixed0 = msrs(0x488),
            .cr4_fixed1 = msrs(0x489),
            .physical_bits = cpuid(0x80000008, 0).eax & 0xff};
}

entry cpu::enter(bool launch) {
    log(op::vmentry, launch);
    broken_rules.clear();
    auto refused = [&](std::uint32_t error) {
        fail(error);
        return entry::refused;
    };
    if (!current_at) return entry::refused;
    auto& v = current();
    if (launch == v.launched) return refused(launch ? launch_not_clear : resume_not_launched);
    broken_rules = check_controls(v, limits());
    if (!broken_rules.empty()) return refused(bad_controls);
    broken_rules = check_host(v, limits());
    if (!broken_rules.empty()) return refused(bad_host);
    broken_rules = check_guest(v, limits());
    if (!broken_rules.empty()) {
        v.set(field::reason, 0x80000021);
        v.set(field::qualification, 0);
        load_host(v);
        return entry::failed;
    }
    v.launched = true;
    load_guest(v);
    return entry::entered;
}

void cpu::load_guest(vmcs const& v) {
    in_guest = true;
    auto const event = v[field::entry_event];
    auto& live = current();
    if (bit(event, 31)) {
        injected.push_back(event | (bit(event, 11) ? v[field::entry_error] << 32 : 0));
        live.clear_bits(field::interruptibility, 3);
        if ((event >> 8 & 7) == 2) live.set_bits(field::interruptibility, 8);
        live.set(field::activity, 0);
    }
    if (msrs.value.contains(0x1d9)) msrs.value[0x1d9] = v[field::debugctl];
    msrs.value[0x277] = v[field::pat];
    msrs.value[0xc0000080] = v[field::efer];
    msrs.value[0x174] = v[field::sysenter_cs];
    msrs.value[0x175] = v[field::sysenter_esp];
    msrs.value[0x176] = v[field::sysenter_eip];
    msrs.value[0xc0000100] = v[field::fs_base];
    msrs.value[0xc0000101] = v[field::gs_base];
}

void cpu::load_host(vmcs const& v) {
    in_guest = false;
    cr0 = v[field::host_cr0];
    cr3 = v[field::host_cr3];
    cr4 = v[field::host_cr4];
    dr7 = 0x400;
    rip = v[field::host_rip];
    cs = static_cast<std::uint16_t>(v[field::host_cs_selector]);
    ss = static_cast<std::uint16_t>(v[field::host_ss_selector]);
    tr = static_cast<std::uint16_t>(v[field::host_tr_selector]);
    ds = es = fs = gs = ldtr = 0;
    gdtr = {0xffff, v[field::host_gdtr_base]};
    idtr = {0xffff, v[field::host_idtr_base]};
    if (msrs.value.contains(0x1d9)) msrs.value[0x1d9] = 0;
    msrs.value[0x277] = v[field::host_pat];
    msrs.value[0xc0000080] = v[field::host_efer];
    msrs.value[0x174] = v[field::host_sysenter_cs];
    msrs.value[0x175] = v[field::host_sysenter_esp];
    msrs.value[0x176] = v[field::host_sysenter_eip];
    msrs.value[0xc0000100] = v[field::host_fs_base];
    msrs.value[0xc0000101] = v[field::host_gs_base];
}

void cpu::leave_guest(exit_info const& info) {
    if (!in_guest) hv::broken("an exit of a CPU that runs no guest", __LINE__);
    auto& v = current();
    v.set(field::debugctl, msrs(0x1d9));
    v.set(field::pat, msrs(0x277));
    v.set(field::efer, msrs(0xc0000080));
    v.set(field::sysenter_cs, msrs(0x174));
    v.set(field::sysenter_esp, msrs(0x175));
    v.set(field::sysenter_eip, msrs(0x176));
    v.set(field::fs_base, msrs(0xc0000100));
    v.set(field::gs_base, msrs(0xc0000101));
    v.clear_bits(field::entry_event, 1u << 31);
    v.set(field::reason, info.reason);
    v.set(field::qualification, info.qualification);
    v.set(field::length, info.length);
    v.set(field::guest_physical, info.guest_physical);
    v.set(field::exit_event, info.event);
    v.set(field::vectoring, info.vectoring);
    v.set(field::vectoring_error, info.vectoring_error);
    load_host(v);
}

}    // namespace fake
