// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

namespace hv::cli {

struct context;
struct invocation;

enum class completes : unsigned char { nothing, file, folder, policy, shell, vm, marker };

struct argument_text {
    std::string_view name;    // as help shows it, such as FILE
    std::string_view help;
    completes what = completes::nothing;
    bool optional = false;
};

struct option_text {
    std::string_view names;       // "-f,--follow"
    std::string_view argument;    // empty: a flag
    std::string_view help;
    completes what = completes::nothing;

    /// Without its dashes: what an invocation knows it by.
    constexpr std::string_view key() const { return names.substr(names.rfind("--") + 2); }
};

/// One verb: the parser, the manual page and the completion of three shells are made from this.
struct verb {
    std::string_view name;    // "policy check"
    std::string_view summary;
    std::string_view description;
    std::span<argument_text const> arguments;
    std::span<option_text const> options;
    std::span<std::string_view const> examples;
    int (*run)(context& with, invocation const& what);
};

struct verb_group {
    std::string_view name;
    std::string_view summary;
};

struct exit_text {
    int status;
    std::string_view meaning;
};

std::span<verb const> verbs();
std::span<verb_group const> groups();
std::span<option_text const> common_options();
std::span<exit_text const> exit_texts();

}
