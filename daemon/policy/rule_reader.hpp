// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "daemon/policy/compiled.hpp"
#include "daemon/text/document.hpp"

namespace hv {

/// A memory rule's range as symbols, to be looked up for all rules at once.
struct symbol_range {
    std::string first;
    std::string end;
    std::string first_path;
    std::string end_path;
    std::uint64_t more{};    // bytes behind the end symbol that belong to it
    bool outward{};          // whole pages of Linux's own: rounded outward
};

/// A function of the kernel that a rule lets through, or all from one to another, to be looked up
/// like the others.
struct writer_symbol {
    std::string first;
    std::string last;
    std::string first_path;
    std::string last_path;
};

/// Memory that hv.ko is to find.
struct asked_place {
    place_request request;
    std::string path;
};

/// The sum that the file says its memory has.
struct wanted_sum {
    std::string sha256;
    std::string path;
};

struct read_rule {
    compiled_rule compiled;
    std::optional<symbol_range> symbols;
    std::optional<asked_place> place;
    std::optional<writer_symbol> writer;
    bool hash{};    // of kind hash: the compiled rule has but a range
    std::optional<wanted_sum> sum;
    std::string vm_path;    // not empty: the compiled rule names a VM, whose user is to be found
};

/// One entry of "rules". Errors: document_error.
read_rule read_policy_rule(value const& entry);

/// A name of policies and rules: 1 to 63 of a-z, 0-9 and '-'.
std::string read_name(value const& from);

}
