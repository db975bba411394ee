// SPDX-License-Identifier: MIT
#pragma once

#include <stdexcept>
#include <string>

namespace hv {

/// What went wrong at the border to hv.ko: Linux's errno and a text that a user can act on.
class device_error : public std::runtime_error {
public:
    device_error(int code, std::string const& text) : std::runtime_error{text}, code_{code} {}
    int code() const { return code_; }

private:
    int code_;
};

}
