// SPDX-License-Identifier: MIT
#include "daemon/log/event_log.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log/chain.hpp"

namespace hv {
namespace {

constexpr std::uint64_t repair_bytes = 64u << 10;

[[noreturn]] void fail(std::string const& what) {
    throw std::system_error{errno, std::generic_category(), what};
}

std::string numbered(std::string const& path, unsigned number) {
    return number == 0 ? path : path + "." + std::to_string(number);
}

std::string read_tail(std::string const& path, std::uint64_t bytes) {
    int const file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return {};
    struct stat about{};
    std::string out;
    if (fstat(file, &about) == 0 && about.st_size > 0) {
        auto const size = static_cast<std::uint64_t>(about.st_size);
        auto const from = size > bytes ? size - bytes : 0;
        out.resize(size - from);
        auto const got = pread(file, out.data(), out.size(), static_cast<off_t>(from));
        out.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
        // The first line is whole only where the file starts.
        if (from != 0) out.erase(0, out.find('\n') == out.npos ? out.size() : out.find('\n') + 1);
    }
    ::close(file);
    return out;
}

}

event_log::event_log(log_options options) : options_{std::move(options)} {
    open();
    repair();
    learn_hash();
}

event_log::~event_log() {
    if (file_ >= 0) ::close(file_);
}

void event_log::open() {
    auto const folder = std::filesystem::path{options_.path}.parent_path();
    std::filesystem::create_directories(folder);
    file_ = ::open(options_.path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                   0640);
    struct stat about{};
    if (file_ < 0 || fstat(file_, &about) != 0) fail("cannot open " + options_.path);
    if (!S_ISREG(about.st_mode)) {
        errno = EINVAL;
        fail(options_.path + " is not a file");
    }
    size_ = static_cast<std::uint64_t>(about.st_size);
}

void event_log::repair() {
    auto const bytes = std::min(size_, repair_bytes);
    std::string tail(bytes, '\0');
    if (pread(file_, tail.data(), bytes, static_cast<off_t>(size_ - bytes)) !=
        static_cast<ssize_t>(bytes)) {
        fail("cannot read " + options_.path);
    }
    auto const end = tail.rfind('\n');
    undo_to(end == tail.npos ? size_ - bytes : size_ - bytes + end + 1);
}

void event_log::undo_to(std::uint64_t size) {
    if (ftruncate(file_, static_cast<off_t>(size)) != 0) fail("cannot cut " + options_.path);
    size_ = size;
}

/// A line of an hvd that did not chain is hashed whole.
void event_log::learn_hash() {
    hash_ = first_hash();
    read_back(repair_bytes, [&](std::string_view line) {
        hash_ = hash_after(line);
        return false;
    });
    pending_hash_ = hash_;
}

std::string event_log::append(std::string_view object) {
    auto line = chained(object, pending_hash_);
    pending_hash_ = hash_after(line);
    pending_.append(line).push_back('\n');
    return line;
}

void event_log::commit() {
    auto const lines = std::exchange(pending_, {});
    auto const hash = std::exchange(pending_hash_, hash_);
    if (lines.empty()) return;
    if (size_ != 0 && size_ + lines.size() > options_.rotate_bytes) rotate();
    auto const before = size_;
    for (std::size_t done = 0; done < lines.size();) {
        auto const got = ::write(file_, lines.data() + done, lines.size() - done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) give_up(before);
        done += static_cast<std::size_t>(got);
    }
    size_ += lines.size();
    if (options_.sync && fdatasync(file_) != 0) give_up(before);
    hash_ = pending_hash_ = hash;
}

void event_log::give_up(std::uint64_t size) {
    std::system_error const reason{errno, std::generic_category(), "cannot write " + options_.path};
    undo_to(size);
    throw reason;
}

void event_log::rotate() {
    for (unsigned i = options_.keep; i > 0; --i) {
        std::error_code missing;
        std::filesystem::rename(numbered(options_.path, i - 1), numbered(options_.path, i),
                                missing);
    }
    if (options_.keep == 0) std::filesystem::remove(options_.path);
    ::close(std::exchange(file_, -1));
    open();
}

void event_log::read_back(std::uint64_t bytes,
                          std::function<bool(std::string_view)> const& each) const {
    for (unsigned i = 0; i <= options_.keep && bytes > 0; ++i) {
        auto const text = read_tail(numbered(options_.path, i), bytes);
        bytes -= std::min<std::uint64_t>(bytes, text.size());
        std::string_view rest = text;
        while (!rest.empty()) {
            rest.remove_suffix(rest.ends_with('\n') ? 1 : 0);
            auto const* const before = static_cast<char const*>(
                memrchr(rest.data(), '\n', rest.size()));
            auto const start = before == nullptr
                                   ? std::size_t{0}
                                   : static_cast<std::size_t>(before - rest.data()) + 1;
            if (!each(rest.substr(start))) return;
            rest = rest.substr(0, start);
        }
    }
}

}
