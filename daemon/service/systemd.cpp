// SPDX-License-Identifier: MIT
#include "daemon/service/systemd.hpp"

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

int priority_of(std::string const& level) {
    if (level == "error") return LOG_ERR;
    return level == "warning" ? LOG_WARNING : LOG_INFO;
}

std::string field_name(std::string const& key) {
    std::string out = "HV_";
    for (char const each : key) {
        out.push_back(each >= 'a' && each <= 'z' ? static_cast<char>(each - 'a' + 'A') : each);
    }
    return out;
}

}

std::vector<std::string> journal_fields(std::string const& line) {
    auto const record = nlohmann::ordered_json::parse(line, nullptr, false);
    if (!record.is_object()) return {};
    std::vector<std::string> out{
        "MESSAGE=" + record.value("message", ""),
        "PRIORITY=" + std::to_string(priority_of(record.value("level", ""))), "HV_RECORD=" + line};
    for (auto const& [key, what] : record.items()) {
        if (what.is_null() || key == "message") continue;
        out.push_back(field_name(key) + "=" +
                      (what.is_string() ? what.get<std::string>() : what.dump()));
    }
    return out;
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
    auto texts = journal_fields(line);
    if (texts.empty()) return;
    std::vector<iovec> fields;
    for (auto& each : texts) {
        fields.push_back(field(each));
    }
    reinterpret_cast<decltype(&sd_journal_sendv)>(send_)(fields.data(),
                                                         static_cast<int>(fields.size()));
}

}
