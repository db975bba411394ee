// SPDX-License-Identifier: MIT
#include "cli/table.hpp"

#include <algorithm>

namespace hv::cli {
namespace {

bool is_number(std::string const& cell) {
    return cell.empty() || cell == "-" || cell.find_first_not_of("0123456789,.") == cell.npos;
}

std::string line(std::vector<std::string> const& cells, std::vector<std::size_t> const& widths,
                 std::vector<bool> const& numbers) {
    std::string out;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        std::string const space(widths[i] - cells[i].size(), ' ');
        if (i != 0) out += "  ";
        out += numbers[i] ? space + cells[i] : cells[i] + space;
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out + "\n";
}

}

std::string table::text() const {
    auto columns = head_.size();
    for (auto const& each : rows_) {
        columns = std::max(columns, each.size());
    }
    std::vector<std::size_t> widths(columns);
    std::vector<bool> numbers(columns, true);
    for (std::size_t i = 0; i < head_.size(); ++i) {
        widths[i] = head_[i].size();
    }
    for (auto const& each : rows_) {
        for (std::size_t i = 0; i < each.size(); ++i) {
            widths[i] = std::max(widths[i], each[i].size());
            if (!is_number(each[i])) numbers[i] = false;
        }
    }
    std::string out;
    if (!head_.empty()) out += line(head_, widths, numbers);
    for (auto const& each : rows_) {
        out += line(each, widths, numbers);
    }
    return out;
}

std::string grouped(std::uint64_t number) {
    auto out = std::to_string(number);
    for (auto at = out.size(); at > 3;) {
        at -= 3;
        out.insert(at, 1, ',');
    }
    return out;
}

}
