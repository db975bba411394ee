// SPDX-License-Identifier: MIT
// Which user a VM runs as.
#include <algorithm>
#include <cerrno>

#include <nlohmann/json.hpp>

#include "daemon/vm/vm_error.hpp"
#include "daemon/vm/vm_keeper.hpp"

namespace hv {

/// The one that is kept for it, else the lowest that is nobody's.
uid_t vm_keeper::user_to_run_as(std::string const& name) const {
    if (options_.first_uid == 0) return 0;
    if (auto const at = kept_users_.find(name); at != kept_users_.end()) return at->second;
    std::set<uid_t> taken;
    for (auto const& [unused, each] : started_) {
        if (each.lives()) taken.insert(each.uid());
    }
    for (auto const& [unused, user] : kept_users_) {
        taken.insert(user);
    }
    auto out = options_.first_uid;
    while (taken.contains(out)) ++out;
    return out;
}

uid_t vm_keeper::user_of(std::string const& name) {
    refresh();
    auto const* const found = find(name);
    bool const lives = found != nullptr && found->lives();
    auto const user = lives ? found->uid() : user_to_run_as(name);
    if (user == 0) {
        throw vm_error{EINVAL,
                       "VM " + name + " has no user of its own: it runs as root, as all do"};
    }
    kept_users_[name] = user;
    return user;
}

void vm_keeper::keep_users(std::map<std::string, uid_t> users) { kept_users_ = std::move(users); }

std::string vm_keeper::name_of_user(uid_t user) const {
    std::string out;
    for (auto const& [name, each] : started_) {
        if (each.uid() != user) continue;
        if (each.lives()) return name;
        out = name;
    }
    if (!out.empty()) return out;
    auto const at = std::find_if(kept_users_.begin(), kept_users_.end(),
                                 [&](auto const& each) { return each.second == user; });
    return at == kept_users_.end() ? std::string{} : at->first;
}

}
