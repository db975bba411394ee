// SPDX-License-Identifier: MIT
#pragma once
#include "arch/register.hpp"
#include "base/address.hpp"
#include <cstdint>

// gate: list
namespace hv::vmx {

struct pin : reg<pin> {    // SDM 3C 25.6.1 "Pin-Based VM-Execution Controls"
    using external_interrupts = bit<pin, 0>;
    using nmi_exiting = bit<pin, 3>;
    using virtual_nmis = bit<pin, 5>;
    using preemption_timer = bit<pin, 6>;
};

struct processor : reg<processor> {    // SDM 3C 25.6.2 "Processor-Based VM-Execution Controls"
    using interrupt_window = bit<processor, 2>;
    using tsc_offsetting = bit<processor, 3>;
    using hlt = bit<processor, 7>;
    using invlpg = bit<processor, 9>;
    using mwait = bit<processor, 10>;
    using rdpmc = bit<processor, 11>;
    using rdtsc = bit<processor, 12>;
    using cr8_load = bit<processor, 19>;
    using cr8_store = bit<processor, 20>;
    using mov_dr = bit<processor, 23>;
    using all_io = bit<processor, 24>;
    using nmi_window = bit<processor, 22>;
    using io_bitmaps = bit<processor, 25>;
    using monitor = bit<processor, 29>;
    using msr_bitmaps = bit<processor, 28>;
    using secondary = bit<processor, 31>;
};

struct secondary : reg<secondary> {    // SDM 3C 25.6.2, secondary controls
    using ept = bit<secondary, 1>;
    using descriptor_tables = bit<secondary, 2>;
    using rdtscp = bit<secondary, 3>;
    using vpid = bit<secondary, 5>;
    using wbinvd = bit<secondary, 6>;
    using unrestricted = bit<secondary, 7>;
    using rdrand = bit<secondary, 11>;
    using invpcid = bit<secondary, 12>;
    using rdseed = bit<secondary, 16>;
    using xsaves = bit<secondary, 20>;
    using user_wait = bit<secondary, 26>;
};

struct exit_control : reg<exit_control> {    // SDM 3C 25.7.1 "VM-Exit Controls"
    using save_debug = bit<exit_control, 2>;
    using host_64 = bit<exit_control, 9>;
    using save_pat = bit<exit_control, 18>;
    using load_pat = bit<exit_control, 19>;
    using save_efer = bit<exit_control, 20>;
    using load_efer = bit<exit_control, 21>;
    using save_timer = bit<exit_control, 22>;    // only together with pin::preemption_timer
};

struct entry_control : reg<entry_control> {    // SDM 3C 25.8.1 "VM-Entry Controls"
    using load_debug = bit<entry_control, 2>;
    using ia32e = bit<entry_control, 9>;
    using load_pat = bit<entry_control, 14>;
    using load_efer = bit<entry_control, 15>;
};

struct ept_pointer : reg<ept_pointer> {    // SDM 3C 25.6.11 "Extended-Page-Table Pointer (EPTP)"
    using memory_type = field<ept_pointer, 2, 0>;
    using walk_length = field<ept_pointer, 5, 3>;    // levels - 1
    using table = field<ept_pointer, 51, 12>;
    static constexpr ept_pointer to(hpa root) {
        return ept_pointer{}.with<memory_type>(6u).with<walk_length>(3u).with<table>(root.raw >>
                                                                                     12);
    }
};

struct interruptibility : reg<interruptibility> {    // SDM 3C 25.4.2 "Guest Non-Register State"
    using sti = bit<interruptibility, 0>;
    using mov_ss = bit<interruptibility, 1>;
    using nmi = bit<interruptibility, 3>;
    static constexpr std::uint64_t shadow = sti::mask | mov_ss::mask;
};

struct pending_debug : reg<pending_debug> {    // SDM 3C 25.4.2, pending debug exceptions
    using single_step = bit<pending_debug, 14>;
    static constexpr std::uint64_t hits = 0xf;    // of breakpoints, DR7 says which count
};

enum class activity : std::uint32_t { active = 0, hlt = 1, shutdown = 2, wait_for_sipi = 3 };

// SDM 3D A.3 "VM-Execution Controls": allowed-0 and allowed-1
struct capability : reg<capability> {
    using must = field<capability, 31, 0>;
    using may = field<capability, 63, 32>;
};

struct basic : reg<basic> {    // SDM 3D A.1 "Basic VMX Information"
    using revision = field<basic, 30, 0>;
    using memory_type = field<basic, 53, 50>;
    using true_controls = bit<basic, 55>;
};

struct ept_vpid : reg<ept_vpid> {    // SDM 3D A.10 "VPID and EPT Capabilities"
    using walk_4 = bit<ept_vpid, 6>;
    using write_back = bit<ept_vpid, 14>;
    using page_2m = bit<ept_vpid, 16>;
    using page_1g = bit<ept_vpid, 17>;
    using invept = bit<ept_vpid, 20>;
    using invept_all = bit<ept_vpid, 26>;
    using invvpid = bit<ept_vpid, 32>;
    using invvpid_all = bit<ept_vpid, 42>;
};

struct vmx_misc : reg<vmx_misc> {                 // SDM 3D A.6 "Miscellaneous Data"
    using timer_shift = field<vmx_misc, 4, 0>;    // the timer counts once in 2^n ticks of the TSC
    using stores_lma = bit<vmx_misc, 5>;
    using wait_for_sipi = bit<vmx_misc, 8>;
};

// Types for INVEPT and INVVPID. SDM 3C 29.4.3 "Invalidating Cached Translation Information".
inline constexpr std::uint64_t invalidate_all_contexts = 2;

// SDM 3C 28.2.1, table 28-7
struct ept_violation_qualification : reg<ept_violation_qualification> {
    using access = field<ept_violation_qualification, 2, 0>;    // as enum hv_access
    using rights = field<ept_violation_qualification, 5, 3>;
    using nmi_unblocked = bit<ept_violation_qualification, 12>;
};

// SDM 3C 28.2.1, table "Exit Qualification for Control-Register Accesses"
struct cr_access : reg<cr_access> {
    using number = field<cr_access, 3, 0, unsigned>;
    using type = field<cr_access, 5, 4, unsigned>;     // 0 MOV to CR, 1 MOV from CR, 2 CLTS, 3 LMSW
    using from = field<cr_access, 11, 8, unsigned>;    // general register
    using lmsw_source = field<cr_access, 31, 16>;
};

// SDM 3C 28.2.1, table "Exit Qualification for I/O Instructions"
struct io_access : reg<io_access> {
    static constexpr unsigned bytes_of(io_access q) {    // less one: 0, 1, 3, in bits 2 to 0
        return field<io_access, 1, 0, unsigned>::get(q) + 1;
    }
    using in = bit<io_access, 3>;
    using string = bit<io_access, 4>;
    using repeat = bit<io_access, 5>;
    using port = field<io_access, 31, 16>;
};

}    // namespace hv::vmx
