// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>

#include "daemon/device/device.hpp"

namespace hv {

struct symbol_table {
    std::map<std::string, std::uint64_t> physical;    // those that were found
    std::map<std::string, std::string> refused;       // the others, and why
    /// Not empty: this machine does not tell its symbols (to this process), and why.
    std::string unavailable;
};

/// Where functions of the kernel lie in its address space, up to the symbols that follow them.
struct function_table {
    struct range {
        std::uint64_t first{};
        std::uint64_t last{};
    };
    std::map<std::string, range> functions;
    std::map<std::string, std::string> refused;
    std::string unavailable;
};

/// What hv.ko knows, or why it cannot be had.
template <typename Answer> struct machine_answer {
    Answer answer{};
    std::string refused{};        // not empty: there is no such thing here
    std::string unavailable{};    // not empty: nobody can tell (this process)
};

/// Where symbols of the kernel image lie in physical memory, and other memory of Linux.
class symbol_resolver {
public:
    virtual ~symbol_resolver() = default;
    virtual symbol_table resolve(std::set<std::string> const& names) = 0;
    virtual function_table functions(std::set<std::string> const& names) = 0;
    /// Only hv.ko can tell: without it neither is known.
    virtual machine_answer<place_answer> place(place_request const& wanted);
    virtual machine_answer<sha256_sum> sum(std::span<hv_range const> ranges);
    /// The user that a VM of hvd's runs as, which is this name's from then on. Only hvd can tell.
    virtual machine_answer<std::uint32_t> vm_user(std::string const& name);
};

/// hvd's word on that.
using vm_user_source = std::function<machine_answer<std::uint32_t>(std::string const& name)>;

/// Reads /proc/kallsyms for virtual and /proc/iomem for physical addresses. The two meet at
/// _text, which is where "Kernel code" starts.
class kernel_symbols : public symbol_resolver {
public:
    explicit kernel_symbols(std::string kallsyms = "/proc/kallsyms",
                            std::string iomem = "/proc/iomem")
        : kallsyms_{std::move(kallsyms)}, iomem_{std::move(iomem)} {}

    symbol_table resolve(std::set<std::string> const& names) override;
    function_table functions(std::set<std::string> const& names) override;

private:
    std::string kallsyms_;
    std::string iomem_;
};

}
