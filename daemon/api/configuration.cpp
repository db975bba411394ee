// SPDX-License-Identifier: MIT
#include "daemon/api/configuration.hpp"

#include "daemon/policy/compiler.hpp"
#include "daemon/text/document.hpp"

namespace hv {
namespace {

constexpr std::uint64_t least_rotate = 64u << 10;
constexpr std::uint64_t most_rotate = 1ull << 40;
constexpr std::uint64_t most_rate = 1'000'000;
constexpr std::size_t longest_run = 50;    // so that a VM's sockets below it have short names
constexpr std::uint64_t last_uid = 0xfffffff0;

void read_path(value const& from, char const* key, std::string& into) {
    auto const found = from.find(key);
    if (!found) return;
    if (!found->text().starts_with('/') || found->text().size() > 4095) {
        found->fail("expected an absolute path");
    }
    into = found->text();
}

void read_flag(value const& from, char const* key, bool& into) {
    if (auto const found = from.find(key)) into = found->boolean();
}

log_options read_log(value const& from) {
    log_options log;
    from.only({"path", "rotate_bytes", "keep", "sync", "rate", "burst"});
    read_path(from, "path", log.path);
    read_flag(from, "sync", log.sync);
    if (auto const found = from.find("rotate_bytes")) {
        log.rotate_bytes = found->number_between(least_rotate, most_rotate);
    }
    if (auto const found = from.find("keep")) {
        log.keep = static_cast<unsigned>(found->number_between(0, 99));
    }
    return log;
}

rate_options read_rate(value const& from) {
    rate_options rate;
    if (auto const found = from.find("rate"))
        rate.per_second = static_cast<double>(found->number_between(1, most_rate));
    if (auto const found = from.find("burst")) rate.burst = found->number_between(0, most_rate);
    return rate;
}

vm_options read_vms(value const& from) {
    vm_options vms;
    from.only({"folder", "run", "node", "program", "first_uid"});
    read_path(from, "folder", vms.folder);
    read_path(from, "run", vms.run);
    if (vms.run.size() > longest_run) from.at("run").fail("expected at most 50 bytes");
    read_path(from, "node", vms.node);
    vms.guests = guests_at(vms.node);
    read_path(from, "program", vms.program);
    if (auto const found = from.find("first_uid")) {
        vms.first_uid = static_cast<std::uint32_t>(found->number_between(1000, last_uid));
    }
    return vms;
}

}

configuration parse_configuration(std::string const& path, std::string text) {
    document const file{path, std::move(text), {.bytes = 64u << 10}};
    value const root{file};
    configuration out;
    root.only({"socket", "state", "policies", "group", "hoist_at_start", "apply_at_start",
               "journal", "clients", "log", "vms"});
    read_path(root, "socket", out.socket);
    if (out.socket.size() > 107) root.at("socket").fail("expected at most 107 bytes");
    read_path(root, "state", out.state);
    read_path(root, "policies", out.policies);
    read_flag(root, "hoist_at_start", out.hoist_at_start);
    read_flag(root, "apply_at_start", out.apply_at_start);
    read_flag(root, "journal", out.journal);
    if (auto const found = root.find("group")) out.group = found->text();
    if (auto const found = root.find("clients")) {
        out.clients = static_cast<unsigned>(found->number_between(1, 1024));
    }
    if (auto const found = root.find("log")) {
        out.log = read_log(*found);
        out.rate = read_rate(*found);
    }
    if (auto const found = root.find("vms")) out.vms = read_vms(*found);
    return out;
}

configuration read_configuration(std::string const& path) {
    return parse_configuration(path, read_policy_file(path));
}

}
