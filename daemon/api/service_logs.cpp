// SPDX-License-Identifier: MIT
#include <fstream>
#include <stdexcept>
#include <system_error>

#include <nlohmann/json.hpp>

#include "daemon/api/json_rpc.hpp"
#include "daemon/api/service.hpp"
#include "daemon/log/log_reader.hpp"
#include "daemon/service/notice.hpp"

namespace hv {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t page_lines = 1000;
constexpr std::size_t page_bytes = 512u << 10;

/// The process's name; empty where it is gone.
std::string name_of_process(pid_t pid) {
    std::ifstream file{"/proc/" + std::to_string(pid) + "/comm"};
    std::string name;
    std::getline(file, name);
    return name;
}

}

log_filter read_filter(value const& params) {
    log_filter only;
    if (auto const given = params.find("since")) only.since = given->text();
    if (auto const given = params.find("until")) only.until = given->text();
    if (auto const given = params.find("rule")) only.only_rule(given->text());
    if (auto const given = params.find("vm")) only.only_vm(given->text());
    if (auto const given = params.find("level")) {
        auto const level = parse_level(given->text());
        if (!level) given->fail("expected \"info\", \"warning\" or \"error\"");
        only.only_level(*level);
    }
    return only;
}

ordered_json service::logs_read(value const& params, peer const&) {
    params.only({"since", "until", "rule", "vm", "level", "cursor", "last", "limit"});
    auto const only = read_filter(params);
    if (!params.find("cursor")) catch_up();
    std::string cursor;
    std::size_t limit = page_lines;
    auto const& log = log_.options();
    if (auto const given = params.find("cursor")) cursor = given->text();
    if (auto const given = params.find("limit")) limit = given->number_between(1, page_lines);
    if (auto const given = params.find("last")) {
        if (!cursor.empty()) given->fail("expected either \"cursor\" or \"last\"");
        cursor = tail_of_log(log.path, log.keep, only, given->number_between(0, 1'000'000));
    }
    try {
        auto page = read_log(log.path, log.keep, only, cursor, limit, page_bytes);
        auto records = ordered_json::array();
        for (auto const& each : page.lines) {
            auto record = ordered_json::parse(each, nullptr, false);
            if (record.is_object()) records.push_back(std::move(record));
        }
        return {{"records", std::move(records)}, {"cursor", page.cursor}, {"more", page.more}};
    } catch (std::invalid_argument const& error) {
        throw rpc_error{rpc_code::invalid_params, std::string{"cursor: "} + error.what()};
    }
}

/// A page like any other; once it was the last, the session sends on what is written from then on.
ordered_json service::logs_follow(value const& params, peer const& who) {
    auto page = logs_read(params, who);
    page["following"] = !page["more"].get<bool>();
    return page;
}

void service::note(std::string const& kind, std::string const& message, peer const& who,
                   note_subject about) {
    about.pid = who.pid;
    about.process = name_of_process(who.pid);
    note(kind, message + " by uid " + std::to_string(who.uid) + ", pid " + std::to_string(who.pid),
         about);
}

void service::note(std::string const& kind, std::string const& message, note_subject const& about) {
    try {
        recorder_.note(kind, message, about);
    } catch (std::system_error const& error) {
        // What was asked for is done; that the log has a gap is said where it can be.
        notice(error.what());
    }
}

}
