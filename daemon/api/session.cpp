// SPDX-License-Identifier: MIT
#include "daemon/api/session.hpp"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "daemon/api/json_rpc.hpp"
#include "daemon/api/methods.hpp"

namespace hv {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

auto into(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

}

session::session(local_socket socket, service& on, peer const& who, session_limits const& limits)
    : socket_{std::move(socket)},
      service_{on},
      who_{who},
      limits_{limits},
      wake_writer_{socket_.get_executor(), asio::steady_timer::time_point::max()},
      wake_reader_{socket_.get_executor(), asio::steady_timer::time_point::max()},
      deadline_{socket_.get_executor()} {}

void session::run(std::function<void()> ended) {
    ended_ = std::move(ended);
    asio::co_spawn(
        socket_.get_executor(), [self = shared_from_this()] { return self->read(); },
        asio::detached);
    asio::co_spawn(
        socket_.get_executor(), [self = shared_from_this()] { return self->write(); },
        asio::detached);
}

void session::close() {
    closing_ = true;
    error_code ignored;
    socket_.close(ignored);
    wake_writer_.cancel();
    wake_reader_.cancel();
    deadline_.cancel();
}

asio::awaitable<void> session::read() {
    try {
        co_await serve();
    } catch (std::exception const&) {
        // The session's edge: whatever went wrong here is this client's alone.
    }
    follows_ = false;
    co_await drained();
    close();
    if (ended_) std::exchange(ended_, {})();
}

asio::awaitable<void> session::serve() {
    for (error_code error; !closing_;) {
        auto const bytes = co_await asio::async_read_until(
            socket_, asio::dynamic_buffer(input_, limits_.line_bytes), '\n', into(error));
        if (error == asio::error::not_found) send(too_long());
        if (error) co_return;
        auto line = input_.substr(0, bytes - 1);
        input_.erase(0, bytes);
        if (line.find_first_not_of(" \t\r") == line.npos) continue;
        if (auto text = answer(std::move(line)); !text.empty()) send(std::move(text));
        // A client that does not read its answers is not read from either.
        if (!follows_ || queued_ > limits_.queued_bytes) co_await drained();
    }
}

std::string session::too_long() const {
    return encode_line(error_object(
        nullptr,
        rpc_error{rpc_code::invalid_request,
                  "a request has at most " + std::to_string(limits_.line_bytes) + " bytes"}));
}

std::string session::answer(std::string line) {
    rpc_request request;
    try {
        request.read(std::move(line));
        auto result = call_method(service_, request, who_);
        if (request.method() == "logs.follow") {
            follows_ = result.at("following").get<bool>();
            only_ = read_filter(request.params());
        }
        if (request.notification()) return {};
        return encode_line(answer_object(request.id(), std::move(result)));
    } catch (rpc_error const& error) {
        return encode_line(error_object(request.id(), error));
    } catch (std::exception const& error) {
        return encode_line(
            error_object(request.id(), rpc_error{rpc_code::internal_error, error.what()}));
    }
}

void session::log_line(std::string const& line) {
    if (!follows_ || closing_ || !only_.matches(line)) return;
    if (queued_ + line.size() > limits_.queued_bytes) {
        ++skipped_;
        return;
    }
    report_skipped();
    send(R"({"jsonrpc":"2.0","method":"log","params":)" + line + "}\n");
}

void session::report_skipped() {
    if (skipped_ == 0) return;
    send(encode_line(notification_object("log.skipped", {{"count", std::exchange(skipped_, 0)}})));
}

void session::send(std::string text) {
    queued_ += text.size();
    queue_.push_back(std::move(text));
    wake_writer_.cancel();
}

/// Comes back when all that was queued is with the kernel, or the client was given up.
asio::awaitable<void> session::drained() {
    while (!queue_.empty() && !closing_) {
        error_code ignored;
        wake_reader_.expires_at(asio::steady_timer::time_point::max());
        co_await wake_reader_.async_wait(into(ignored));
    }
}

asio::awaitable<void> session::write() {
    error_code error;
    while (!closing_) {
        if (queue_.empty()) {
            report_skipped();
        }
        if (queue_.empty()) {
            wake_writer_.expires_at(asio::steady_timer::time_point::max());
            co_await wake_writer_.async_wait(into(error));
            continue;
        }
        deadline_.expires_after(limits_.patience);
        deadline_.async_wait([self = shared_from_this()](error_code const& stopped) {
            if (!stopped) self->close();
        });
        co_await asio::async_write(socket_, asio::buffer(queue_.front()), into(error));
        deadline_.cancel();
        if (error) break;
        queued_ -= queue_.front().size();
        queue_.pop_front();
        if (queue_.empty()) wake_reader_.cancel();
    }
    close();
}

}
