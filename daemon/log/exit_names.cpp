// SPDX-License-Identifier: MIT
#include "daemon/log/exit_names.hpp"

#include <array>

namespace hv {
namespace {

// gate: list
constexpr std::array<std::string_view, 79> vmx{
    "exception_or_nmi",
    "external_interrupt",
    "triple_fault",
    "init",
    "sipi",
    "io_smi",
    "other_smi",
    "interrupt_window",
    "nmi_window",
    "task_switch",
    "cpuid",
    "getsec",
    "hlt",
    "invd",
    "invlpg",
    "rdpmc",
    "rdtsc",
    "rsm",
    "vmcall",
    "vmclear",
    "vmlaunch",
    "vmptrld",
    "vmptrst",
    "vmread",
    "vmresume",
    "vmwrite",
    "vmxoff",
    "vmxon",
    "cr_access",
    "dr_access",
    "io_instruction",
    "msr_read",
    "msr_write",
    "entry_failed_guest_state",
    "entry_failed_msr_loading",
    "",
    "mwait",
    "monitor_trap_flag",
    "",
    "monitor",
    "pause",
    "entry_failed_machine_check",
    "",
    "tpr_below_threshold",
    "apic_access",
    "virtualized_eoi",
    "gdtr_idtr_access",
    "ldtr_tr_access",
    "ept_violation",
    "ept_misconfiguration",
    "invept",
    "rdtscp",
    "preemption_timer",
    "invvpid",
    "wbinvd",
    "xsetbv",
    "apic_write",
    "rdrand",
    "invpcid",
    "vmfunc",
    "encls",
    "rdseed",
    "page_modification_log_full",
    "xsaves",
    "xrstors",
    "pconfig",
    "spp_event",
    "umwait",
    "tpause",
    "loadiwkey",
    "enclv",
    "",
    "enqcmd_pasid",
    "enqcmds_pasid",
    "bus_lock",
    "instruction_timeout",
    "seamcall",
    "tdcall",
    "rdmsrlist",
};

/// From 60H on; before come accesses to registers and exceptions, which are numbered.
// gate: list
constexpr std::array<std::string_view, 48> svm{
    "external_interrupt",
    "nmi",
    "smi",
    "init",
    "virtual_interrupt",
    "cr0_selective_write",
    "idtr_read",
    "gdtr_read",
    "ldtr_read",
    "tr_read",
    "idtr_write",
    "gdtr_write",
    "ldtr_write",
    "tr_write",
    "rdtsc",
    "rdpmc",
    "pushf",
    "popf",
    "cpuid",
    "rsm",
    "iret",
    "software_interrupt",
    "invd",
    "pause",
    "hlt",
    "invlpg",
    "invlpga",
    "io",
    "msr_read",
    "task_switch",
    "ferr_freeze",
    "shutdown",
    "vmrun",
    "vmmcall",
    "vmload",
    "vmsave",
    "stgi",
    "clgi",
    "skinit",
    "rdtscp",
    "icebp",
    "wbinvd",
    "monitor",
    "mwait",
    "mwait_armed",
    "xsetbv",
    "rdpru",
    "efer_write",
};

constexpr std::uint64_t svm_first = 0x60;
constexpr std::uint64_t svm_msr = 0x7c;
constexpr std::uint64_t svm_nested_page_fault = 0x400;
constexpr std::uint64_t svm_invalid = 0xffff;    // VMEXIT_INVALID, -1, in 16 bits

std::string numbered(char const* before, std::uint64_t number, char const* after = "") {
    return before + std::to_string(number) + after;
}

std::string nameless(std::uint64_t reason) { return numbered("exit_", reason); }

std::string svm_name(std::uint64_t code, bool write) {
    if (code < 0x20) return numbered("cr", code % 16, code < 0x10 ? "_read" : "_write");
    if (code < 0x40) return numbered("dr", code % 16, code < 0x30 ? "_read" : "_write");
    if (code == 0x41) return "debug_exception";
    if (code == 0x52) return "machine_check";
    if (code < svm_first) return numbered("exception_", code - 0x40);
    if (code == svm_msr && write) return "msr_write";
    if (code - svm_first < svm.size()) return std::string{svm[code - svm_first]};
    if (code == svm_nested_page_fault) return "nested_page_fault";
    return code == svm_invalid ? "entry_failed_guest_state" : nameless(code);
}

/// What is counted in a slot: abi/record.h has fewer of them than SVM has codes.
std::string svm_slot_name(std::uint64_t slot) {
    if (slot < 0x20 || (slot >= 0x40 && slot < 0x80)) return svm_name(slot, false);
    if (slot < 0x30) return svm_name(slot + 0x60, false);
    switch (slot) {
    case 0x30: return svm_name(svm_nested_page_fault, false);
    case 0x31: return svm_name(svm_invalid, false);
    case 0x32: return svm_name(svm_msr, true);
    case 0x3f: return "other";
    default:   return nameless(slot);
    }
}

std::string vmx_name(std::uint64_t reason) {
    if (reason < vmx.size() && !vmx[reason].empty()) return std::string{vmx[reason]};
    return nameless(reason);
}

}

std::string exit_name(std::string_view backend, std::uint64_t reason, bool write) {
    return backend == "svm" ? svm_name(reason, write) : vmx_name(reason);
}

std::string counter_name(std::string_view backend, std::uint64_t slot) {
    return backend == "svm" ? svm_slot_name(slot) : vmx_name(slot);
}

}
