// SPDX-License-Identifier: MIT
// SDM 3C 27.2: controls and host state. What fails here is a VMfail, with error 7 or 8.
#include "entry_check.hpp"

namespace fake {

using namespace entry_rule;

namespace {

/// Low half: bits that must be 1; high half: bits that may be.
bool allowed(std::uint64_t value, std::uint64_t capability) {
    return fixed(value, capability & 0xffffffff, capability >> 32);
}

bool address(std::uint64_t at, std::uint64_t alignment, vmx_limits const& limits) {
    return at % alignment == 0 && at >> limits.physical_bits == 0;
}

void check_execution(findings& f, vmcs const& v, vmx_limits const& limits) {
    auto const pin = v[field::pin];
    auto const processor = v[field::processor];
    auto const secondary = bit(processor, 31) ? v[field::secondary] : 0;
    f.expect(allowed(pin, limits.true_pin), "27.2.1.1 reserved pin-based control");
    f.expect(allowed(processor, limits.true_processor), "27.2.1.1 reserved processor control");
    f.expect(allowed(secondary, limits.secondary), "27.2.1.1 reserved secondary control");
    f.expect(v[field::cr3_targets] <= 4, "27.2.1.1 CR3-target count");
    f.expect(!bit(processor, 25) || address(v[field::io_bitmap_a], 4096, limits),
             "27.2.1.1 I/O bitmap");
    f.expect(!bit(processor, 28) || address(v[field::msr_bitmap], 4096, limits),
             "27.2.1.1 MSR bitmap");
    f.expect(bit(processor, 21) || (secondary & (1u << 4 | 1u << 8 | 1u << 9)) == 0,
             "27.2.1.1 TPR shadow");
    f.expect(bit(pin, 3) || !bit(pin, 5), "27.2.1.1 virtual NMIs without NMI exiting");
    f.expect(bit(pin, 5) || !bit(processor, 22), "27.2.1.1 NMI window without virtual NMIs");
    f.expect(!bit(secondary, 5) || v[field::vpid] != 0, "27.2.1.1 VPID 0");
    f.expect(!bit(secondary, 7) || bit(secondary, 1), "27.2.1.1 unrestricted guest without EPT");
    if (!bit(secondary, 1)) return;
    auto const ept = v[field::ept_pointer];
    f.expect((ept & 7) == 6 && bit(limits.ept_vpid, 14), "27.2.1.1 EPTP memory type");
    f.expect((ept >> 3 & 7) == 3, "27.2.1.1 EPTP walk length");
    f.expect(!bit(ept, 6) || bit(limits.ept_vpid, 21), "27.2.1.1 EPTP accessed and dirty flags");
    f.expect((ept & 0xf80) == 0 && ept >> limits.physical_bits == 0, "27.2.1.1 EPTP reserved bits");
}

void check_exit(findings& f, vmcs const& v, vmx_limits const& limits) {
    f.expect(allowed(v[field::exit], limits.true_exit), "27.2.1.2 reserved exit control");
    f.expect(bit(v[field::pin], 6) || !bit(v[field::exit], 22),
             "27.2.1.2 timer saved but not activated");
    f.expect(v[field::exit_stores] == 0 || address(v[field::exit_msr_store], 16, limits),
             "27.2.1.2 MSR-store address");
    f.expect(v[field::exit_loads] == 0 || address(v[field::exit_msr_load], 16, limits),
             "27.2.1.2 MSR-load address");
}

bool takes_error_code(std::uint64_t vector) {
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

void check_event(findings& f, vmcs const& v, vmx_limits const& limits) {
    auto const event = v[field::entry_event];
    if (!bit(event, 31)) return;
    auto const type = event >> 8 & 7;
    auto const vector = event & 0xff;
    f.expect(type != 1 && (type != 7 || bit(limits.true_processor >> 32, 27)),
             "27.2.1.3 event type");
    f.expect(type != 2 || vector == 2, "27.2.1.3 NMI with another vector");
    f.expect(type != 3 || vector <= 31, "27.2.1.3 exception vector");
    f.expect(type != 7 || vector == 0, "27.2.1.3 other event");
    bool const protected_mode = !unrestricted(v) || bit(v[field::cr0], 0);
    bool const error = type == 3 && protected_mode && takes_error_code(vector);
    f.expect(bit(event, 11) == error, "27.2.1.3 deliver error code");
    f.expect((event & 0x7ffff000) == 0, "27.2.1.3 reserved bits of the event");
    f.expect(!bit(event, 11) || v[field::entry_error] >> 16 == 0, "27.2.1.3 error code");
    bool const software = type >= 4 && type <= 6;
    auto const length = v[field::entry_length];
    f.expect(!software || (length <= 15 && (length > 0 || bit(limits.misc, 30))),
             "27.2.1.3 instruction length");
}

}    // namespace

std::vector<std::string> check_controls(vmcs const& v, vmx_limits const& limits) {
    findings f;
    check_execution(f, v, limits);
    check_exit(f, v, limits);
    f.expect(allowed(v[field::entry], limits.true_entry), "27.2.1.3 reserved entry control");
    f.expect((v[field::entry] & (1u << 10 | 1u << 11)) == 0, "27.2.1.3 entry to SMM");
    f.expect(v[field::entry_loads] == 0 || address(v[field::entry_msr_load], 16, limits),
             "27.2.1.3 MSR-load address");
    check_event(f, v, limits);
    return f.take();
}

std::vector<std::string> check_host(vmcs const& v, vmx_limits const& limits) {
    findings f;
    bool const host_64 = bit(v[field::exit], 9);
    f.expect(fixed(v[field::host_cr0], limits.cr0_fixed0, limits.cr0_fixed1), "27.2.2 host CR0");
    f.expect(fixed(v[field::host_cr4], limits.cr4_fixed0, limits.cr4_fixed1), "27.2.2 host CR4");
    f.expect(v[field::host_cr3] >> limits.physical_bits == 0, "27.2.2 host CR3");
    f.expect(canonical(v[field::host_sysenter_esp]), "27.2.2 host SYSENTER_ESP");
    f.expect(canonical(v[field::host_sysenter_eip]), "27.2.2 host SYSENTER_EIP");
    f.expect(!bit(v[field::exit], 19) || pat(v[field::host_pat]), "27.2.2 host PAT");
    if (bit(v[field::exit], 21)) {
        auto const efer = v[field::host_efer];
        f.expect((efer & ~0xd01ull) == 0, "27.2.2 host EFER reserved bits");
        f.expect(bit(efer, 8) == host_64 && bit(efer, 10) == host_64, "27.2.2 host EFER mode");
    }
    for (std::uint32_t selector = field::host_es_selector; selector <= field::host_tr_selector;
         selector += 2)
        f.expect((v[selector] & 7) == 0, "27.2.3 host selector with RPL or TI");
    f.expect(v[field::host_cs_selector] != 0, "27.2.3 host CS 0");
    f.expect(v[field::host_tr_selector] != 0, "27.2.3 host TR 0");
    f.expect(host_64 || v[field::host_ss_selector] != 0, "27.2.3 host SS 0");
    for (std::uint32_t base = field::host_fs_base; base <= field::host_idtr_base; base += 2)
        f.expect(canonical(v[base]), "27.2.3 host base not canonical");
    f.expect(host_64, "27.2.4 host in IA-32e mode, exit to 32 bits");
    f.expect(bit(v[field::host_cr4], 5), "27.2.4 host CR4.PAE");
    f.expect(canonical(v[field::host_rip]), "27.2.4 host RIP");
    return f.take();
}

}    // namespace fake
