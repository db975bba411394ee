// SPDX-License-Identifier: MIT
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>

#include <fcntl.h>

#include "daemon/vmm/confine.hpp"
#include "daemon/vmm/failure.hpp"
#include "daemon/vmm/machine.hpp"

namespace {

using namespace hv::vmm;

/// The file that says how the VM fares: "running", then "ended …"; or "failed …".
class report {
public:
    explicit report(std::string const& where) {
        if (where.empty()) return;
        auto const given = read_inherited(where);
        file_ = descriptor{
            given ? given->number
                  : open(where.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
        if (!file_) throw system_failure("cannot write " + where);
    }
    void say(std::string line) const {
        line += '\n';
        if (file_) (void)!write(file_.get(), line.data(), line.size());
    }

private:
    descriptor file_;
};

void complain(std::string const& name, std::string const& what) {
    auto const line = "hv-vmm: " + (name.empty() ? "" : name + ": ") + what + "\n";
    (void)!write(STDERR_FILENO, line.data(), line.size());
}

int run(options const& given, report const& told) {
    machine vm{given};
    confine(phase::loading);
    vm.prepare();
    confine(phase::running);
    told.say("running");
    vm.listen([&](std::string const& line) {
        told.say(line);
        if (line != "running") {
            complain(given.name, line + ": it waits until it is resumed or ended");
        }
    });
    vm.run();
    auto const detail = vm.detail().empty() ? "" : ": " + vm.detail();
    told.say(std::string{"ended "} + ending_text(vm.how()) + detail);
    bool const bad = vm.how() == ending::crashed;
    if (bad) complain(given.name, ending_text(vm.how()) + detail);
    return bad ? crashed : ended;
}

int start(options const& given) {
    std::optional<report> told;
    try {
        told.emplace(given.report);
        return run(given, *told);
    } catch (std::exception const& error) {
        complain(given.name, error.what());
        if (told) told->say(std::string{"failed "} + error.what());
        return refused;
    }
}

}

int main(int count, char** words) {
    std::signal(SIGPIPE, SIG_IGN);
    options given;
    try {
        given = parse_options(count, words);
    } catch (failure const& error) {
        complain("", error.what());
        return usage;
    }
    if (given.help) std::fputs(help_text().c_str(), stdout);
    if (given.version) std::puts("hv-vmm " HV_VERSION);
    return given.help || given.version ? ended : start(given);
}
