// SPDX-License-Identifier: MIT
#pragma once
#include "vcpu/exception.hpp"
#include <cstddef>
#include <cstdint>

// gate: list
namespace hv::svm {

// APM 2 B "VMCB Layout".

struct intercept_cr : reg<intercept_cr> {    // offset 000h
    using read_cr8 = bit<intercept_cr, 8>;
    using write_cr0 = bit<intercept_cr, 16>;
    using write_cr4 = bit<intercept_cr, 20>;
    using write_cr8 = bit<intercept_cr, 24>;
};
static_assert(intercept_cr{}.with<intercept_cr::write_cr4>(true).raw == 1u << 20);

struct intercept_1 : reg<intercept_1> {    // offset 00Ch
    using external_interrupt = bit<intercept_1, 0>;
    using virtual_interrupt = bit<intercept_1, 4>;
    using write_idtr = bit<intercept_1, 10>;
    using write_gdtr = bit<intercept_1, 11>;
    using rdpmc = bit<intercept_1, 15>;
    using cpuid = bit<intercept_1, 18>;
    using hlt = bit<intercept_1, 24>;
    using io = bit<intercept_1, 27>;
    using task_switch = bit<intercept_1, 29>;
    using nmi = bit<intercept_1, 1>;
    using init = bit<intercept_1, 3>;
    using iret = bit<intercept_1, 20>;
    using invd = bit<intercept_1, 22>;
    using invlpga = bit<intercept_1, 26>;
    using msr = bit<intercept_1, 28>;
    using shutdown = bit<intercept_1, 31>;
};
static_assert(intercept_1{}.with<intercept_1::msr>(true).raw == 1u << 28);

struct intercept_2 : reg<intercept_2> {    // offset 010h
    using vmrun = bit<intercept_2, 0>;
    using vmmcall = bit<intercept_2, 1>;
    using vmload = bit<intercept_2, 2>;
    using vmsave = bit<intercept_2, 3>;
    using stgi = bit<intercept_2, 4>;
    using clgi = bit<intercept_2, 5>;
    using skinit = bit<intercept_2, 6>;
    using wbinvd = bit<intercept_2, 9>;
    using monitor = bit<intercept_2, 10>;
    using mwait = bit<intercept_2, 11>;
    using armed_mwait = bit<intercept_2, 12>;
    using xsetbv = bit<intercept_2, 13>;
};
static_assert(intercept_2{}.with<intercept_2::skinit>(true).raw == 64);

struct nested_fault : reg<nested_fault> {    // APM 2 15.25.6 "Nested versus Guest Page Faults, …"
    using present = bit<nested_fault, 0>;
    using write = bit<nested_fault, 1>;
    using fetch = bit<nested_fault, 4>;
};
static_assert(nested_fault{}.with<nested_fault::fetch>(true).raw == 16);

struct virtual_interrupt : reg<virtual_interrupt> {    // offset 060h. APM 2 15.21
    using tpr = field<virtual_interrupt, 7, 0>;
    using pending = bit<virtual_interrupt, 8>;
    using priority = field<virtual_interrupt, 19, 16>;
    using ignore_tpr = bit<virtual_interrupt, 20>;
    using masking = bit<virtual_interrupt, 24>;    // the guest's IF and CR8 are its own
    using vector = field<virtual_interrupt, 39, 32>;
};
static_assert(virtual_interrupt{}.with<virtual_interrupt::masking>(true).raw == 1u << 24);

struct io_access : reg<io_access> {    // APM 2 15.10.2 "IN and OUT Behavior", EXITINFO1
    using in = bit<io_access, 0>;
    using string = bit<io_access, 2>;
    using repeat = bit<io_access, 3>;
    using bytes = field<io_access, 6, 4, unsigned>;    // one of three bits: 1, 2, 4
    using port = field<io_access, 31, 16>;
};
static_assert(io_access::port::get(make<io_access>(0xe90010)) == 0xe9);

enum class tlb_control : std::uint8_t { nothing = 0, flush_all = 1 };

struct control_area {
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
static_assert(offsetof(control_area, tlb) == 0x5c);
static_assert(offsetof(control_area, interrupt_shadow) == 0x68);
static_assert(offsetof(control_area, exit_code) == 0x70);
static_assert(offsetof(control_area, exit_event) == 0x88);
static_assert(offsetof(control_area, nested_paging) == 0x90);
static_assert(offsetof(control_area, event) == 0xa8);
static_assert(offsetof(control_area, nested_cr3) == 0xb0 && offsetof(control_area, clean) == 0xc0);
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
static_assert(offsetof(save_area, efer) == 0xd0 && offsetof(save_area, cr4) == 0x148);
static_assert(offsetof(save_area, rip) == 0x178 && offsetof(save_area, rsp) == 0x1d8);
static_assert(offsetof(save_area, rax) == 0x1f8 && offsetof(save_area, star) == 0x200);
static_assert(offsetof(save_area, cr2) == 0x240 && offsetof(save_area, pat) == 0x268);

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

template <typename Bit> void set_intercept(vmcb& b, bool on) {
    auto const now = make<intercept_1>(b.control.intercepts_1).with<Bit>(on);
    b.control.intercepts_1 = static_cast<std::uint32_t>(now.raw);
}

}    // namespace hv::svm
