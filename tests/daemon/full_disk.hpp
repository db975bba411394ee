// SPDX-License-Identifier: MIT
#pragma once
#include <csignal>
#include <sys/resource.h>

namespace hv {

/// While it lives, a file of this process grows to `bytes` and not further, as on a full disk: what
/// goes beyond fails with EFBIG, and does not kill.
class full_disk {
public:
    explicit full_disk(rlim_t bytes) {
        getrlimit(RLIMIT_FSIZE, &before_);
        rlimit const small{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &small);
    }
    ~full_disk() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, disposition_);    // what is ignored, a child inherits
    }
    full_disk(full_disk const&) = delete;
    full_disk& operator=(full_disk const&) = delete;

private:
    void (*disposition_)(int) = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before_{};
};

}
