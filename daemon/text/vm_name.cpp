// SPDX-License-Identifier: MIT
#include "daemon/text/vm_name.hpp"

#include <algorithm>

#include "daemon/text/printable.hpp"

namespace hv {
namespace {

constexpr std::size_t longest_name = 32;

bool sound_name(std::string_view name) {
    auto const letter = [](char each) {
        return (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9');
    };
    return !name.empty() && name.size() <= longest_name && letter(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char each) {
               return letter(each) || each == '-' || each == '_' || each == '.';
           });
}

}

std::string read_vm_name(value const& from) {
    auto const& name = from.text("a name");
    if (!sound_name(name)) {
        from.fail("expected a name of a-z 0-9 - _ . that begins with a letter or digit and has at "
                  "most 32, found \"" +
                  printable(name, 40) + "\"");
    }
    return name;
}

}
