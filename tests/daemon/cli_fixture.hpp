// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdio>
#include <sstream>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "cli/parser.hpp"
#include "daemon/api/server.hpp"
#include "service_fixture.hpp"

namespace hv {

/// hvctl with its output caught, over a fake hv.ko; and, where a test wants one, an hvd.
class cli_fixture : public service_fixture {
protected:
    void TearDown() override { stop_hvd(); }

    void start_hvd() {
        loop_ = std::make_unique<boost::asio::io_context>();
        server_ = std::make_unique<server>(
            *loop_, *service_,
            server::options{.path = socket(),
                            .group = "no-such-group",
                            .clients = 8,
                            .clients_of_one_user = 8,
                            .limits = {.line_bytes = request_line_bytes,
                                       .queued_bytes = 65536,
                                       .patience = std::chrono::seconds{30}}});
        service_->listen([this](std::string const& line) { server_->log_line(line); });
        server_->run();
        thread_ = std::thread{[this] { loop_->run(); }};
    }
    void stop_hvd() {
        if (!thread_.joinable()) return;
        boost::asio::post(*loop_, [this] { server_->close(); });
        thread_.join();
        server_.reset();
        loop_.reset();
    }
    std::string socket() const { return folder_.path("run/hvd.sock"); }

    /// The exit status; what was printed is in out_ and err_.
    int hvctl(std::vector<std::string> const& words) {
        char* out = nullptr;
        char* err = nullptr;
        std::size_t out_bytes = 0;
        std::size_t err_bytes = 0;
        cli::context with;
        with.out = open_memstream(&out, &out_bytes);
        with.err = open_memstream(&err, &err_bytes);
        with.socket = socket();
        with.open_device = [this] { return std::make_unique<borrowed_device>(device_); };
        int const status = cli::run(with, words);
        std::fclose(with.out);
        std::fclose(with.err);
        out_.assign(out, out_bytes);
        err_.assign(err, err_bytes);
        std::free(out);
        std::free(err);
        return status;
    }
    nlohmann::json hvctl_json(std::vector<std::string> words) {
        words.insert(words.begin(), "--json");
        EXPECT_EQ(hvctl(words), 0) << err_;
        return nlohmann::json::parse(out_);
    }

    /// hvctl opens hv.ko anew each time; here it is always the test's.
    class borrowed_device : public device {
    public:
        explicit borrowed_device(fake_device& of) : of_{of} {}
        void start() override { of_.start(); }
        void stop() override { of_.stop(); }
        machine_state status() override { return of_.status(); }
        machine_state stats() override { return of_.stats(); }
        hv_audit audit() override { return of_.audit(); }
        hv_cpu_dump dump(std::uint32_t cpu) override { return of_.dump(cpu); }
        void policy_set(std::span<named_rules const> set) override { of_.policy_set(set); }
        enforced_policies policy_get() override { return of_.policy_get(); }
        void policy_lock() override { of_.policy_lock(); }
        void policy_mark(std::uint32_t marker) override { of_.policy_mark(marker); }
        place_answer place(place_request const& wanted) override { return of_.place(wanted); }
        sha256_sum hash(std::span<hv_range const> ranges) override { return of_.hash(ranges); }
        void records_attach() override { of_.records_attach(); }
        void records_ack(std::uint64_t session, std::uint32_t ring,
                         std::uint64_t sequence) override {
            of_.records_ack(session, ring, sequence);
        }

    private:
        fake_device& of_;
    };

    std::unique_ptr<boost::asio::io_context> loop_;
    std::unique_ptr<server> server_;
    std::thread thread_;
    std::string out_;
    std::string err_;
};

}
