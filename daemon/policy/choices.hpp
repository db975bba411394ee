// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "daemon/policy/names.hpp"
#include "daemon/text/document.hpp"
#include "daemon/text/number.hpp"
#include "daemon/text/printable.hpp"

namespace hv {

// What the readers of rules choose by names. Errors of all: document_error.

/// One of the names.
inline std::uint64_t choose(value const& from, std::span<named_number const> choices) {
    std::string list;
    for (auto const& each : choices) {
        list += (list.empty() ? "\"" : ", \"") + std::string{each.name} + "\"";
    }
    if (auto const found = number_of(choices, from.text("one of " + list))) return *found;
    from.fail("expected one of " + list + ", found \"" + printable(from.text(), 40) + "\"" +
              hint_of(choices, from.text()));
}

/// Some of the names, whose bits come together; none twice. what: one of them.
inline std::uint32_t read_some(value const& from, std::span<named_number const> choices,
                               std::string const& what) {
    std::uint32_t bits = 0;
    for (auto const& each : from.items()) {
        auto const bit = static_cast<std::uint32_t>(choose(each, choices));
        if ((bits & bit) != 0) each.fail("\"" + each.text() + "\" is given twice");
        bits |= bit;
    }
    if (bits == 0) from.fail("expected at least one " + what);
    return bits;
}

inline std::uint32_t read_access(value const& from, std::span<named_number const> choices) {
    return read_some(from, choices, "kind of access");
}

/// Names of bits, or a mask of such.
inline std::uint64_t read_bits(value const& from, std::span<named_number const> names) {
    std::uint64_t known = 0;
    for (auto const& each : names) {
        known |= each.number;
    }
    std::uint64_t mask = 0;
    if (!from.is(json_node::kind::array)) {
        mask = from.number("names of bits, such as [\"smep\", \"smap\"], or a mask");
    } else {
        for (auto const& each : from.items()) {
            auto const bit = number_of(names, each.text("the name of a bit"));
            if (!bit) {
                each.fail("no bit that can be kept is called \"" + printable(each.text(), 40) +
                          "\"" + hint_of(names, each.text()));
            }
            if ((mask & *bit) != 0) each.fail("\"" + each.text() + "\" is given twice");
            mask |= *bit;
        }
    }
    if (mask == 0) from.fail("expected at least one bit");
    if ((mask & ~known) != 0) from.fail("bits that cannot be kept: " + hex(mask & ~known));
    return mask;
}

}
