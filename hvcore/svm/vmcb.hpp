// SPDX-License-Identifier: MIT
#pragma once
#include "svm/exit_code.hpp"
#include "vcpu/exception.hpp"
#include <cstddef>
#include <cstdint>

// gate: list
namespace hv::svm {

// APM 2 B "VMCB Layout".

struct nested_fault : reg<nested_fault> {    // APM 2 15.25.6 "Nested versus Guest Page Faults, …"
    using present = bit<nested_fault, 0>;
    using write = bit<nested_fault, 1>;
    using fetch = bit<nested_fault, 4>;
};

struct virtual_interrupt : reg<virtual_interrupt> {    // offset 060h. APM 2 15.21
    using tpr = field<virtual_interrupt, 7, 0>;
    using pending = bit<virtual_interrupt, 8>;
    using priority = field<virtual_interrupt, 19, 16>;
    using ignore_tpr = bit<virtual_interrupt, 20>;
    using masking = bit<virtual_interrupt, 24>;    // the guest's IF and CR8 are its own
    using vector = field<virtual_interrupt, 39, 32>;
};

struct io_access : reg<io_access> {    // APM 2 15.10.2 "IN and OUT Behavior", EXITINFO1
    using in = bit<io_access, 0>;
    using string = bit<io_access, 2>;
    using repeat = bit<io_access, 3>;
    static constexpr unsigned bytes_of(io_access q) {    // one of three bits: 1, 2, 4
        return field<io_access, 6, 4, unsigned>::get(q);
    }
    using port = field<io_access, 31, 16>;
};

enum class tlb_control : std::uint8_t { nothing = 0, flush_all = 1 };

struct control_area {
    // Offset 0: see set_intercept().
    std::uint32_t cr_intercepts, dr_intercepts, exception_intercepts, intercepts_1, intercepts_2;
    std::uint8_t reserved_1[0x40 - 0x14];
    std::uint64_t io_map, msr_map, tsc_offset;
    std::uint32_t asid;
    tlb_control tlb;
    std::uint8_t reserved_2[3];
    std::uint64_t virtual_interrupt;
    std::uint64_t interrupt_shadow;    // bit 0
    std::uint64_t exit_code, exit_info_1, exit_info_2, exit_event;
    std::uint64_t nested_paging;    // bit 0
    std::uint8_t reserved_3[0xa8 - 0x98];
    std::uint64_t event;
    std::uint64_t nested_cr3;
    std::uint64_t last_branches;
    std::uint32_t clean, reserved_4;
    std::uint64_t next_rip;    // only where CPUID says NRIPS
    std::uint8_t reserved_5[0x400 - 0xd0];
};
static_assert(offsetof(control_area, io_map) == 0x40 && offsetof(control_area, asid) == 0x58);
static_assert(offsetof(control_area, tlb) == 0x5c && offsetof(control_area, exit_code) == 0x70);
static_assert(offsetof(control_area, nested_paging) == 0x90 &&
              offsetof(control_area, event) == 0xa8);
static_assert(offsetof(control_area, next_rip) == 0xc8 && sizeof(control_area) == 0x400);

struct vmcb_segment {
    std::uint16_t selector;
    std::uint16_t attributes;    // descriptor bits 55..52 and 47..40
    std::uint32_t limit;
    std::uint64_t base;
    static constexpr std::uint16_t long_mode = 1u << 9;
};
static_assert(sizeof(vmcb_segment) == 16);

struct save_area {
    vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
    std::uint8_t reserved_1[0xcb - 0xa0];
    std::uint8_t cpl;
    std::uint32_t reserved_2;
    std::uint64_t efer;
    std::uint8_t reserved_3[0x148 - 0xd8];
    std::uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
    std::uint8_t reserved_4[0x1d8 - 0x180];
    std::uint64_t rsp, s_cet, ssp, isst_addr, rax;
    std::uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
    std::uint64_t sysenter_cs, sysenter_esp, sysenter_eip, cr2;
    std::uint8_t reserved_5[0x268 - 0x248];
    std::uint64_t pat, debugctl;
    std::uint8_t reserved_6[0xc00 - 0x278];
};
static_assert(offsetof(save_area, tr) == 0x90 && offsetof(save_area, cpl) == 0xcb);
static_assert(offsetof(save_area, efer) == 0xd0 && offsetof(save_area, rip) == 0x178);
static_assert(offsetof(save_area, rsp) == 0x1d8 && offsetof(save_area, pat) == 0x268);

struct vmcb {
    control_area control;
    save_area save;
};
static_assert(sizeof(vmcb) == 4096);

/// The event that an exit has cut short, for the next entry. What an instruction raised on purpose,
/// that instruction raises again. APM 2 15.7.2 "Recovering the Guest's State", 15.20.
constexpr event_field cut_short(control_area const& v) {
    auto const event = make<event_field>(v.exit_event);
    auto const type = event.get<event_field::type>();
    auto const vector = event.get<event_field::vector>();
    bool const on_purpose = type == event_field::software_interrupt ||
                            (type == event_field::exception && (vector == 3 || vector == 4));
    return event.get<event_field::valid>() && !on_purpose ? event : event_field{};
}

/// The words of intercepts, one after the other, have a bit for each exit code from 0 on.
inline void set_intercept(vmcb& b, exit_code code, bool on) {
    auto const n = static_cast<unsigned>(code);
    auto& word = (&b.control.cr_intercepts)[n / 32];
    word = on ? word | 1u << n % 32 : word & ~(1u << n % 32);
}
/// All that `codes` names, and SVM's own instructions.
template <std::size_t Count> void set_intercepts(vmcb& b, exit_code const (&codes)[Count]) {
    b.control.intercepts_2 = 0x7f;    // VMRUN to SKINIT
    for (auto const code : codes) set_intercept(b, code, true);
}

}    // namespace hv::svm
