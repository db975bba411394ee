// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/vmm/descriptor.hpp"

namespace hv::vmm {

/// "fd:N" or "fd:N:WHAT MESSAGES CALL IT": a descriptor that this process was started with.
struct inherited {
    int number;
    std::string shown;
};
std::optional<inherited> read_inherited(std::string const& name);

/// A file that is only read: the kernel, the initial RAM disk.
class input_file {
public:
    /// kind    "kernel" or "initrd", the option that named it and what messages call it
    /// Errors  failure: it is not there, no regular file, empty, or may not be read.
    input_file(std::string kind, std::string name);

    std::string const& name() const { return name_; }
    std::uint64_t bytes() const { return bytes_; }
    /// Errors: failure, also when the file has become shorter.
    void read(std::uint64_t offset, std::span<std::byte> into) const;
    std::vector<std::byte> whole(std::uint64_t most) const;

private:
    std::string kind_;
    std::string name_;
    descriptor file_;
    std::uint64_t bytes_ = 0;
};

}
