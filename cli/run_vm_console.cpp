// SPDX-License-Identifier: MIT
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>

#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "cli/run.hpp"
#include "cli/vm_text.hpp"

namespace hv::cli {
namespace {

constexpr char leave = 0x1d;    // ctrl-]
constexpr int most_looks = 100;
constexpr std::chrono::milliseconds between_looks{20};

/// Every key goes to the VM, until the end of this.
class raw_terminal {
public:
    raw_terminal() {
        termios now{};
        if (isatty(STDIN_FILENO) == 0 || tcgetattr(STDIN_FILENO, &now) != 0) return;
        saved_ = now;
        cfmakeraw(&now);
        tcsetattr(STDIN_FILENO, TCSANOW, &now);
    }
    ~raw_terminal() {
        if (saved_) tcsetattr(STDIN_FILENO, TCSANOW, &*saved_);
    }
    raw_terminal(raw_terminal const&) = delete;
    raw_terminal& operator=(raw_terminal const&) = delete;
    bool there() const { return saved_.has_value(); }

private:
    std::optional<termios> saved_;
};

class serial_line {
public:
    explicit serial_line(std::string const& path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (path.size() >= sizeof(address.sun_path)) throw refusal{path + ": too long"};
        std::memcpy(address.sun_path, path.data(), path.size());
        number_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        auto const* const raw = reinterpret_cast<sockaddr const*>(&address);
        if (number_ < 0 || connect(number_, raw, sizeof(address)) != 0) {
            throw refusal{"cannot reach the console at " + path + ": " + std::strerror(errno)};
        }
    }
    ~serial_line() { close(number_); }
    serial_line(serial_line const&) = delete;
    serial_line& operator=(serial_line const&) = delete;

    int number() const { return number_; }
    /// False when the VM is gone.
    bool print_to(context& with) const {
        std::array<char, 4096> buffer{};
        auto const got = recv(number_, buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR) return true;
        if (got <= 0) return false;
        with.print({buffer.data(), static_cast<std::size_t>(got)});
        std::fflush(with.out);
        return true;
    }
    void type(std::string_view text) const {
        (void)!send(number_, text.data(), text.size(), MSG_NOSIGNAL);
    }

private:
    int number_ = -1;
};

/// The line closes a moment before its process ends.
nlohmann::ordered_json vm_once_ended(client& hvd, std::string const& name) {
    auto vm = hvd.call("vm.show", {{"name", name}});
    for (int i = 0; i < most_looks && vm.at("pid").is_number(); ++i) {
        std::this_thread::sleep_for(between_looks);
        vm = hvd.call("vm.show", {{"name", name}});
    }
    return vm;
}

enum class left : bool { detached, ended };

left relay(context& with, serial_line const& line, bool terminal) {
    // The last only tells when nobody reads what is printed any more, as after `| head`.
    std::array<pollfd, 3> watched{
        {{line.number(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}, {fileno(with.out), 0, 0}}};
    while (true) {
        if (poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return left::detached;
        if (watched[0].revents != 0 && !line.print_to(with)) return left::ended;
        if ((watched[2].revents & POLLERR) != 0) return left::detached;
        if (watched[1].revents == 0) continue;
        std::array<char, 1024> buffer{};
        auto const got = read(STDIN_FILENO, buffer.data(), buffer.size());
        // At the end of what was piped in, the output is still wanted.
        if (got <= 0) watched[1].fd = -1;
        if (got <= 0) continue;
        std::string_view const typed{buffer.data(), static_cast<std::size_t>(got)};
        auto const cut = terminal ? typed.find(leave) : typed.npos;
        line.type(typed.substr(0, cut));
        if (cut != typed.npos) return left::detached;
    }
}

}

int attach_console(context& with, client& hvd, std::string const& name) {
    serial_line const line{
        hvd.call("vm.console", {{"name", name}}).at("socket").get<std::string>()};
    auto how = left::ended;
    {
        if (isatty(STDIN_FILENO) != 0) with.remark("console of " + name + ": ctrl-] leaves it");
        raw_terminal const terminal;
        how = relay(with, line, terminal.there());
    }
    if (how == left::detached) {
        with.remark("the VM goes on: hvctl vm console " + name);
        return done;
    }
    with.remark("VM " + name + " ended: " + text_or(vm_once_ended(hvd, name), "ending", "?"));
    return done;
}

}
