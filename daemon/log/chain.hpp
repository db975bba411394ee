// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hv {

/// SHA-256 in lower case hexadecimal digits.
std::string hash_of(std::string_view text);
/// What the first line of a log names as the hash of the line before it.
std::string first_hash();

/// The end of a chained line: the two hashes, and the text that the second one is of.
struct chain_link {
    std::string_view before;
    std::string_view hash;
    std::string_view hashed;
};

/// `object`, a JSON object on one line, with two more fields at its end: "before", the hash of the
/// line before it, and "hash", of all the text up to that field.
std::string chained(std::string_view object, std::string_view before);
/// Nothing for a line that has no such end. Whether the hash is right is another matter.
std::optional<chain_link> read_link(std::string_view line);
/// The hash that the line after this one has to name.
std::string hash_after(std::string_view line);

}
