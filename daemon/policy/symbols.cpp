// SPDX-License-Identifier: MIT
#include "daemon/policy/symbols.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <vector>

#include "daemon/text/number.hpp"

namespace hv {
namespace {

struct physical_range {
    std::uint64_t first;
    std::uint64_t last;
};

struct image_layout {
    std::optional<physical_range> code;
    std::vector<physical_range> parts;    // code, read-only data, data, bss
};

struct found_symbol {
    std::uint64_t address{};
    unsigned count{};
    bool global{};
    std::string module;
};

std::optional<std::uint64_t> parse_hex(std::string_view text) {
    std::uint64_t out = 0;
    auto const* const end = text.data() + text.size();
    auto const [stop, error] = std::from_chars(text.data(), end, out, 16);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return out;
}

/// "  01000000-01e00e66 : Kernel code"
image_layout read_layout(std::string const& path) {
    image_layout layout;
    std::ifstream file{path};
    for (std::string line; std::getline(file, line);) {
        auto const name_at = line.find(" : Kernel ");
        auto const start = line.find_first_not_of(' ');
        if (name_at == std::string::npos || start >= name_at) continue;
        auto const range = std::string_view{line}.substr(start, name_at - start);
        auto const dash = range.find('-');
        if (dash == std::string_view::npos) continue;
        auto const first = parse_hex(range.substr(0, dash));
        auto const last = parse_hex(range.substr(dash + 1));
        if (!first || !last || *last == 0) continue;
        layout.parts.push_back({*first, *last});
        if (line.ends_with(" : Kernel code")) layout.code = layout.parts.back();
    }
    return layout;
}

struct symbol_line {
    std::string_view name;
    std::string_view module;
    std::uint64_t address;
    bool global;
};

/// "ffffffff81000000 T _stext" or "… t name\t[module]"
std::optional<symbol_line> read_line(std::string_view line) {
    auto const space = line.find(' ');
    if (space == std::string_view::npos || line.size() < space + 4) return std::nullopt;
    auto const address = parse_hex(line.substr(0, space));
    if (!address) return std::nullopt;
    char const type = line[space + 1];
    auto name = line.substr(space + 3);
    std::string_view module;
    if (auto const tab = name.find('\t'); tab != std::string_view::npos) {
        module = name.substr(tab + 1);
        name = name.substr(0, tab);
    }
    return symbol_line{name, module, *address, type >= 'A' && type <= 'Z'};
}

using found_symbols = std::map<std::string, found_symbol, std::less<>>;

/// A global name stands for one symbol, so the walk may end once all are found; a local one may
/// come again.
bool settled(found_symbols const& found) {
    for (auto const& [name, each] : found) {
        if (each.count == 0 || !each.global || !each.module.empty()) return false;
    }
    return true;
}

void read_symbols(std::string const& path, found_symbols& found) {
    std::ifstream file{path};
    for (std::string line; std::getline(file, line);) {
        auto const symbol = read_line(line);
        if (!symbol) continue;
        auto const at = found.find(symbol->name);
        if (at == found.end()) continue;
        auto& entry = at->second;
        if (symbol->module.empty() && !entry.module.empty()) entry = {};
        if (!symbol->module.empty() && entry.count != 0 && entry.module.empty()) continue;
        entry.address = symbol->address;
        entry.global = entry.global || symbol->global;
        entry.module = symbol->module;
        ++entry.count;
        if (settled(found)) return;
    }
}

std::string refusal(std::string const& name, found_symbol const& symbol) {
    if (symbol.count == 0) return "the kernel has no symbol " + name;
    if (!symbol.module.empty()) {
        return "symbol " + name + " belongs to the module " + symbol.module +
               ": only symbols of the kernel image can be protected";
    }
    if (symbol.count > 1 && !symbol.global) {
        return std::to_string(symbol.count) + " symbols of the kernel are called " + name +
               ": give the range instead";
    }
    return {};
}

bool inside(image_layout const& layout, std::uint64_t address) {
    for (auto const& each : layout.parts) {
        // One past the last byte is where an end symbol stands, perhaps on the next page.
        if (address >= each.first && address <= (each.last | 0xfff) + 1) return true;
    }
    return false;
}

}

machine_answer<place_answer> symbol_resolver::place(place_request const&) {
    return {.unavailable = "only hv.ko can tell, and hvd asks it: start hvd"};
}

machine_answer<sha256_sum> symbol_resolver::sum(std::span<hv_range const>) {
    return {.unavailable = "only hv.ko can tell, and hvd asks it: start hvd"};
}

machine_answer<std::uint32_t> symbol_resolver::vm_user(std::string const&) {
    return {.unavailable = "only hvd knows the users that its VMs run as: start hvd"};
}

symbol_table kernel_symbols::resolve(std::set<std::string> const& names) {
    symbol_table table;
    found_symbols found{{"_text", {}}};
    for (auto const& each : names) {
        found.emplace(each, found_symbol{});
    }
    read_symbols(kallsyms_, found);
    auto const layout = read_layout(iomem_);
    auto const text = found.at("_text").address;
    if (text == 0 || !layout.code) {
        table.unavailable = (text == 0 ? kallsyms_ : iomem_) +
                            " does not tell addresses to this process: run as root";
        return table;
    }
    for (auto const& each : names) {
        auto const& symbol = found.at(each);
        auto why = refusal(each, symbol);
        auto const physical = symbol.address - text + layout.code->first;
        if (why.empty() && !inside(layout, physical)) {
            why = "symbol " + each + " is not in memory that the kernel image keeps";
        }
        if (why.empty()) table.physical.emplace(each, physical);
        if (!why.empty()) table.refused.emplace(each, why);
    }
    return table;
}

function_table kernel_symbols::functions(std::set<std::string> const& names) {
    function_table table;
    found_symbols found{{"_text", {}}};
    for (auto const& each : names) {
        found.emplace(each, found_symbol{});
    }
    read_symbols(kallsyms_, found);
    if (found.at("_text").address == 0) {
        table.unavailable = kallsyms_ + " does not tell addresses to this process: run as root";
        return table;
    }
    for (auto const& each : names) {
        auto const& symbol = found.at(each);
        auto const why = refusal(each, symbol);
        if (!why.empty()) table.refused.emplace(each, why);
        if (why.empty()) table.functions[each] = {symbol.address, ~std::uint64_t{0}};
    }
    std::ifstream file{kallsyms_};
    for (std::string line; std::getline(file, line);) {
        auto const next = read_line(line);
        if (!next) continue;
        for (auto& [name, range] : table.functions) {
            if (next->address > range.first) range.last = std::min(range.last, next->address - 1);
        }
    }
    return table;
}

}
