// SPDX-License-Identifier: MIT
#include "cli/render.hpp"

#include <cstdio>
#include <map>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/table.hpp"
#include "daemon/text/number.hpp"
#include "daemon/text/printable.hpp"

namespace hv::cli {
namespace {

using nlohmann::ordered_json;

std::string painted(std::string const& text, char const* colour, bool wanted) {
    return wanted ? std::string{"\033["} + colour + "m" + text + "\033[0m" : text;
}

constexpr auto green = "32";
constexpr auto red = "31";
constexpr auto yellow = "33";

std::uint64_t count(ordered_json const& from, char const* key) {
    auto const at = from.find(key);
    return at != from.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
}

std::string yes_no(bool truth) { return truth ? "yes" : "no"; }

std::string joined(ordered_json const& names) {
    std::string out;
    for (auto const& each : names) {
        out += (out.empty() ? "" : ", ") + each.get<std::string>();
    }
    return out.empty() ? "none" : out;
}

std::string cpu_table(ordered_json const& cpus) {
    table rows{{"CPU", "HOISTED", "EXITS", "RECORDS", "DROPPED"}};
    for (auto const& each : cpus) {
        bool const parked = each.value("parked", false);
        rows.row({std::to_string(count(each, "id")),
                  yes_no(each.value("hoisted", false)) + (parked ? ", parked" : ""),
                  grouped(count(each, "exits")), grouped(count(each["records"], "written")),
                  grouped(count(each["records"], "dropped"))});
    }
    return rows.empty() ? std::string{} : "\n" + rows.text();
}

std::string audit_text(ordered_json const& audit) {
    if (audit.value("clean", false)) {
        auto const& leaves = audit["leaves"];
        return "clean: " + grouped(count(audit, "tables")) + " tables, " +
               grouped(count(leaves, "4k")) + " leaves of 4 KiB, " + grouped(count(leaves, "2m")) +
               " of 2 MiB, " + grouped(count(leaves, "1g")) + " of 1 GiB; " +
               grouped(count(audit, "core_frames")) + " core frames unreachable";
    }
    auto const& first = audit["first_finding"];
    return grouped(count(audit, "findings")) +
           " findings, the first: " + first.value("kind", "unknown") + " at " +
           first.value("address", "?");
}

using reason_counts = std::vector<std::pair<std::string, std::vector<std::uint64_t>>>;

/// Reason by reason: in all, then on each CPU.
reason_counts counts_of(ordered_json const& stats) {
    reason_counts out;
    for (auto const& [name, total] : stats.at("reasons").items()) {
        auto& row = out.emplace_back(name, std::vector{total.get<std::uint64_t>()}).second;
        for (auto const& cpu : stats.at("cpus")) {
            row.push_back(count(cpu.at("reasons"), name.c_str()));
        }
    }
    auto& row = out.emplace_back("all", std::vector{count(stats, "exits")}).second;
    for (auto const& cpu : stats.at("cpus")) {
        row.push_back(count(cpu, "exits"));
    }
    return out;
}

std::vector<std::string> stats_head(ordered_json const& stats, char const* unit) {
    std::vector<std::string> head{"REASON", unit};
    for (auto const& cpu : stats.at("cpus")) {
        head.push_back("CPU " + std::to_string(count(cpu, "id")));
    }
    return head;
}

std::string records_line(ordered_json const& stats) {
    auto const& records = stats.at("records");
    return "\nrecords: " + grouped(count(records, "written")) + " written, " +
           grouped(count(records, "dropped")) + " dropped\n";
}

}

std::string status_text(ordered_json const& status, bool colour) {
    bool const hoisted = status.value("hoisted", false);
    bool const locked = status.value("locked", false);
    table rows;
    rows.row({"hoisted", hoisted ? painted("yes", green, colour) + " (" +
                                       status.at("backend").get<std::string>() + ")"
                                 : painted("no", yellow, colour)});
    if (auto const notes = status.find("backend_notes"); notes != status.end()) {
        for (auto const& each : *notes) {
            rows.row({"", each.get<std::string>()});
        }
    }
    rows.row({"version", status.value("version", "")});
    rows.row({"core", "sha256 " + status.value("core_sha256", "")});
    rows.row({"memory", human_bytes(count(status.at("memory"), "reserved_bytes")) + " reserved"});
    rows.row({"policies", joined(status.at("policies"))});
    rows.row({"locked", locked ? painted("yes", green, colour) + ", until the next boot" : "no"});
    rows.row({"sealed", status.value("sealed", false) ? "yes" : "no"});
    rows.row({"markers", joined(status.value("markers", ordered_json::array()))});
    rows.row({"VMs", std::to_string(count(status, "vms"))});
    rows.row({"DMA", status.value("dma", "")});
    rows.row({"hvd", status.value("hvd", "")});
    if (auto const audit = status.find("audit"); audit != status.end()) {
        bool const clean = audit->value("clean", false);
        rows.row({"audit", painted(audit_text(*audit), clean ? green : red, colour)});
    }
    return rows.text() + cpu_table(status.at("cpus"));
}

std::string stats_text(ordered_json const& stats) {
    table rows{stats_head(stats, "EXITS")};
    for (auto const& [name, counts] : counts_of(stats)) {
        std::vector<std::string> cells{name};
        for (auto const each : counts) {
            cells.push_back(grouped(each));
        }
        rows.row(std::move(cells));
    }
    return rows.text() + records_line(stats);
}

std::string rates_text(ordered_json const& before, ordered_json const& now, double seconds) {
    table rows{stats_head(now, "EXITS/S")};
    std::map<std::string, std::vector<std::uint64_t>> old;
    for (auto& [name, counts] : counts_of(before)) {
        old[name] = std::move(counts);
    }
    for (auto const& [name, counts] : counts_of(now)) {
        auto& base = old[name];
        base.resize(counts.size());
        std::vector<std::string> cells{name};
        for (std::size_t i = 0; i < counts.size(); ++i) {
            // Counters start again at a new hoist.
            auto const grown = counts[i] >= base[i] ? counts[i] - base[i] : counts[i];
            cells.push_back(
                grouped(static_cast<std::uint64_t>(static_cast<double>(grown) / seconds + 0.5)));
        }
        rows.row(std::move(cells));
    }
    return rows.text() + records_line(now);
}

std::string dump_text(ordered_json const& dump) {
    std::string out;
    for (auto const& cpu : dump.at("cpus")) {
        out += (out.empty() ? "" : "\n") + std::string{"CPU "} + std::to_string(count(cpu, "cpu")) +
               ", last exit: " + cpu.value("exit_reason", "none") + "\n";
        table rows;
        std::vector<std::string> cells;
        for (auto const& [name, value] : cpu.items()) {
            if (!value.is_string() || name == "exit_reason") continue;
            cells.push_back(name);
            cells.push_back(value.get<std::string>());
            if (cells.size() == 6) rows.row(std::exchange(cells, {}));
        }
        if (!cells.empty()) rows.row(std::move(cells));
        out += rows.text();
    }
    return out.empty() ? "no CPU is hoisted\n" : out;
}

std::string record_text(ordered_json const& record, bool colour) {
    auto const kind = record.value("kind", "?");
    bool const bad = kind.ends_with("_denied") || kind.starts_with("core_") ||
                     kind == "guest_paused" || kind == "guest_killed";
    auto out = record.value("time", "") + "  ";
    auto const has = [&](char const* key) {
        return record.contains(key) && !record[key].is_null();
    };
    if (has("cpu")) out += "CPU " + std::to_string(count(record, "cpu")) + "  ";
    out += painted(kind, bad ? red : green, colour) + "  " +
           printable(record.value("message", ""), 500);
    if (has("rip") && record["rip"] != "0x0") out += "  rip=" + record["rip"].get<std::string>();
    return out + "\n";
}

}
