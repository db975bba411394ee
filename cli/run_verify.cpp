// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "cli/run.hpp"
#include "daemon/log/verify.hpp"
#include "daemon/text/number.hpp"
#include "daemon/text/printable.hpp"

namespace hv::cli {
namespace {

using nlohmann::ordered_json;

ordered_json report_json(chain_report const& report) {
    ordered_json out{{"ok", !report.fault},
                     {"files", report.files},
                     {"lines", report.lines},
                     {"unchained", report.unchained},
                     {"from_the_start", report.from_the_start},
                     {"half_line", report.half_line},
                     {"hash", report.hash},
                     {"fault", nullptr}};
    if (auto const& fault = report.fault)
        out["fault"] = {{"path", fault->path}, {"line", fault->line}, {"what", fault->what}};
    return out;
}

std::string report_text(std::string const& path, chain_report const& report) {
    auto out = printable(path, 4096) + ": " + counted(report.lines, "line") + " in " +
               counted(report.files, "file") + ", none altered or missing";
    if (!report.from_the_start) out += " from the oldest that is left";
    out += "\n";
    if (report.unchained != 0)
        out += "the first " + counted(report.unchained, "line") + " not chained: an older hvd's\n";
    if (report.half_line) out += "the last line is half written: hvd cuts it off when it starts\n";
    return out + "the last line's hash: " + report.hash + "\n";
}

}

int verify_logs(context& with, std::string const& path) {
    auto const report = verify_log(path);
    if (with.json) with.print_json(report_json(report));
    if (auto const& fault = report.fault) {
        throw refusal{printable(fault->path, 4096) + ":" + std::to_string(fault->line) + ": " +
                      fault->what};
    }
    if (!with.json) with.print(report_text(path, report));
    return done;
}

}
