// SPDX-License-Identifier: MIT
#include "daemon/api/methods.hpp"

#include <algorithm>
#include <array>
#include <system_error>
#include <vector>

#include "daemon/device/device_error.hpp"
#include "daemon/policy/compiled.hpp"
#include "daemon/text/nearest.hpp"
#include "daemon/text/printable.hpp"
#include "daemon/vm/vm_error.hpp"

namespace hv {
namespace {

constexpr std::array table{
    method{"start", right::change, &service::start},
    method{"stop", right::change, &service::stop},
    method{"status", right::read, &service::status},
    method{"stats", right::read, &service::stats},
    method{"audit", right::change, &service::audit},
    method{"dump", right::change, &service::dump},
    method{"logs.read", right::read, &service::logs_read},
    method{"logs.follow", right::read, &service::logs_follow},
    method{"policy.check", right::read, &service::policy_check},
    method{"policy.apply", right::change, &service::policy_apply},
    method{"policy.list", right::read, &service::policy_list},
    method{"policy.show", right::read, &service::policy_show},
    method{"policy.remove", right::change, &service::policy_remove},
    method{"policy.lock", right::change, &service::policy_lock},
    method{"policy.seal", right::change, &service::policy_seal},
    method{"policy.mark", right::change, &service::policy_mark},
    method{"policy.verify", right::change, &service::policy_verify},
    method{"version", right::read, &service::version},
    method{"vm.list", right::read, &service::vm_list},
    method{"vm.show", right::read, &service::vm_show},
    method{"vm.stats", right::read, &service::vm_stats},
    method{"vm.create", right::change, &service::vm_create},
    method{"vm.run", right::change, &service::vm_run},
    method{"vm.start", right::change, &service::vm_start},
    method{"vm.stop", right::change, &service::vm_stop},
    method{"vm.kill", right::change, &service::vm_kill},
    method{"vm.pause", right::change, &service::vm_pause},
    method{"vm.resume", right::change, &service::vm_resume},
    method{"vm.rm", right::change, &service::vm_remove},
    method{"vm.console", right::change, &service::vm_console},
};

method const& find_method(std::string const& name) {
    auto const at = std::find_if(table.begin(), table.end(),
                                 [&](auto const& each) { return each.name == name; });
    if (at != table.end()) return *at;
    std::vector<std::string_view> names;
    for (auto const& each : table) {
        names.push_back(each.name);
    }
    throw rpc_error{rpc_code::method_not_found,
                    "no method \"" + printable(name) + "\"" + nearest_hint(name, names)};
}

void require_right(method const& which, peer const& who) {
    if (which.needs == right::change ? who.may_change : who.may_read) return;
    throw rpc_error{rpc_code::not_permitted,
                    std::string{which.name} + (which.needs == right::change
                                                   ? " is for root only: run as root"
                                                   : " is for root and members of the group hv")};
}

}

std::span<method const> methods() { return table; }

nlohmann::ordered_json call_method(service& on, rpc_request const& request, peer const& who) {
    auto const& which = find_method(request.method());
    require_right(which, who);
    try {
        return (on.*which.run)(request.params(), who);
    } catch (device_error const& error) {
        throw rpc_error{rpc_code::refused, error.what(), error.code()};
    } catch (vm_error const& error) {
        throw rpc_error{rpc_code::refused, error.what(), error.number()};
    } catch (policy_error const& error) {
        throw rpc_error{rpc_code::bad_policy, error.what()};
    } catch (std::system_error const& error) {
        throw rpc_error{rpc_code::refused, error.what(), error.code().value()};
    } catch (document_error const& error) {
        // A parameter's error begins with its path, a policy file's with the file's name.
        bool const parameter = std::string_view{error.what()}.starts_with("params");
        throw rpc_error{parameter ? rpc_code::invalid_params : rpc_code::bad_policy, error.what()};
    }
}

}
