// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "daemon/api/json_rpc.hpp"
#include "daemon/api/methods.hpp"
#include "daemon/api/service.hpp"
#include "fake_device.hpp"
#include "temporary_folder.hpp"

namespace hv {

constexpr auto lstar_policy = R"({"version":1,"name":"entry","description":"text","rules":[
  {"name":"lstar","kind":"msr","msr":"ia32_lstar","access":["write"],"action":"deny"}]})";
constexpr auto smep_policy = R"({"version":1,"name":"smep","rules":[
  {"name":"smep","kind":"cr","register":"cr4","bits":["smep"],"action":"deny"}]})";

/// A service over the fakes, called as a session would.
class service_fixture : public testing::Test {
protected:
    void SetUp() override { restart(); }
    void restart() {
        service_.reset();
        service_ = std::make_unique<service>(config(), device_, events_, symbols_);
        service_->begin();
    }
    configuration config() const {
        configuration out = config_;
        out.state = folder_.path("policies.json");
        out.policies = folder_.path("policies.d");
        out.log = {folder_.path("log/events.jsonl"), 1u << 20, 2, false};
        return out;
    }
    nlohmann::ordered_json call(std::string const& method,
                                nlohmann::ordered_json const& params = nullptr) {
        nlohmann::ordered_json request{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}};
        if (!params.is_null()) request["params"] = params;
        rpc_request read;
        read.read(request.dump());
        return call_method(*service_, read, who_);
    }
    /// The code and the text of the refusal; code 0 when there is none.
    std::pair<int, std::string> refused(std::string const& method,
                                        nlohmann::ordered_json const& params = nullptr) {
        try {
            call(method, params);
        } catch (rpc_error const& error) {
            return {static_cast<int>(error.code()), error.what()};
        }
        return {0, {}};
    }
    nlohmann::ordered_json apply(std::string const& text, std::string const& path = "/p.json") {
        return call("policy.apply", {{"path", path}, {"text", text}});
    }

    temporary_folder folder_;
    fake_device device_;
    fake_events events_;
    kernel_symbols symbols_{folder_.path("kallsyms"), folder_.path("iomem")};
    configuration config_;
    std::unique_ptr<service> service_;
    peer who_{.pid = 42, .uid = 0, .may_read = true, .may_change = true};
};

}
