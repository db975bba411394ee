// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace hv {

/// A line of the log as the fields of a journal entry, NAME=value: its message and its level's
/// priority, the line as it is as HV_RECORD, and each field that has a value as HV_ and its name.
std::vector<std::string> journal_fields(std::string const& line);

/// libsystemd, where the machine was booted with systemd. It is loaded at run time: it brings six
/// more libraries, which a machine without systemd need not have.
class systemd {
public:
    systemd();
    ~systemd();
    systemd(systemd const&) = delete;
    systemd& operator=(systemd const&) = delete;

    void ready(std::string const& status) const;
    void status(std::string const& text) const;
    void stopping() const;
    void alive() const;
    /// How often alive() is due; nothing where no watchdog waits.
    std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }
    /// A line of the log as a journal entry: see journal_fields().
    void journal(std::string const& line) const;

private:
    void tell(std::string const& text) const;

    void* library_ = nullptr;
    void* notify_ = nullptr;
    void* send_ = nullptr;
    std::optional<std::chrono::microseconds> watchdog_;
};

}
