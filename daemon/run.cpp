// SPDX-License-Identifier: MIT
#include "daemon/run.hpp"

#include "daemon/api/coroutines.hpp"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/api/json_rpc.hpp"
#include "daemon/api/policy_folder.hpp"
#include "daemon/api/server.hpp"
#include "daemon/api/service.hpp"
#include "daemon/device/netlink_device.hpp"
#include "daemon/service/notice.hpp"
#include "daemon/service/privileges.hpp"
#include "daemon/service/systemd.hpp"
#include "daemon/text/number.hpp"
#include "daemon/vm/launcher.hpp"

namespace hv {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t follower_bytes = 1u << 20;
constexpr unsigned clients_of_one_user = 16;
constexpr std::chrono::seconds patience{30};

/// Log files take the folder's group, so that rotating them later needs no right to chown.
void prepare_log_folder(configuration const& config) {
    auto const folder = std::filesystem::path{config.log.path}.parent_path();
    std::filesystem::create_directories(folder);
    auto const group = group_number(config.group);
    if (geteuid() != 0 || !group) return;
    if (chown(folder.c_str(), static_cast<uid_t>(-1), *group) != 0 ||
        chmod(folder.c_str(), S_ISGID | 0750) != 0) {
        notice("cannot give " + folder.string() + " to the group " + config.group);
    }
}

asio::awaitable<void> watch_events(asio::posix::stream_descriptor& ready, service& on) {
    for (error_code error; !error;) {
        co_await ready.async_wait(asio::posix::stream_descriptor::wait_read,
                                  asio::redirect_error(asio::use_awaitable, error));
        if (!error) on.on_events();
    }
}

asio::awaitable<void> beat(asio::steady_timer& timer, systemd const& init, service& on) {
    using std::chrono::microseconds;
    microseconds const second{std::chrono::seconds{1}};
    auto const interval = std::min(init.watchdog().value_or(second), second);
    auto told = on.summary();
    for (error_code error; !error;) {
        timer.expires_after(interval);
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
        if (error) break;
        on.on_tick();
        if (init.watchdog()) init.alive();
        if (told != on.summary()) init.status(told = on.summary());
    }
}

/// The loop and everything that lives in it.
class daemon_loop {
public:
    daemon_loop(configuration const& config, event_source& events, service& on)
        : service_{on},
          server_{loop_,
                  on,
                  {config.socket,
                   config.group,
                   config.clients,
                   clients_of_one_user,
                   {request_line_bytes, follower_bytes, patience}}},
          // Asio closes what it holds, and libnl its socket: each needs a descriptor of its own.
          ready_{loop_, dup(events.descriptor())},
          timer_{loop_},
          signals_{loop_, SIGTERM, SIGINT} {
        on.listen([this, journal = config.journal](std::string const& line) {
            server_.log_line(line);
            if (journal) init_.journal(line);
        });
    }

    void run() {
        server_.run();
        asio::co_spawn(loop_, [this] { return watch_events(ready_, service_); }, stop_on_error());
        asio::co_spawn(loop_, [this] { return beat(timer_, init_, service_); }, stop_on_error());
        signals_.async_wait([this](error_code const& error, int) {
            if (!error) close();
        });
        init_.ready(service_.summary());
        loop_.run();
        if (failure_) std::rethrow_exception(failure_);
    }

private:
    std::function<void(std::exception_ptr)> stop_on_error() {
        return [this](std::exception_ptr failure) {
            if (!failure) return;
            failure_ = failure;
            close();
        };
    }

    void close() {
        init_.stopping();
        error_code ignored;
        ready_.close(ignored);
        timer_.cancel();
        signals_.cancel(ignored);
        server_.close();
    }

    systemd init_;
    asio::io_context loop_{1};
    service& service_;
    server server_;
    asio::posix::stream_descriptor ready_;
    asio::steady_timer timer_;
    asio::signal_set signals_;
    std::exception_ptr failure_;
};

}

int run_daemon(configuration const& config) {
    std::signal(SIGPIPE, SIG_IGN);
    umask(0027);
    launcher_process by;    // a fork: before there is anything that it should not have
    prepare_log_folder(config);
    netlink_device machine;
    netlink_events events;
    kernel_symbols symbols;
    service on{config, machine, events, symbols};
    vm_keeper vms{config.vms, by};
    on.serve_vms(vms);
    daemon_loop loop{config, events, on};
    drop_capabilities();
    filter_system_calls();
    on.begin();
    notice("ready: " + on.summary());
    loop.run();
    return 0;
}

int check_policies(configuration const& config) {
    netlink_device machine;
    kernel_symbols image;
    machine_symbols symbols{image, machine};
    // Only hvd at work knows them; here it is enough that each VM has one.
    std::map<std::string, std::uint32_t> users;
    symbols.ask_vms([&](std::string const& name) -> machine_answer<std::uint32_t> {
        auto const next = config.vms.first_uid + static_cast<std::uint32_t>(users.size());
        return {.answer = users.emplace(name, next).first->second};
    });
    rule_book book;
    for (auto const& path : policy_files(config.policies)) {
        book = with_policy_file(book, path, symbols);
    }
    std::printf("%s: %s, all sound\n", config.policies.c_str(),
                counted(book.policies().size(), "policy", "policies").c_str());
    return 0;
}

}
