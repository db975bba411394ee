// SPDX-License-Identifier: MIT
#include "cli/context.hpp"

#include <nlohmann/json.hpp>

namespace hv::cli {

void context::print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), out); }

void context::print_json(nlohmann::ordered_json const& what) {
    print(what.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

void context::remark(std::string_view text) {
    auto const line = "hvctl: " + std::string{text} + "\n";
    std::fflush(out);
    std::fputs(line.c_str(), err);
}

std::unique_ptr<client> context::try_hvd() const { return client::connect(socket); }

std::unique_ptr<client> context::hvd() const {
    auto found = try_hvd();
    if (!found) throw refusal{"hvd is not running: systemctl start hvd"};
    return found;
}

}
