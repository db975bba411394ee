// SPDX-License-Identifier: MIT
#include "daemon/policy/user_reader.hpp"

#include <array>
#include <optional>

#include <pwd.h>

#include "daemon/text/number.hpp"
#include "daemon/text/printable.hpp"

namespace hv {
namespace {

constexpr auto expected = "\"all\", a user's number or name, or {\"first\": …, \"last\": …}";

std::optional<std::uint32_t> user_called(std::string const& name) {
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 16384> buffer{};
    getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (found == nullptr) return std::nullopt;
    return found->pw_uid;
}

std::uint32_t read_user(value const& from) {
    auto const number = from.number("a user's number");
    if (number > last_user) from.fail("a user's number has 32 bits, found " + hex(number));
    return static_cast<std::uint32_t>(number);
}

}

user_range read_users(value const& from) {
    if (from.is(json_node::kind::object)) {
        from.only({"first", "last"});
        user_range const out{read_user(from.at("first")), read_user(from.at("last"))};
        if (out.last < out.first) {
            from.fail("the range ends before it starts: last " + std::to_string(out.last) +
                      " is below first " + std::to_string(out.first));
        }
        return out;
    }
    if (!from.is(json_node::kind::number)) {
        auto const& text = from.text(expected);
        if (text == "all") return {0, last_user};
        if (!parse_number(text)) {
            if (auto const user = user_called(text)) return {*user, *user};
            from.fail("no user is called \"" + printable(text, 40) + "\" here: expected " +
                      expected);
        }
    }
    auto const one = read_user(from);
    return {one, one};
}

}
