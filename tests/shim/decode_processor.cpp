// SPDX-License-Identifier: MIT
#include "processor.hpp"
#include <csignal>
#include <cstring>
#include <sys/mman.h>
#include <ucontext.h>

// Loads every register, RSP too, runs what lies at processor::code, which ends in a jump to
// hv_instruction_end, and stores every register. Signals have a stack of their own, as RSP may be
// anything by then.
asm(R"(
.text
.globl hv_instruction_run, hv_instruction_end
.hidden hv_instruction_run, hv_instruction_end
hv_instruction_run:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rdi, hv_instruction_state(%rip)
    movq %rsp, hv_instruction_stack(%rip)
    pushq 128(%rdi)
    popfq
    movq 0(%rdi), %rax
    movq 8(%rdi), %rcx
    movq 16(%rdi), %rdx
    movq 24(%rdi), %rbx
    movq 32(%rdi), %rsp
    movq 40(%rdi), %rbp
    movq 48(%rdi), %rsi
    movq 64(%rdi), %r8
    movq 72(%rdi), %r9
    movq 80(%rdi), %r10
    movq 88(%rdi), %r11
    movq 96(%rdi), %r12
    movq 104(%rdi), %r13
    movq 112(%rdi), %r14
    movq 120(%rdi), %r15
    movq 56(%rdi), %rdi
    jmpq *hv_instruction_code(%rip)
hv_instruction_end:
    movq %rsp, hv_instruction_rsp(%rip)
    movq hv_instruction_stack(%rip), %rsp
    pushq %rdi
    pushfq
    movq hv_instruction_state(%rip), %rdi
    popq 128(%rdi)
    popq 56(%rdi)
    movq %rax, 0(%rdi)
    movq %rcx, 8(%rdi)
    movq %rdx, 16(%rdi)
    movq %rbx, 24(%rdi)
    movq hv_instruction_rsp(%rip), %rax
    movq %rax, 32(%rdi)
    movq %rbp, 40(%rdi)
    movq %rsi, 48(%rdi)
    movq %r8, 64(%rdi)
    movq %r9, 72(%rdi)
    movq %r10, 80(%rdi)
    movq %r11, 88(%rdi)
    movq %r12, 96(%rdi)
    movq %r13, 104(%rdi)
    movq %r14, 112(%rdi)
    movq %r15, 120(%rdi)
    cld
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret
.bss
.balign 8
hv_instruction_state: .skip 8
hv_instruction_stack: .skip 8
hv_instruction_rsp:   .skip 8
.data
.balign 8
hv_instruction_code:  .quad 0x10000000
.text
)");

extern "C" {
void hv_instruction_run(processor_state*);
void hv_instruction_end();
}

namespace {

static_assert(offsetof(processor_state, rflags) == 128);
static_assert(processor::code == 0x10000000);

constexpr int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE};
constexpr std::size_t signal_stack_bytes = 65536;
bool faulted;

void on_fault(int, siginfo_t*, void* context) {
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    auto const at = static_cast<std::uint64_t>(registers[REG_RIP]);
    if (at - processor::code >= processor::memory_bytes) {
        for (int const fault : faults) signal(fault, SIG_DFL);    // one of our own
        return;
    }
    faulted = true;
    registers[REG_RIP] = static_cast<greg_t>(reinterpret_cast<std::uint64_t>(&hv_instruction_end));
}

bool map(std::uint64_t at, int protection) {
    auto* const wanted = reinterpret_cast<void*>(at);
    return mmap(wanted, processor::memory_bytes, protection,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == wanted;
}

void take_faults() {
    static std::array<std::uint8_t, signal_stack_bytes> stack;
    stack_t alternate{};
    alternate.ss_sp = stack.data();
    alternate.ss_size = stack.size();
    sigaltstack(&alternate, nullptr);
    struct sigaction action{};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    for (int const fault : faults) sigaction(fault, &action, nullptr);
}

}    // namespace

processor::processor()
    : ready_{map(code, PROT_READ | PROT_WRITE | PROT_EXEC) && map(memory, PROT_READ | PROT_WRITE)} {
    take_faults();
}

processor::~processor() {
    for (int const fault : faults) signal(fault, SIG_DFL);
    munmap(reinterpret_cast<void*>(code), memory_bytes);
    munmap(reinterpret_cast<void*>(memory), memory_bytes);
}

void processor::load(encoding const& instruction) {
    auto bytes = instruction;
    for (auto const byte : {0xff, 0x25, 0, 0, 0, 0})    // jmp *0(%rip)
        bytes.push_back(static_cast<std::uint8_t>(byte));
    auto const back = reinterpret_cast<std::uint64_t>(&hv_instruction_end);
    for (unsigned i = 0; i < 8; ++i) bytes.push_back(static_cast<std::uint8_t>(back >> 8 * i));
    std::memcpy(reinterpret_cast<void*>(code), bytes.data(), bytes.size());
}

bool processor::run(processor_state& state) {
    faulted = false;
    hv_instruction_run(&state);
    return !faulted;
}
