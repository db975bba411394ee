# SPDX-License-Identifier: MIT
"""The table for people, and the file for programs."""

import dataclasses
import json


def figure(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:,.1f}"


def cells(row):
    verdict = {None: "", True: "ok", False: "MISSED"}[row.met]
    return (row.title, figure(row.native), figure(row.hoisted), row.change, row.exits, row.budget,
            verdict)


def headings(section):
    return (section.title, section.before, section.after, "change", "exits each", "budget", "")


def print_table(measured, table):
    print(f"\n== {measured.machine.title} ==")
    lines = []    # None is an empty line
    for row, before in zip(table, [None, *table]):
        if before is None or row.section != before.section:
            lines += [None, headings(row.section)]
        lines.append(cells(row))
    count = len(cells(table[0]))
    widths = [max(len(line[i]) for line in lines if line) for i in range(count)]
    for line in lines:
        texts = [text.ljust(width) if i in (0, count - 2, count - 1) else text.rjust(width)
                 for i, (text, width) in enumerate(zip(line or [""] * count, widths))]
        print("  ".join(texts).rstrip())
    print(f"\n{measured.machine.all_notes}\n{describe(measured)}")


def describe(measured):
    boots = sum(map(len, measured.boots.values()))
    return (f"{boots} boots of {measured.machine.title}, {measured.seconds:.0f} s; "
            f"core {measured.core_sha256[:16]}…")


def write_json(path, measured, table):
    rows = []
    for row in table:
        fields = dataclasses.asdict(row) | {"section": row.section.title}
        rows.append({name: value for name, value in fields.items() if value not in (None, "")})
    boots = [{"cpus": boot.cpus, "values": boot.values,
              "samples": {f"{name} {state}": ticks
                          for (name, state), ticks in boot.samples.items()}}
             for each in measured.boots.values() for boot in each]
    whole = {"machine": measured.machine.name, "unit": "ticks", "core_sha256": measured.core_sha256,
             "seconds": round(measured.seconds, 1), "rows": rows, "boots": boots}
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
