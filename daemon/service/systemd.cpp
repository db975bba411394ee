// SPDX-License-Identifier: MIT
#include "daemon/service/systemd.hpp"

#include <array>
#include <cstdlib>

#include <dlfcn.h>
#include <nlohmann/json.hpp>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "daemon/text/number.hpp"

namespace hv {
namespace {

std::optional<std::chrono::microseconds> watchdog_interval() {
    char const* const limit = std::getenv("WATCHDOG_USEC");
    char const* const pid = std::getenv("WATCHDOG_PID");
    if (limit == nullptr) return std::nullopt;
    if (pid != nullptr && pid != std::to_string(getpid())) return std::nullopt;
    auto const microseconds = parse_number(limit);
    if (!microseconds || *microseconds == 0) return std::nullopt;
    return std::chrono::microseconds{*microseconds / 2};
}

iovec field(std::string& text) { return {.iov_base = text.data(), .iov_len = text.size()}; }

bool is_denial(std::string const& kind) {
    return kind.ends_with("_denied") || kind.starts_with("core_") || kind == "lost" ||
           kind == "dropped";
}

}

systemd::systemd() {
    if (std::getenv("NOTIFY_SOCKET") == nullptr &&
        access("/run/systemd/journal/socket", F_OK) != 0) {
        return;
    }
    library_ = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr) return;
    notify_ = dlsym(library_, "sd_notify");
    send_ = dlsym(library_, "sd_journal_sendv");
    watchdog_ = watchdog_interval();
}

systemd::~systemd() {
    if (library_ != nullptr) dlclose(library_);
}

void systemd::tell(std::string const& text) const {
    if (notify_ != nullptr) reinterpret_cast<decltype(&sd_notify)>(notify_)(0, text.c_str());
}

void systemd::ready(std::string const& status) const { tell("READY=1\nSTATUS=" + status); }
void systemd::status(std::string const& text) const { tell("STATUS=" + text); }
void systemd::stopping() const { tell("STOPPING=1"); }
void systemd::alive() const { tell("WATCHDOG=1"); }

void systemd::journal(std::string const& line) const {
    if (send_ == nullptr) return;
    auto const record = nlohmann::json::parse(line, nullptr, false);
    if (!record.is_object()) return;
    auto const kind = record.value("kind", "");
    std::string message = "MESSAGE=" + record.value("message", kind);
    std::string priority = "PRIORITY=" + std::to_string(is_denial(kind) ? LOG_WARNING : LOG_INFO);
    std::string name = "HV_KIND=" + kind;
    std::string whole = "HV_RECORD=" + line;
    std::array const fields{field(message), field(priority), field(name), field(whole)};
    reinterpret_cast<decltype(&sd_journal_sendv)>(send_)(fields.data(),
                                                         static_cast<int>(fields.size()));
}

}
