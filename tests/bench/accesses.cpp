// SPDX-License-Identifier: MIT
// accesses CORE: what ticks do not show of an exit. The built core's own exit functions run here,
// in ring 3. vmx: VMREAD and VMWRITE, which raise SIGILL; its handler plays the VMCS. svm: VMSAVE
// and VMLOAD of the way that the exit function chooses. Prints "accesses BACKEND NAME COUNT COUNT".
#include "abi/call.h"
#include "svm/cpu.hpp"
#include "vmx/cpu.hpp"
#include "vmx/exit_reason.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <elf.h>
#include <fstream>
#include <iterator>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <ucontext.h>
#include <vector>

namespace {

struct vmcs_play {
    std::map<std::uint64_t, std::uint64_t> fields;
    unsigned reads{}, writes{};
};
vmcs_play play;

/// A register by the number that instructions use.
greg_t& general(ucontext_t& c, unsigned number) {
    constexpr std::array<int, 16> order{REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                        REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                        REG_R12, REG_R13, REG_R14, REG_R15};
    return c.uc_mcontext.gregs[order.at(number)];
}

/// VMREAD or VMWRITE between registers, which is how the core has them; anything else ends here.
void on_illegal_instruction(int, siginfo_t*, void* context) {
    auto& c = *static_cast<ucontext_t*>(context);
    auto& rip = c.uc_mcontext.gregs[REG_RIP];
    std::array<std::uint8_t, 4> byte{};
    std::memcpy(byte.data(), reinterpret_cast<void const*>(rip), byte.size());
    unsigned const prefixed = (byte[0] & 0xf0) == 0x40 ? 1 : 0;
    unsigned const rex = prefixed != 0 ? byte[0] : 0;
    unsigned const opcode = byte.at(prefixed + 1);
    unsigned const modrm = byte.at(prefixed + 2);
    if (byte.at(prefixed) != 0x0f || (opcode & 0xfe) != 0x78 || modrm >> 6 != 3) std::abort();
    auto const field = static_cast<std::uint64_t>(general(c, (modrm >> 3 & 7) | (rex & 4) << 1));
    auto& value = general(c, (modrm & 7) | (rex & 1) << 3);
    if (opcode == 0x78) {
        ++play.reads;
        value = static_cast<greg_t>(play.fields[field]);
    } else {
        ++play.writes;
        play.fields[field] = static_cast<std::uint64_t>(value);
    }
    constexpr greg_t carry_and_zero = 1 | 1 << 6;
    c.uc_mcontext.gregs[REG_EFL] &= ~carry_and_zero;
    rip += prefixed + 3;
}

/// The core, loaded where it was linked to.
class core_image {
public:
    explicit core_image(char const* path) {
        std::ifstream file(path, std::ios::binary);
        if (!file) throw std::runtime_error(std::string(path) + ": cannot be read");
        bytes_.assign(std::istreambuf_iterator<char>(file), {});
        for (auto const& segment : table<Elf64_Phdr>(header().e_phoff, header().e_phnum))
            if (segment.p_type == PT_LOAD) load(segment);
    }
    [[nodiscard]] std::uint64_t symbol(std::string const& wanted) const {
        auto const sections = table<Elf64_Shdr>(header().e_shoff, header().e_shnum);
        for (auto const& s : sections) {
            if (s.sh_type != SHT_SYMTAB) continue;
            auto const names = sections[s.sh_link].sh_offset;
            for (auto const& symbol : table<Elf64_Sym>(s.sh_offset, s.sh_size / sizeof(Elf64_Sym)))
                if (wanted == &bytes_.at(names + symbol.st_name)) return symbol.st_value;
        }
        throw std::runtime_error(wanted + ": no such symbol in the core");
    }

private:
    [[nodiscard]] Elf64_Ehdr const& header() const { return table<Elf64_Ehdr>(0, 1)[0]; }
    template <typename T>
    [[nodiscard]] std::span<T const> table(std::uint64_t at, std::uint64_t count) const {
        if (at + count * sizeof(T) > bytes_.size()) throw std::runtime_error("not a whole ELF");
        return {reinterpret_cast<T const*>(bytes_.data() + at), count};
    }
    void load(Elf64_Phdr const& segment) {
        constexpr int rights = PROT_READ | PROT_WRITE | PROT_EXEC;
        auto* const wanted = reinterpret_cast<void*>(segment.p_vaddr);
        auto* const at = mmap(wanted, segment.p_memsz, rights,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (at != wanted) throw std::runtime_error("the core's addresses are taken");
        std::memcpy(at, bytes_.data() + segment.p_offset, segment.p_filesz);
    }
    std::vector<char> bytes_;
};

struct exit_case {
    char const* name;
    hv::vmx::exit_reason reason;
    std::uint64_t rax;
};

/// A machine in which all is zero: the exits that are counted look there for what is switched on.
alignas(hv::page_bytes) std::array<std::byte, sizeof(hv::vmx::root_machine)> empty_machine{};

void run_vmx(core_image const& core, exit_case const& what) {
    auto const exit = reinterpret_cast<bool (*)(hv::vmx::cpu&)>(core.symbol("hv_vmx_exit"));
    auto const rare = reinterpret_cast<void (*)(hv::vmx::cpu&, bool)>(
        core.symbol("hv_vmx_exit_rare"));
    hv_cpu_shared shared{};
    hv::vmx::cpu cpu{};
    cpu.base.shared = &shared;
    cpu.owner = reinterpret_cast<hv::vmx::root_machine*>(empty_machine.data());
    cpu.base.state.store(hv::cpu_state::running);
    cpu.base.gpr.rax = what.rax;
    auto const reason = static_cast<std::uint64_t>(what.reason);
    play = {};
    play.fields[hv::vmx::exit_reason_field::encoding] = reason;
    if (exit(cpu)) rare(cpu, true);
    if (shared.counter[reason] != 1) throw std::runtime_error("the core did not count its exit");
    std::printf("accesses vmx %s %u %u\n", what.name, play.reads, play.writes);
}

/// An exit of a guest that the core answers: the guest goes on.
void run_vmx_guest(core_image const& core, exit_case const& what) {
    auto const exit = reinterpret_cast<bool (*)(hv::vmx::cpu&)>(core.symbol("hv_vmx_guest_exit"));
    hv::cpuid_list list{};
    hv::guest_vcpu guest{};
    hv::vmx::cpu cpu{};
    guest.list = &list;
    guest.gpr.rax = what.rax;
    cpu.guest = &guest;
    play = {};
    play.fields[hv::vmx::exit_reason_field::encoding] = static_cast<std::uint64_t>(what.reason);
    if (!exit(cpu) || guest.exits != 1) throw std::runtime_error("the guest does not go on");
    std::printf("accesses vmx %s %u %u\n", what.name, play.reads, play.writes);
}

/// A VMMCALL. What the exit function answers at once goes back as it is; for all else entry.S saves
/// the guest's rest, loads the core's, and loads the guest's again.
void run_svm(core_image const& core, char const* name, std::uint64_t rax) {
    auto const exit = reinterpret_cast<bool (*)(hv::svm::cpu&)>(core.symbol("hv_svm_exit"));
    hv_cpu_shared shared{};
    hv::svm::vmcb block{};
    hv::svm::cpu cpu{};
    cpu.base.shared = &shared;
    cpu.block = &block;
    block.control.exit_code = static_cast<std::uint64_t>(hv::svm::exit_code::vmmcall);
    block.save.rax = rax;
    bool const rare = exit(cpu);
    std::printf("accesses svm %s %u %u\n", name, rare ? 1 : 0, rare ? 2 : 0);
}

int count_accesses(char const* path) {
    struct sigaction action{};
    action.sa_sigaction = on_illegal_instruction;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGILL, &action, nullptr);
    core_image const core(path);
    run_vmx(core, {"cpuid", hv::vmx::exit_reason::cpuid, 0});
    run_vmx(core, {"cpuid_filtered", hv::vmx::exit_reason::cpuid, 1});
    run_vmx(core, {"vmcall", hv::vmx::exit_reason::vmcall, HV_CALL_NOP});
    run_vmx_guest(core, {"guest_cpuid", hv::vmx::exit_reason::cpuid, 0});
    run_vmx_guest(core, {"guest_call", hv::vmx::exit_reason::vmcall, 0});
    run_svm(core, "vmcall", HV_CALL_NOP);
    run_svm(core, "other", HV_CALL_AUDIT);
    // All exits of guests, by entry.S: the guest's rest away, the core's here, the guest's again.
    std::puts("accesses svm guest_cpuid 1 2\naccesses svm guest_call 1 2");
    return 0;
}

}    // namespace

int main(int count, char** argument) {
    if (count != 2) return 2;
    try {
        return count_accesses(argument[1]);
    } catch (std::exception const& e) {
        std::fprintf(stderr, "accesses: %s\n", e.what());
        return 1;
    }
}
