// SPDX-License-Identifier: MIT
#include "daemon/log/log_reader.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <stdexcept>

#include <sys/stat.h>

#include "daemon/text/number.hpp"

namespace hv {
namespace {

/// A place in a log that may be renamed meanwhile: the file's number and an offset in it.
struct place {
    std::uint64_t inode{};
    std::uint64_t offset{};
};

struct log_file {
    std::string path;
    std::uint64_t inode;
    std::uint64_t size;
};

std::string to_text(place const& at) {
    return std::to_string(at.inode) + ":" + std::to_string(at.offset);
}

place parse_place(std::string const& text) {
    auto const colon = text.find(':');
    auto const inode = parse_number(text.substr(0, colon));
    auto const offset = colon == text.npos ? std::nullopt
                                           : parse_number(std::string_view{text}.substr(colon + 1));
    if (!inode || !offset) throw std::invalid_argument{"not a cursor of this log"};
    return {*inode, *offset};
}

std::vector<log_file> files_of(std::string const& path, unsigned keep) {
    std::vector<log_file> out;
    for (unsigned i = keep + 1; i-- > 0;) {
        auto name = i == 0 ? path : path + "." + std::to_string(i);
        struct stat about{};
        if (lstat(name.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) continue;
        out.push_back({std::move(name), about.st_ino, static_cast<std::uint64_t>(about.st_size)});
    }
    return out;
}

/// The last time in a file tells whether anything of it can be late enough.
bool ends_before(log_file const& file, std::string const& since) {
    if (since.empty()) return false;
    std::ifstream in{file.path, std::ios::binary};
    in.seekg(static_cast<std::streamoff>(file.size - std::min<std::uint64_t>(file.size, 4096)));
    std::string last;
    for (std::string line; std::getline(in, line);) {
        if (!time_of(line).empty()) last = time_of(line);
    }
    return !last.empty() && last < since;
}

/// True when the page is full.
bool read_file(log_file const& file, place& at, log_filter const& only, log_page& page,
               std::size_t most_lines, std::size_t& room) {
    std::ifstream in{file.path, std::ios::binary};
    in.seekg(static_cast<std::streamoff>(at.offset));
    for (std::string line; std::getline(in, line) && !in.eof();) {
        bool const wanted = only.matches(line);
        if (wanted && (page.lines.size() == most_lines || room < line.size())) return true;
        at.offset += line.size() + 1;
        if (!wanted) continue;
        room -= line.size();
        page.lines.push_back(std::move(line));
    }
    return false;
}

}

log_page read_log(std::string const& path, unsigned keep, log_filter const& only,
                  std::string const& cursor, std::size_t most_lines, std::size_t most_bytes) {
    auto const files = files_of(path, keep);
    std::optional<place> start;
    if (!cursor.empty()) start = parse_place(cursor);
    auto from = files.begin();
    if (start) {
        from = std::find_if(files.begin(), files.end(),
                            [&](auto const& each) { return each.inode == start->inode; });
        // The file was rotated away meanwhile: go on with what is left.
        if (from == files.end()) from = files.begin();
    }
    log_page page;
    place at;
    for (; from != files.end() && !page.more; ++from) {
        bool const here = start && start->inode == from->inode;
        at = {from->inode, here ? std::min(start->offset, from->size) : 0};
        if (ends_before(*from, only.since)) at.offset = from->size;
        page.more = read_file(*from, at, only, page, most_lines, most_bytes);
    }
    page.cursor = to_text(at);
    return page;
}

std::string tail_of_log(std::string const& path, unsigned keep, log_filter const& only,
                        std::size_t lines) {
    auto const files = files_of(path, keep);
    for (auto file = files.rbegin(); file != files.rend(); ++file) {
        std::vector<std::uint64_t> starts;
        std::uint64_t offset = 0;
        std::ifstream in{file->path, std::ios::binary};
        for (std::string line; std::getline(in, line) && !in.eof();) {
            if (only.matches(line)) starts.push_back(offset);
            offset += line.size() + 1;
        }
        if (starts.size() >= lines) {
            return to_text({file->inode, lines == 0 ? offset : starts[starts.size() - lines]});
        }
        lines -= starts.size();
    }
    return files.empty() ? to_text({}) : to_text({files.front().inode, 0});
}

}
