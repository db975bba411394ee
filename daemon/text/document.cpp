// SPDX-License-Identifier: MIT
#include "daemon/text/document.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "daemon/text/tree_builder.hpp"

namespace hv {
namespace {

struct line_column {
    std::size_t line;
    std::size_t column;
};

line_column locate(std::string_view text, std::size_t offset) {
    auto const before = text.substr(0, offset);
    auto const line = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
    auto const start = before.rfind('\n');
    auto const column = start == std::string_view::npos ? before.size() : before.size() - start - 1;
    return {line + 1, column + 1};
}

}

document::document(std::string name, std::string text, document_limits const& limits)
    : name_{std::move(name)}, text_{std::move(text)} {
    if (text_.size() > limits.bytes) {
        fail(0, {}, "longer than " + std::to_string(limits.bytes) + " bytes");
    }
    tree_builder builder{text_, root_, limits};
    if (!nlohmann::json::sax_parse(text_, &builder)) {
        fail(builder.error_offset(), builder.error_path(), builder.error());
    }
}

std::string document::place(std::size_t offset) const {
    if (name_.empty()) return {};
    auto const [line, column] = locate(text_, offset);
    return name_ + ":" + std::to_string(line) + ":" + std::to_string(column);
}

void document::fail(std::size_t offset, std::string const& path, std::string const& what) const {
    std::string text = place(offset);
    if (!text.empty()) text += ": ";
    if (!path.empty()) text += path + ": ";
    throw document_error{text + what};
}

}
