// SPDX-License-Identifier: MIT
#include "daemon/vmm/input_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>

#include "daemon/vmm/failure.hpp"
#include "daemon/vmm/size.hpp"

namespace hv::vmm {

std::optional<inherited> read_inherited(std::string const& name) {
    if (!name.starts_with("fd:")) return std::nullopt;
    auto const rest = std::string_view{name}.substr(3);
    auto const colon = rest.find(':');
    auto const number = parse_count(rest.substr(0, colon));
    if (!number || *number > 1'000'000) throw failure{name + ": expected fd:NUMBER"};
    return inherited{static_cast<int>(*number),
                     colon == rest.npos ? name : std::string{rest.substr(colon + 1)}};
}

input_file::input_file(std::string kind, std::string name)
    : kind_{std::move(kind)}, name_{std::move(name)} {
    auto const given = read_inherited(name_);
    file_ = descriptor{given ? given->number : open(name_.c_str(), O_RDONLY | O_CLOEXEC)};
    if (given) name_ = given->shown;
    struct stat found{};
    if (!file_ || fstat(file_.get(), &found) != 0) {
        throw failure{"no " + kind_ + " at " + name_ + ": " + std::strerror(errno) +
                      ": name another with --" + kind_};
    }
    if (!S_ISREG(found.st_mode)) {
        throw failure{name_ + " is no file: name another with --" + kind_};
    }
    bytes_ = static_cast<std::uint64_t>(found.st_size);
    if (bytes_ == 0) throw failure{name_ + " is empty: name another with --" + kind_};
}

void input_file::read(std::uint64_t offset, std::span<std::byte> into) const {
    while (!into.empty()) {
        auto const got = pread(file_.get(), into.data(), into.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw system_failure("cannot read " + name_);
        if (got == 0) throw failure{name_ + " ends too early: is it being written?"};
        offset += static_cast<std::uint64_t>(got);
        into = into.subspan(static_cast<std::size_t>(got));
    }
}

std::vector<std::byte> input_file::whole(std::uint64_t most) const {
    if (bytes_ > most) {
        throw failure{name_ + " is too large for a " + kind_ + ": " + mebibytes(bytes_) + " of " +
                      mebibytes(most) + " at most"};
    }
    std::vector<std::byte> out(bytes_);
    read(0, out);
    return out;
}

}
