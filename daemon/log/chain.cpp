// SPDX-License-Identifier: MIT
#include "daemon/log/chain.hpp"

#include <array>
#include <stdexcept>

#include <nettle/sha2.h>

#include "daemon/text/number.hpp"

namespace hv {
namespace {

constexpr std::size_t digits = 2 * SHA256_DIGEST_SIZE;
constexpr std::string_view before_field = ",\"before\":\"";
constexpr std::string_view hash_field = "\",\"hash\":\"";
constexpr std::string_view end = "\"}";

bool is_hash(std::string_view text) {
    return text.find_first_not_of("0123456789abcdef") == text.npos;
}

}

std::string hash_of(std::string_view text) {
    sha256_ctx state{};
    std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest{};
    sha256_init(&state);
    sha256_update(&state, text.size(), reinterpret_cast<std::uint8_t const*>(text.data()));
    sha256_digest(&state, digest.size(), digest.data());
    return hex(digest);
}

std::string first_hash() { return std::string(digits, '0'); }

std::string chained(std::string_view object, std::string_view before) {
    if (!object.starts_with('{') || !object.ends_with('}') || object.size() < 3)
        throw std::invalid_argument{"a line of the log is a JSON object with fields"};
    object.remove_suffix(1);
    std::string out{object};
    out.append(before_field).append(before);
    out.push_back('"');
    auto const hash = hash_of(out);
    return out.append(hash_field.substr(1)).append(hash).append(end);
}

std::optional<chain_link> read_link(std::string_view line) {
    constexpr auto tail = before_field.size() + digits + hash_field.size() + digits + end.size();
    if (line.size() <= tail || !line.ends_with(end)) return std::nullopt;
    auto const at = line.size() - tail;
    auto const before = at + before_field.size();
    auto const hash = before + digits + hash_field.size();
    chain_link const link{line.substr(before, digits), line.substr(hash, digits),
                          line.substr(0, before + digits + 1)};
    bool const shaped = line.substr(at).starts_with(before_field) &&
                        line.substr(before + digits).starts_with(hash_field) &&
                        is_hash(link.before) && is_hash(link.hash);
    if (!shaped) return std::nullopt;
    return link;
}

std::string hash_after(std::string_view line) {
    auto const link = read_link(line);
    return link ? std::string{link->hash} : hash_of(line);
}

}
