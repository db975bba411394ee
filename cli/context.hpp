// SPDX-License-Identifier: MIT
#pragma once

#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "cli/client.hpp"
#include "cli/definition.hpp"
#include "daemon/device/device.hpp"

namespace hv::cli {

enum exit_status : int { done = 0, refused = 1, usage = 2 };

/// Exit status 1, and the line on standard error: what, why, what to do.
class refusal : public std::runtime_error {
public:
    using runtime_error::runtime_error;
};

/// Exit status 2.
class usage_error : public std::runtime_error {
public:
    using runtime_error::runtime_error;
};

struct invocation {
    verb const* which{};
    std::map<std::string, std::string, std::less<>> given;    // options and arguments, by key
    bool has(std::string_view key) const { return given.contains(key); }
    std::string const& text(std::string_view key) const { return given.find(key)->second; }
};

/// The world around hvctl, which tests replace.
struct context {
    std::FILE* out = stdout;
    std::FILE* err = stderr;
    bool json = false;
    bool terminal = false;    // out is one: colour, and top in place
    bool colour = false;
    std::string socket = "/run/hv/hvd.sock";
    std::function<std::unique_ptr<device>()> open_device;

    void print(std::string_view text);
    void print_json(nlohmann::ordered_json const& what);
    /// A line beside the result, on standard error.
    void remark(std::string_view text);
    /// Nothing when hvd does not run.
    std::unique_ptr<client> try_hvd() const;
    /// Errors: refusal, when hvd does not run.
    std::unique_ptr<client> hvd() const;
};

}
