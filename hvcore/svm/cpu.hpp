// SPDX-License-Identifier: MIT
#pragma once
#include "call/virtual_cpu.hpp"
#include "mem/npt_format.hpp"
#include "root/held_registers.hpp"
#include "svm/exit_code.hpp"
#include "svm/msr_permissions.hpp"
#include "svm/vmcb.hpp"
#include "vcpu/control_register.hpp"
#include "vcpu/exception.hpp"

namespace hv::svm {

using root_machine = machine<npt_format, msr_permissions, guest_registry<npt_format>>;

/// Why the guest executes one instruction and comes back: see svm/step.cpp.
enum step_reason : std::uint8_t {
    step_register = 1,     // a rule watches it, or the instruction
    step_open_page = 2,    // so that a logged access can happen
    step_iret = 4,         // the end of an NMI handler, and another NMI waits
    step_shadow = 8,       // of STI or MOV SS, and an NMI waits
};

/// One CPU under SVM, and the root VM's virtual CPU on it. Lies at the top of the CPU's stack: RSP
/// is just behind the registers at VMRUN, so the exit entry's pushes fill them (entry.S).
class cpu : public virtual_cpu<root_machine> {
public:
    std::uint64_t launch_cr0{}, launch_cr4{}, launch_efer{};    // Linux's
    std::uint64_t leave_cr3{};                                  // where leave() goes
    std::uint64_t leave_rip{};
    svm::vmcb* block{};
    bool flush_next{};    // all translations, at the next entry
    bool has_next_rip{};
    bool redirects_init{};
    bool nmi_masked{};             // the root VM is in its NMI handler
    std::uint64_t last_guest{};    // whose translations the guests' ASID may have
    struct {
        std::uint8_t reasons{};         // bits of enum step_reason
        bool own_trap_flag{};           // the root VM's own RFLAGS.TF
        bool open_until_iret{};         // pages that the delivery of an event touches
        bool open_until_interrupt{};    // pages that are executed
        std::uint64_t dr6{}, cr0{}, cr4{}, efer{};
    } step;

    // What the common code asks of a virtual CPU.
    [[nodiscard]] gva rip() const { return gva{block->save.rip}; }
    [[nodiscard]] gva linear(std::uint64_t rip) const;
    [[nodiscard]] unsigned privilege() const { return block->save.cpl; }
    [[nodiscard]] std::uint16_t reason() const {
        return static_cast<std::uint16_t>(block->control.exit_code);
    }
    /// Deliver `x` at the next entry, combined with the event that was being delivered.
    void inject(exception x);
    /// Move behind the instruction that left guest operation; `bytes` long, where the CPU does not
    /// say so itself.
    void advance(std::uint64_t bytes);
    void synchronise();
    /// GIF keeps NMIs out of root mode: a CPU that waits there for another lets them in.
    void let_nmis_in() const { insn::open_gif(); }
    /// One instruction's time; for fetches, until an interrupt comes: an instruction that stores
    /// its flags, or SYSCALL, would store the step's trap flag with them.
    void start_time_slice(bool executes, bool once);
    void end_time_slice();
    [[nodiscard]] pinned_registers seen_registers() const {
        return {block->save.cr0, block->save.cr4};
    }
    [[nodiscard]] held_values held_now() const;
    void set_held(held_values const& v) const;
    /// Give the CPU back to Linux, at `target`, on the page table `table`: see svm/leave.cpp.
    [[nodiscard]] status leave(gva target, hpa table);
    void dump(hv_cpu_dump& out) const;
    /// The root VM's value of an MSR, and a new one for it. False: the CPU raises #GP.
    [[nodiscard]] bool read_msr(std::uint32_t index, std::uint64_t& value) const;
    [[nodiscard]] bool write_msr(std::uint32_t index, std::uint64_t value);

    /// What guests need and the machine does not have yet. Errors: no_memory.
    [[nodiscard]] status prepare_guests();
    /// Make `v` ready for the entry; the root VM's instruction is done.
    /// Errors   invalid: what the exchange area says is not sound.
    [[nodiscard]] status enter_guest(guest_vcpu& v);
    /// The root VM's registers are back, and the exchange area says why.
    void leave_guest(guest_exit const& e);
    /// Fill the exchange area's system registers.
    void read_guest(guest_vcpu& v);

    void load_masks();
    void deliver_nmi();
    void begin_step(step_reason why = step_register);
    /// The instruction was not executed, and will not be: something is injected instead.
    void cancel_step();
    /// The instruction is done.
    void finish_step();
    /// Of logged accesses, which have happened.
    void close_own_pages();
    void forget_open_pages();

private:
    std::uint8_t stop_step(bool executed);
    void judge_registers();
    [[nodiscard]] bool keep_registers(std::uint64_t value0, std::uint64_t value4);
};

}    // namespace hv::svm
