// SPDX-License-Identifier: MIT
#pragma once

#include <array>

namespace hv {

enum class hvd_option_id : int { config = 1, check, help, version };

// hvd's command line, from which its parser, its help and its manual page are made.
struct hvd_option {
    hvd_option_id id;
    char const* name;
    char const* argument;    // empty: a flag
    char const* help;
};

inline constexpr std::array hvd_options{
    hvd_option{hvd_option_id::config, "config", "FILE",
               "read this configuration, not /etc/hv/hvd.json"},
    hvd_option{hvd_option_id::check, "check", "",
               "read the configuration and the policies, say what is wrong, and end"},
    hvd_option{hvd_option_id::help, "help", "", "print this text and end"},
    hvd_option{hvd_option_id::version, "version", "", "print the version and end"},
};

inline constexpr char const* hvd_summary =
    "Hoist's daemon: enforces policies through hv.ko, keeps the log, serves hvctl";

}
