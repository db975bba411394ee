// SPDX-License-Identifier: MIT
#include "daemon/policy/memory_reader.hpp"
#include "daemon/policy/scope_reader.hpp"

#include <array>

#include "daemon/policy/choices.hpp"
#include "daemon/policy/exception_reader.hpp"
#include "daemon/text/number.hpp"
#include "daemon/text/printable.hpp"

namespace hv {
namespace {

constexpr std::uint64_t page = HV_PAGE_BYTES;
constexpr std::uint64_t physical_end = 1ull << 52;
constexpr std::uint64_t kernel_half = 1ull << 63;

constexpr std::array memory_access{named_number{"read", HV_ACCESS_READ},
                                   named_number{"write", HV_ACCESS_WRITE},
                                   named_number{"execute", HV_ACCESS_EXECUTE}};

/// Words that other languages of rules have are told from misspelt ones.
std::uint32_t read_memory_access(value const& from) {
    for (auto const& each : from.items()) {
        if (!each.is(json_node::kind::text)) continue;
        if (each.text() != "execute-user" && each.text() != "execute-supervisor") continue;
        each.fail("execution by user and by supervisor are told apart on no CPU (mode-based "
                  "execute control is not used): expected \"execute\"");
    }
    return read_access(from, memory_access);
}

std::uint64_t read_aligned(value const& from) {
    auto const number = from.number();
    if (number % page != 0) {
        auto const below = number - number % page;
        from.fail(hex(number) + " is not a multiple of the page size 4096: the nearest are " +
                  hex(below) + " and " + hex(below + page));
    }
    return number;
}

std::uint64_t read_bytes(value const& from) {
    auto const bytes = read_aligned(from);
    if (bytes == 0) from.fail("the rule protects no page: expected 4096 or more");
    return bytes;
}

std::uint64_t physical(value const& from, std::uint64_t number) {
    if (number > physical_end) from.fail(hex(number) + " is beyond 52 bits of physical address");
    return number;
}

void read_range(value const& range, compiled_rule& into) {
    range.only({"first", "bytes"});
    auto const first = physical(range.at("first"), read_aligned(range.at("first")));
    auto const bytes = physical(range.at("bytes"), read_bytes(range.at("bytes")));
    if (first + bytes > physical_end) range.fail("reaches beyond 52 bits of physical address");
    into.rule.first = first;
    into.rule.last = first + bytes - 1;
    into.object = "memory " + hex(into.rule.first) + ".." + hex(into.rule.last);
}

void read_symbols(value const& symbols, read_rule& into) {
    symbols.only({"first", "end"});
    auto const first = symbols.at("first");
    auto const end = symbols.at("end");
    into.symbols = symbol_range{.first = read_symbol(first),
                                .end = read_symbol(end),
                                .first_path = first.path(),
                                .end_path = end.path()};
    into.compiled.object = "memory " + into.symbols->first + ".." + into.symbols->end;
}

/// A part of the kernel image, and the symbols that Linux's linker script puts around it, or that
/// name its start. Linux gives each whole pages.
struct section {
    char const* first;
    char const* end;
    std::uint64_t more;
};
constexpr std::array section_symbols{section{"_stext", "_etext", 0},
                                     section{"__start_rodata", "__end_rodata", 0},
                                     section{"__start_ro_after_init", "__end_ro_after_init", 0},
                                     section{"idt_table", "idt_table", page}};
constexpr std::uint64_t found_by_hv_ko = 0x100;    // and an enum hv_place
constexpr std::array sections{named_number{"text", 0},
                              named_number{"rodata", 1},
                              named_number{"ro-after-init", 2},
                              named_number{"idt", 3},
                              named_number{"gdt", found_by_hv_ko | HV_PLACE_GDT},
                              named_number{"page-tables", found_by_hv_ko | HV_PLACE_IMAGE_TABLES}};

void read_section(value const& from, read_rule& into) {
    auto const which = choose(from, sections);
    into.compiled.object = "memory " + from.text();
    if ((which & found_by_hv_ko) != 0) {
        into.place = asked_place{{.place = static_cast<hv_place>(which & ~found_by_hv_ko)},
                                 from.path()};
        return;
    }
    auto const& symbols = section_symbols.at(which);
    into.symbols = symbol_range{.first = symbols.first,
                                .end = symbols.end,
                                .first_path = from.path(),
                                .end_path = from.path(),
                                .more = symbols.more,
                                .outward = true};
}

/// {"first": …, "bytes": …}, linear addresses of the kernel, which hv.ko knows the pages of.
void read_virtual(value const& from, read_rule& into) {
    from.only({"first", "bytes"});
    auto const first = read_aligned(from.at("first"));
    auto const bytes = read_bytes(from.at("bytes"));
    if (first < kernel_half) {
        from.at("first").fail(hex(first) + " is no address of the kernel's half: expected " +
                              hex(kernel_half) + " or more");
    }
    if (bytes > HV_MAX_PLACE_BYTES) {
        from.at("bytes").fail("one rule is about at most " + hex(HV_MAX_PLACE_BYTES) +
                              " bytes of linear addresses");
    }
    if (bytes - 1 > ~first) from.fail("reaches beyond the last linear address");
    into.place = asked_place{{.place = HV_PLACE_LINEAR, .first = first, .bytes = bytes},
                             from.path()};
    into.compiled.object = "memory virtual " + hex(first) + ".." + hex(first + bytes - 1);
}

constexpr std::array parts{named_number{"text", HV_PLACE_MODULE_TEXT},
                           named_number{"rodata", HV_PLACE_MODULE_RODATA},
                           named_number{"ro-after-init", HV_PLACE_MODULE_RO_AFTER_INIT}};

/// {"name": …, "part": …}
void read_module(value const& from, read_rule& into) {
    from.only({"name", "part"});
    auto const given = from.at("name");
    auto const& name = given.text("the name of a module");
    if (name.empty() || name.size() >= HV_MODULE_BYTES ||
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789_-.+") != std::string::npos) {
        given.fail("expected the name of a module as lsmod shows it, found \"" +
                   printable(name, 40) + "\"");
    }
    auto const part = choose(from.at("part"), parts);
    into.place = asked_place{{.place = static_cast<hv_place>(part), .module = name}, from.path()};
    into.compiled.object = "memory " + name + " " + from.at("part").text();
}

/// One of the five ways to name memory.
void read_object(value const& entry, read_rule& into) {
    auto const range = entry.find("range");
    auto const linear = entry.find("virtual");
    auto const symbols = entry.find("symbols");
    auto const section = entry.find("section");
    auto const module = entry.find("module");
    if (unsigned{range.has_value()} + linear.has_value() + symbols.has_value() +
            section.has_value() + module.has_value() !=
        1) {
        entry.fail(
            "expected one of \"range\", \"virtual\", \"symbols\", \"section\" and \"module\"");
    }
    if (range) read_range(*range, into.compiled);
    if (linear) read_virtual(*linear, into);
    if (symbols) read_symbols(*symbols, into);
    if (section) read_section(*section, into);
    if (module) read_module(*module, into);
}

}

void read_memory_rule(value const& entry, read_rule& into) {
    only_rule_keys(entry, {"range", "virtual", "symbols", "section", "module", "access", "except"});
    into.compiled.rule.access = read_memory_access(entry.at("access"));
    read_object(entry, into);
}

void read_hash_rule(value const& entry, read_rule& into) {
    entry.only(
        {"name", "kind", "range", "virtual", "symbols", "section", "module", "sha256", "action"});
    into.hash = true;
    read_object(entry, into);
    auto const action = entry.at("action");
    if (action.text() != "log") action.fail("a sum keeps nobody from writing: expected \"log\"");
    auto const sum = entry.find("sha256");
    if (!sum) return;
    if (sum->text().size() != 64 ||
        sum->text().find_first_not_of("0123456789abcdef") != std::string::npos) {
        sum->fail("expected a SHA-256, 64 of 0-9 and a-f");
    }
    into.sum = wanted_sum{sum->text(), sum->path()};
}

}
