// SPDX-License-Identifier: MIT
#pragma once
// A CPU with VMX or SVM for the hosted core: registers, MSRs, CPUID, what the vendor adds, a log of
// what it did.
#include "arch/cpuid.hpp"
#include "arch/descriptor.hpp"
#include "base/address.hpp"
#include "entry_check.hpp"
#include "fake_mtrrs.hpp"
#include "svm_state.hpp"
#include "vcpu/general_registers.hpp"
#include "vmcb_check.hpp"
#include "vmcs.hpp"
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fake {

// How code in root mode ends where real code would not return.
struct root_fault {
    unsigned vector;    // an exception that no fix-up recovers
};
struct guest_entered {};    // VMLAUNCH or VMRUN: the CPU is a guest
struct abandoned {};        // hv_vmx_abandon, hv_svm_abandon: back on the loader's stack
struct halted {};           // CLI, HLT: the CPU is parked
struct machine_reset {};

enum class vendor { intel, amd };

enum class op {
    wrmsr,
    xsetbv,
    invept,
    invvpid,
    invlpg,
    wbinvd,
    write_cr3,
    outb,
    lidt,
    unblock_nmi,
    interrupt,
    vmxon,
    vmxoff,
    vmclear,
    vmptrld,
    vmentry,
    nmi_sent,
    vmsave,
    vmload,
    clgi,
    open_gif,
};
struct step {
    op what;
    std::uint64_t a, b;
    friend bool operator==(step const&, step const&) = default;
};

/// What a VM exit reports. SDM 3C 28.2 "Recording VM-Exit Information".
struct exit_info {
    std::uint32_t reason{};
    std::uint64_t qualification{};
    std::uint32_t length{3};
    std::uint64_t guest_physical{};
    std::uint32_t event{};
    std::uint32_t vectoring{};
    std::uint32_t vectoring_error{};
};

enum class entry { entered, refused, failed };

/// What a CPU shares with the others: memory by physical address, the APICs' bus.
struct surroundings {
    std::function<void*(hv::hpa)> memory;
    std::function<void(std::uint32_t)> send_nmi;    // to the CPU with this APIC ID
    std::function<std::uint64_t()> ticks;
    std::shared_ptr<std::map<std::uint64_t, vmcs>> regions;    // of VMCSs, by address
};

class cpu {
public:
    cpu(std::uint32_t apic_number, surroundings around, vendor maker = vendor::intel);

    // MSRs. False: #GP.
    bool read_msr(std::uint32_t index, std::uint64_t& value) const;
    bool write_msr(std::uint32_t index, std::uint64_t value);
    [[nodiscard]] hv::cpuid_leaf cpuid(std::uint32_t leaf, std::uint32_t subleaf) const;
    bool xsetbv(std::uint32_t index, std::uint64_t value);

    // VMX instructions. False: VMfail.
    bool vmxon(hv::hpa region);
    void vmxoff();
    bool vmclear(hv::hpa region);
    bool vmptrld(hv::hpa region);
    bool vmread(std::uint64_t field, std::uint64_t& value);
    bool vmwrite(std::uint64_t field, std::uint64_t value);
    entry enter(bool launch);
    /// The guest exits: its state goes to the VMCS, the host's comes.
    void leave_guest(exit_info const& info);
    bool invalidate(op which, std::uint64_t type, std::uint64_t what);

    // SVM instructions. #UD without EFER.SVME, #GP for an address that is not the core's.
    void vmsave(hv::hpa at);
    void vmload(hv::hpa at);
    void clgi();
    /// STGI and CLGI: what waits is taken, by hv_svm_trap.
    void open_gif();
    void load_task(std::uint16_t selector);
    entry vmrun(hv::hpa at);
    void take_virtual_interrupt(hv::svm::vmcb& v);
    void leave_guest(svm_exit const& info);

    void write_cr4(std::uint64_t value);
    /// The physical address behind a linear one of the core, and the entry that maps it.
    [[nodiscard]] std::optional<std::pair<hv::hpa, std::uint64_t>> translate(hv::hva at) const;
    std::uint32_t read_apic(hv::hva at) const;
    void write_apic(hv::hva at, std::uint32_t value);

    void log(op what, std::uint64_t a = 0, std::uint64_t b = 0) {
        steps.push_back({what, a, b});
        if (on_step) on_step(steps.back());
    }
    [[nodiscard]] std::uint64_t count(op what) const;
    [[nodiscard]] vmcs& current();
    [[nodiscard]] vmx_limits limits() const;
    [[nodiscard]] svm_limits limits_of_svm() const;

    std::uint64_t cr0{0x80050033}, cr3{0x1234000}, cr4{0x3706b0}, cr2{}, dr[4]{}, dr6{0xffff0ff0},
        dr7{0x400}, xcr0{7};
    std::uint16_t cs{0x10}, ss{0x18}, ds{}, es{}, fs{}, gs{}, tr{0x40}, ldtr{};
    hv::table_register gdtr{}, idtr{0xfff, 0xfffffe0000000000};
    std::array<std::uint64_t, 16> gdt{};
    msr_file msrs;
    std::map<std::uint64_t, hv::cpuid_leaf> leaves;    // leaf << 32 | subleaf
    std::map<std::uint32_t, std::uint32_t> apic;       // registers by offset
    hv::general_registers gpr;                         // of the guest, while it runs

    svm_state svm;
    bool vmx_on{}, in_guest{};
    std::optional<hv::hpa> current_at;
    bool fail_vmclear{}, fail_vmptrld{}, fail_vmxon{}, fail_invept{};
    std::vector<std::string> broken_rules;    // of the last entry that was not taken
    std::vector<std::uint64_t> injected;    // event | error code << 32, of each entry that had one
    std::vector<step> steps;
    std::uint64_t vmreads{}, vmwrites{};
    std::function<void(step const&)> on_step;    // what else happens at that moment
    std::uint64_t rip{};    // root mode: where the last exit or failed entry led

private:
    void load_guest(vmcs const& v);
    void load_host(vmcs const& v);
    bool take_revision(vmcs& v, hv::hpa region) const;
    bool msr_accepts(std::uint32_t index, std::uint64_t value) const;
    [[nodiscard]] bool amd_msr_accepts(std::uint32_t index, std::uint64_t value) const;
    bool fail(std::uint32_t error);
    void start_svm();
    [[nodiscard]] hv::svm::vmcb& block_at(hv::hpa at) const;

    std::uint32_t apic_id_;
    surroundings around_;
    vendor maker_;
    friend std::uint64_t ticks_of(cpu& c);
};

std::uint64_t ticks_of(cpu& c);

/// The CPU that executes what this thread runs; none: broken.
cpu& this_cpu();
/// Makes a CPU this thread's, for a scope.
class on_cpu {
public:
    explicit on_cpu(cpu& c);
    ~on_cpu();
    on_cpu(on_cpu const&) = delete;
    on_cpu& operator=(on_cpu const&) = delete;

private:
    cpu* before_;
};

/// What the tests' machine looks like: Debian's Bochs with a few things more for the core to hide.
msr_file default_msrs();
std::map<std::uint64_t, hv::cpuid_leaf> default_leaves(std::uint32_t apic_id);
/// And QEMU's TCG, on the other vendor.
msr_file amd_msrs();
std::map<std::uint64_t, hv::cpuid_leaf> amd_leaves(std::uint32_t apic_id);
std::array<std::uint64_t, 16> linux_gdt();

}    // namespace fake
