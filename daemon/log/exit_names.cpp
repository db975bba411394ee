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

}

std::string exit_name(std::string_view backend, std::uint64_t reason) {
    if (backend == "vmx" && reason < vmx.size() && !vmx[reason].empty()) {
        return std::string{vmx[reason]};
    }
    return "exit_" + std::to_string(reason);
}

}
