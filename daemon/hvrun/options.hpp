// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <stdexcept>
#include <string>

namespace hv::hvrun {

struct option_text {
    char const* name;
    char const* argument;    // empty: a flag
    char const* help;
};

// hv-run's command line, from which its help, its manual page and its completion are made.
inline constexpr std::array option_texts{
    option_text{"node", "FILE", "the device to give as /dev/kvm: /dev/hvkvm unless given"},
    option_text{"help", "", "print this text and end"},
    option_text{"version", "", "print the version and end"},
};
inline constexpr char const* program_summary = "Runs a program that finds Hoist's node at /dev/kvm";

enum exit_status : int { failed = 125, not_executable = 126, not_found = 127 };

struct exit_text {
    int status;
    char const* meaning;
};
inline constexpr std::array exit_texts{
    exit_text{failed, "hv-run could not give it the node, or was called wrongly"},
    exit_text{not_executable, "PROGRAM cannot be executed"},
    exit_text{not_found, "there is no PROGRAM"},
};

/// One line for whoever called, without the program's name.
struct failure : std::runtime_error {
    using runtime_error::runtime_error;
};
failure system_failure(std::string const& what, std::string const& advice = "");

struct options {
    std::string node = "/dev/hvkvm";
    bool help = false;
    bool version = false;
    char** program = nullptr;    // with its arguments, then null
};

/// Options end where PROGRAM begins. Errors: failure.
options parse_options(int count, char** words);
std::string help_text();

}
