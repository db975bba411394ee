// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/vm/launcher.hpp"
#include "daemon/vm/vm_error.hpp"

namespace hv {

/// "VMs" that are processes which wait to be killed, and report what a test wants.
class fake_launcher : public launcher {
public:
    ~fake_launcher() override {
        for (auto const each : children_) {
            end(each);
        }
    }

    launched launch(launch_request const& request) override {
        if (!refusal_.empty()) throw vm_error{ENOENT, refusal_};
        std::filesystem::create_directories(request.folder);
        auto const child = fork();
        if (child == 0) {
            while (true) pause();
        }
        children_.push_back(child);
        requests_.push_back(request);
        auto const process = mark_of(child);
        std::ofstream{request.folder + "/" + process_file} << process.pid << ' ' << process.started
                                                           << " 1000 " << request.uid << " \n";
        report(request.folder, report_);
        if (ends_at_once_) end(child);
        return {process, ""};
    }
    void kill(process_mark const& process) override { end(process.pid); }
    released release(std::string const& folder, std::string const&) override {
        released_.push_back(folder);
        return {out_of_memory_, busy_};
    }

    static void report(std::string const& folder, std::string const& line) {
        std::ofstream{folder + "/" + report_file, std::ios::app} << line;
    }
    static void end(pid_t child) {
        ::kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
    }

    std::string refusal_;
    std::string report_ = "running\n";
    bool out_of_memory_ = false;
    bool busy_ = false;
    bool ends_at_once_ = false;
    std::vector<launch_request> requests_;
    std::vector<std::string> released_;
    std::vector<pid_t> children_;
};

/// The control socket of a "VM": answers what a test wants, and remembers what was asked.
class fake_control {
public:
    explicit fake_control(std::string const& folder, std::string answer = "ok")
        : answer_{std::move(answer) + "\n"} {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        (folder + "/" + control_socket).copy(address.sun_path, sizeof(address.sun_path) - 1);
        socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bind(socket_, reinterpret_cast<sockaddr const*>(&address), sizeof(address));
        listen(socket_, 8);
        thread_ = std::thread{[this] { serve(); }};
    }
    ~fake_control() {
        shutdown(socket_, SHUT_RDWR);
        thread_.join();
        close(socket_);
    }
    fake_control(fake_control const&) = delete;
    fake_control& operator=(fake_control const&) = delete;
    std::string asked() {
        std::lock_guard const guard{lock_};
        return asked_;
    }

private:
    void serve() {
        for (int client = -1; (client = accept(socket_, nullptr, nullptr)) >= 0; close(client)) {
            std::array<char, 64> buffer{};
            auto const got = recv(client, buffer.data(), buffer.size(), 0);
            if (got <= 0) continue;
            std::lock_guard const guard{lock_};
            asked_.append(buffer.data(), static_cast<std::size_t>(got));
            send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL);
        }
    }

    std::string answer_;
    std::string asked_;
    std::mutex lock_;
    std::thread thread_;
    int socket_ = -1;
};

}
