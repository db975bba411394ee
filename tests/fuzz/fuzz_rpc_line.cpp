// SPDX-License-Identifier: MIT
// Any lines as JSON-RPC requests of root, of a reader, of a stranger: each gets an answer that is
// JSON, and a stranger changes nothing.
#include <cstdlib>
#include <sstream>

#include <fcntl.h>

#include "daemon/api/json_rpc.hpp"
#include "daemon/api/methods.hpp"
#include "fake_device.hpp"
#include "temporary_folder.hpp"

namespace {

/// Always readable, so nothing waits; tells nothing.
class silent_events : public hv::event_source {
public:
    int descriptor() const override { return file_; }
    void join() override {}
    std::vector<hv::device_event> receive() override { return {}; }

private:
    int file_ = open("/dev/null", O_RDONLY | O_CLOEXEC);
};

struct world {
    hv::temporary_folder folder;
    hv::fake_device device;
    silent_events events;
    hv::kernel_symbols symbols{folder.path("kallsyms"), folder.path("iomem")};

    hv::configuration config() const {
        hv::configuration out;
        out.state = folder.path("policies.json");
        out.policies = folder.path("policies.d");
        out.log = {folder.path("events.jsonl"), 64u << 10, 1, false};
        return out;
    }
};

void require(bool truth) {
    if (!truth) std::abort();
}

std::string answer(hv::service& on, std::string const& line, hv::peer const& who) {
    hv::rpc_request request;
    try {
        request.read(line);
        return hv::encode_line(hv::answer_object(request.id(), call_method(on, request, who)));
    } catch (hv::rpc_error const& error) {
        return hv::encode_line(hv::error_object(request.id(), error));
    }
}

}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t bytes) {
    static world around;
    if (bytes == 0) return 0;
    hv::peer const who{
        .pid = 1, .uid = data[0], .may_read = data[0] % 3 != 2, .may_change = data[0] % 3 == 0};
    around.device.state.locked = false;
    around.device.set_hoisted((data[0] & 0x80) != 0);
    around.device.enforced.policies.clear();
    hv::service on{around.config(), around.device, around.events, around.symbols};
    auto const before = around.device.calls("policy_set") + around.device.calls("start") +
                        around.device.calls("stop") + around.device.calls("policy_lock");
    std::istringstream lines{{reinterpret_cast<char const*>(data + 1), bytes - 1}};
    for (std::string line; std::getline(lines, line);) {
        auto const text = answer(on, line, who);
        require(text.find('\n') == text.size() - 1);
        auto const json = nlohmann::json::parse(text);
        require(json.contains("result") != json.contains("error"));
    }
    auto const after = around.device.calls("policy_set") + around.device.calls("start") +
                       around.device.calls("stop") + around.device.calls("policy_lock");
    require(who.may_change || before == after);
    return 0;
}
