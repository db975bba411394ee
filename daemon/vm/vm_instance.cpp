// SPDX-License-Identifier: MIT
#include "daemon/vm/vm_instance.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "daemon/text/printable.hpp"
#include "daemon/vm/line_socket.hpp"
#include "daemon/vm/vm_error.hpp"

namespace hv {
namespace {

constexpr std::size_t longest_report = 512;
constexpr std::string_view ended = "ended ";
constexpr std::string_view failed = "failed ";
constexpr std::string_view held = "paused ";    // by a rule; by us it is we who know

}

std::string_view state_text(vm_state state) {
    switch (state) {
    case vm_state::starting: return "starting";
    case vm_state::running:  return "running";
    case vm_state::paused:   return "paused";
    case vm_state::stopped:  return "stopped";
    case vm_state::failed:   return "failed";
    }
    return {};
}

std::optional<vm_instance> vm_instance::read(std::string const& folder) {
    try {
        vm_instance out{folder, read_vm("", read_vm_text(folder + "/" + definition_file))};
        if (!out.read_process()) return std::nullopt;
        out.refresh();
        auto const answer = ask_vm(folder + "/" + control_socket, "state").value_or("");
        if (out.state_ == vm_state::running && answer.ends_with("=paused")) out.set_paused(true);
        return out;
    } catch (std::runtime_error const&) {
        return std::nullopt;
    }
}

bool vm_instance::read_process() {
    std::ifstream file{folder_ + "/" + process_file};
    file >> process_.pid >> process_.started >> since_ >> uid_;
    if (!file) return false;
    file >> group_;
    return true;
}

bool vm_instance::refresh() {
    if (!lives()) return false;
    auto const alive = process_.started != 0 && mark_of(process_.pid) == process_;
    auto const report = last_report();
    if (alive) {
        if (state_ == vm_state::starting && report == "running") state_ = vm_state::running;
        if (report.starts_with(held)) state_ = vm_state::paused;
        return false;
    }
    take_end(report);
    return true;
}

void vm_instance::take_end(std::string const& report) {
    bool const never_ran = state_ == vm_state::starting && !report.starts_with(ended) &&
                           !report.starts_with(held) && report != "running";
    state_ = never_ran ? vm_state::failed : vm_state::stopped;
    ending_ = never_ran ? "hv-vmm ended before it could say why" : "killed";
    if (report.starts_with(ended)) ending_ = report.substr(ended.size());
    if (report.starts_with(failed)) ending_ = report.substr(failed.size());
}

/// hv-vmm writes it, and it could have been taken over by its guest.
std::string vm_instance::last_report() const {
    std::ifstream file{folder_ + "/" + report_file, std::ios::binary | std::ios::ate};
    auto const bytes = static_cast<std::streamoff>(file.tellg());
    file.seekg(std::max<std::streamoff>(0, bytes - static_cast<std::streamoff>(longest_report)));
    std::string text(longest_report, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (!text.ends_with('\n')) return {};
    text.pop_back();
    return printable(text.substr(text.rfind('\n') + 1), longest_report);
}

std::string vm_instance::ask(std::string const& word) const {
    auto const line = ask_vm(folder_ + "/" + control_socket, word);
    if (!line) throw vm_error{ETIMEDOUT, "VM " + vm_.name + " does not answer: hvctl vm kill"};
    if (line->starts_with("ok")) return line->substr(line->size() > 2 ? 3 : 2);
    throw vm_error{EIO, "VM " + vm_.name + ": " + printable(*line)};
}

}
