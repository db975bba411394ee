// SPDX-License-Identifier: MIT
#include "daemon/api/policy_folder.hpp"

#include <algorithm>
#include <filesystem>

#include "daemon/policy/compiler.hpp"

namespace hv {
namespace {

constexpr std::size_t most_files = 1024;

}

std::vector<std::string> policy_files(std::string const& folder) {
    std::vector<std::string> paths;
    std::error_code missing;
    for (auto const& each : std::filesystem::directory_iterator{folder, missing}) {
        if (each.path().extension() == ".json") paths.push_back(each.path().string());
        if (paths.size() > most_files) throw policy_error{folder + ": more than 1024 files"};
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

rule_book with_policy_file(rule_book const& book, std::string const& path,
                           symbol_resolver& symbols) {
    auto policy = compile_policy(path, read_policy_file(path), symbols);
    require_resolved(policy);
    if (auto const* const other = book.find(policy.name); other != nullptr) {
        throw policy_error{path + ": a policy called \"" + policy.name + "\" is also in " +
                           other->path + ": rename one of them"};
    }
    return book.with(std::move(policy));
}

void require_resolved(compiled_policy const& policy) {
    if (!policy.resolved) throw policy_error{policy.path + ": " + policy.notes.front()};
}

}
