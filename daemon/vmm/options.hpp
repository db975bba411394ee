// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace hv::vmm {

enum class option_id : int {
    name = 1,
    node,
    kernel,
    initrd,
    command_line,
    cpus,
    memory,
    console,
    control,
    report,
    help,
    version
};

// hv-vmm's command line, from which its parser, its help and its manual page are made.
struct option_text {
    option_id id;
    char const* name;
    char const* argument;    // empty: a flag
    char const* help;
};

inline constexpr std::array option_texts{
    option_text{option_id::kernel, "kernel", "FILE",
                "the Linux to boot: a bzImage, or an ELF vmlinux"},
    option_text{option_id::initrd, "initrd", "FILE", "its initial RAM disk"},
    option_text{option_id::command_line, "command-line", "TEXT",
                "its command line, console=ttyS0 panic=-1 pci=off unless given"},
    option_text{option_id::cpus, "cpus", "COUNT", "virtual CPUs, 1 unless given"},
    option_text{option_id::memory, "memory", "SIZE", "such as 256M, which it is unless given"},
    option_text{option_id::name, "name", "NAME", "what messages and ps call it"},
    option_text{option_id::node, "node", "FILE",
                "the device that runs guests: /dev/hvkvm unless given; /dev/kvm is KVM's"},
    option_text{option_id::console, "console", "SOCKET",
                "where its serial line can be had; - is this terminal, unless given, and ctrl-] "
                "ends the VM there"},
    option_text{option_id::control, "control", "SOCKET",
                "where it takes commands: state, stats, stop, pause, resume, end"},
    option_text{option_id::report, "report", "FILE", "how the VM fares, a line for each change"},
    option_text{option_id::help, "help", "", "print this text and end"},
    option_text{option_id::version, "version", "", "print the version and end"},
};

inline constexpr char const* program_summary =
    "Runs one micro VM: boots a Linux kernel on a KVM-compatible device";
inline constexpr char const* descriptor_text =
    "Where a FILE or SOCKET is asked for, fd:N or fd:N:NAME means the descriptor N that hv-vmm "
    "was started with, called NAME in messages; of a socket, one that listens.";

struct exit_text {
    int status;
    char const* meaning;
};

enum exit_status : int { ended = 0, refused = 1, usage = 2, crashed = 3 };

inline constexpr std::array exit_texts{
    exit_text{ended, "the VM powered off, reset or halted itself, or was told to end"},
    exit_text{refused, "it could not start; one line on standard error says why"},
    exit_text{usage, "the command line was not understood"},
    exit_text{crashed, "the VM crashed: a triple fault, or something that no guest may do"},
};

struct options {
    std::string name = "vm";
    std::string node = "/dev/hvkvm";
    std::string kernel;
    std::string initrd;
    std::string command_line = "console=ttyS0 panic=-1 pci=off";
    std::string console = "-";
    std::string control;
    std::string report;
    unsigned cpus = 1;
    std::uint64_t memory_bytes = 256u << 20;
    bool help = false;
    bool version = false;
};

inline constexpr unsigned most_cpus = 64;
inline constexpr std::uint64_t least_memory = 16u << 20;
inline constexpr std::uint64_t most_memory = 1ull << 40;

/// Errors: failure, which says what is wrong with which option.
options parse_options(int count, char** words);
std::string help_text();

}
