// SPDX-License-Identifier: MIT
#include "daemon/log/verify.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "daemon/log/chain.hpp"
#include "daemon/text/number.hpp"

namespace hv {
namespace {

/// The log's files that are there, the oldest first. All are opened before one is read, so that a
/// rotation in between takes none away.
struct open_file {
    std::string path;
    std::ifstream in;
};

std::vector<std::uint64_t> older_numbers(std::filesystem::path const& path) {
    std::vector<std::uint64_t> out;
    auto const start = path.filename().string() + ".";
    auto const folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
    for (auto const& each : std::filesystem::directory_iterator{folder}) {
        auto const name = each.path().filename().string();
        if (!name.starts_with(start)) continue;
        if (auto const number = parse_number(name.substr(start.size()))) out.push_back(*number);
    }
    std::sort(out.rbegin(), out.rend());
    return out;
}

std::vector<open_file> open_files(std::string const& path) {
    std::vector<std::string> names;
    for (auto const number : older_numbers(path)) {
        names.push_back(path + "." + std::to_string(number));
    }
    names.push_back(path);
    std::vector<open_file> out;
    for (auto const& each : names) {
        out.push_back({each, std::ifstream{each, std::ios::binary}});
        if (!out.back().in.is_open()) {
            throw std::system_error{errno, std::generic_category(), "cannot read " + each};
        }
    }
    return out;
}

/// Walks the lines in their order.
class walk {
public:
    explicit walk(chain_report& into) : report_{into} {}

    /// False: a fault was found.
    bool file(open_file& of, bool youngest) {
        std::uint64_t number = 0;
        ++report_.files;
        for (std::string text; std::getline(of.in, text);) {
            ++number;
            if (of.in.eof()) {
                report_.half_line = youngest;
                return youngest || fail(of, number, "the file ends within this line");
            }
            if (auto const wrong = line(text); !wrong.empty()) return fail(of, number, wrong);
            ++report_.lines;
        }
        return true;
    }

private:
    bool fail(open_file const& of, std::uint64_t number, std::string what) {
        report_.fault = {of.path, number, std::move(what)};
        return false;
    }

    /// What is wrong with it.
    std::string line(std::string const& text) {
        auto const link = read_link(text);
        if (!link) {
            if (chained_) return "has no place in the chain";
            ++report_.unchained;
            report_.hash = hash_of(text);
            return {};
        }
        if (!report_.hash.empty() && link->before != report_.hash)
            return "does not follow the line before it: one was removed, added or altered there";
        if (hash_of(link->hashed) != link->hash) return "was altered: its hash is another";
        if (report_.hash.empty()) report_.from_the_start = link->before == first_hash();
        chained_ = true;
        report_.hash = link->hash;
        return {};
    }

    chain_report& report_;
    bool chained_ = false;
};

}

chain_report verify_log(std::string const& path) {
    auto files = open_files(path);
    chain_report out;
    walk on{out};
    for (auto& each : files) {
        if (!on.file(each, &each == &files.back())) break;
    }
    return out;
}

}
