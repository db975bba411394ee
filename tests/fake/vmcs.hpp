// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <vector>

namespace fake {

/// A VMCS as the processor keeps it: a value per encoding, and whether it was launched.
class vmcs {
public:
    vmcs() : value_(0x7000) {}
    /// Whether a processor with all features of this fake has the field. SDM 3D B "Field Encoding".
    static bool has(std::uint64_t field);
    static bool read_only(std::uint64_t field) { return (field >> 10 & 3) == 1; }
    /// What fits the field's width.
    static std::uint64_t narrow(std::uint64_t field, std::uint64_t value);

    [[nodiscard]] std::uint64_t operator[](std::uint64_t field) const { return value_.at(field); }
    void set(std::uint64_t field, std::uint64_t value) { value_.at(field) = narrow(field, value); }
    void set_bits(std::uint64_t field, std::uint64_t bits) { set(field, (*this)[field] | bits); }
    void clear_bits(std::uint64_t field, std::uint64_t bits) { set(field, (*this)[field] & ~bits); }

    bool launched{};
    bool revision_ok{};

private:
    std::vector<std::uint64_t> value_;
};

/// Encodings by the names of SDM 3D B, for tests that must not take the core's word for them.
namespace field {
inline constexpr std::uint32_t vpid = 0x0000, es_selector = 0x0800, cs_selector = 0x0802,
                               ss_selector = 0x0804, ldtr_selector = 0x080c, tr_selector = 0x080e,
                               host_es_selector = 0x0c00, host_cs_selector = 0x0c02,
                               host_ss_selector = 0x0c04, host_tr_selector = 0x0c0c,
                               io_bitmap_a = 0x2000, msr_bitmap = 0x2004, exit_msr_store = 0x2006,
                               exit_msr_load = 0x2008, entry_msr_load = 0x200a,
                               ept_pointer = 0x201a, guest_physical = 0x2400, link_pointer = 0x2800,
                               debugctl = 0x2802, pat = 0x2804, efer = 0x2806, pdpte0 = 0x280a,
                               host_pat = 0x2c00, host_efer = 0x2c02, pin = 0x4000,
                               processor = 0x4002, exceptions = 0x4004, cr3_targets = 0x400a,
                               exit = 0x400c, exit_stores = 0x400e, exit_loads = 0x4010,
                               entry = 0x4012, entry_loads = 0x4014, entry_event = 0x4016,
                               entry_error = 0x4018, entry_length = 0x401a, secondary = 0x401e,
                               instruction_error = 0x4400, reason = 0x4402, exit_event = 0x4404,
                               exit_event_error = 0x4406, vectoring = 0x4408,
                               vectoring_error = 0x440a, length = 0x440c, es_limit = 0x4800,
                               tr_limit = 0x480e, gdtr_limit = 0x4810, idtr_limit = 0x4812,
                               es_access = 0x4814, cs_limit = 0x4802, cs_access = 0x4816,
                               ss_access = 0x4818, ds_access = 0x481a, ldtr_access = 0x4820,
                               tr_access = 0x4822, interruptibility = 0x4824, activity = 0x4826,
                               sysenter_cs = 0x482a, timer = 0x482e, host_sysenter_cs = 0x4c00,
                               cr0_mask = 0x6000, cr4_mask = 0x6002, cr0_shadow = 0x6004,
                               cr4_shadow = 0x6006, qualification = 0x6400, guest_linear = 0x640a,
                               cr0 = 0x6800, cr3 = 0x6802, cr4 = 0x6804, es_base = 0x6806,
                               cs_base = 0x6808, ss_base = 0x680a, fs_base = 0x680e,
                               gs_base = 0x6810, ldtr_base = 0x6812, tr_base = 0x6814,
                               gdtr_base = 0x6816, idtr_base = 0x6818, dr7 = 0x681a, rsp = 0x681c,
                               rip = 0x681e, rflags = 0x6820, pending_debug = 0x6822,
                               sysenter_esp = 0x6824, sysenter_eip = 0x6826, host_cr0 = 0x6c00,
                               host_cr3 = 0x6c02, host_cr4 = 0x6c04, host_fs_base = 0x6c06,
                               host_gs_base = 0x6c08, host_tr_base = 0x6c0a,
                               host_gdtr_base = 0x6c0c, host_idtr_base = 0x6c0e,
                               host_sysenter_esp = 0x6c10, host_sysenter_eip = 0x6c12,
                               host_rsp = 0x6c14, host_rip = 0x6c16;
}    // namespace field

}    // namespace fake
