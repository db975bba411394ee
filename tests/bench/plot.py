# SPDX-License-Identifier: MIT
"""The figures as bars, in SVG written by hand."""

from html import escape

import rows

WIDTH, LABELS, BARS = 940, 300, 380
LINE, BAR, HEAD = 26, 15, 58
COLOURS = {"bar": "#3b6ea8", "missed": "#c0392b", "native": "#9bb8d6", "budget": "#222222",
           "text": "#222222", "faint": "#777777", "back": "#fcfcfa", "rule": "#dddddd"}


class drawing:
    """Elements, from the top down."""

    def __init__(self):
        self.parts = []
        self.y = 20

    def text(self, x, y, words, size=13, colour="text", anchor="start", weight="normal"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" '
                          f'fill="{COLOURS[colour]}" text-anchor="{anchor}" '
                          f'font-weight="{weight}">{escape(words)}</text>')

    def box(self, x, y, width, height, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.8):.1f}" '
                          f'height="{height}" fill="{COLOURS[colour]}"/>')

    def heading(self, title, note):
        self.text(20, self.y + 20, title, 16, weight="bold")
        self.text(20, self.y + 38, note, 12, "faint")
        self.y += HEAD

    def bar(self, label, share, words, budget=None, met=True, native=None):
        """Lengths as shares of the whole width of bars."""
        middle = self.y + LINE / 2
        self.text(LABELS - 10, middle + 4, label, anchor="end")
        self.box(LABELS, middle - BAR / 2, share * BARS, BAR, "missed" if met is False else "bar")
        if native is not None:
            self.box(LABELS, middle - BAR / 2, native * BARS, BAR, "native")
        if budget is not None:
            self.box(LABELS + budget * BARS - 1, middle - LINE / 2, 2, LINE, "budget")
        right = max(share, budget or 0, native or 0)
        self.text(LABELS + right * BARS + 8, middle + 4, words, 12)
        self.y += LINE

    def svg(self):
        height = self.y + 20
        return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
                          f'height="{height}" viewBox="0 0 {WIDTH} {height}" '
                          'font-family="sans-serif">',
                          f'<rect width="{WIDTH}" height="{height}" fill="{COLOURS["back"]}"/>',
                          *self.parts, "</svg>", ""])


def of(table, section):
    return [row for row in table if row.section == section]


def percent(ratio, digits):
    change = round((ratio - 1) * 100, digits)
    return f"{change:+.{digits}f} %" if change else "± 0 %"


def draw_exits(picture, table):
    picture.heading("What an exit costs", "Ticks; light: the same without Hoist. The mark is the "
                                          f"budget, {rows.EXIT_TICKS}.")
    shown = of(table, rows.COST)
    most = max(rows.EXIT_TICKS, *(row.hoisted for row in shown)) * 1.05
    for row in shown:
        picture.bar(row.title, row.hoisted / most, f"{row.hoisted:.1f}", rows.EXIT_TICKS / most
                    if row.used else None, row.met, row.native and row.native / most)


def draw_workloads(picture, table):
    picture.heading("What Linux pays", "Slower than native, per cent; in brackets the ticks "
                                       "without Hoist, and exits. The mark is the budget.")
    budgets = {row.key: rows.RATIO_WITH_CPUID if row.key in ("fork", "exec") else
               rows.RATIO if "≤" in row.budget else None for row in of(table, rows.WORKLOAD)}
    shown = of(table, rows.WORKLOAD)
    most = max([rows.RATIO_WITH_CPUID, *(row.ratio for row in shown)]) - 1
    for row in shown:
        budget = budgets[row.key]
        exits = f"{row.exits} exits" if row.exits == "0" else row.exits
        words = f"{percent(row.ratio, 2)}  ({row.native:,.0f}; {exits})"
        picture.bar(row.title, max(row.ratio - 1, 0) / most, words,
                    (budget - 1) / most if budget else None, row.met)


def draw_rules(picture, table):
    picture.heading("1,000 rules instead of one", "An exit's ticks with 1,000 rules; light: "
                                                  "with one.")
    shown = of(table, rows.RULES)
    most = max(row.hoisted for row in shown) * 1.05
    for row in shown:
        words = f"{row.native:,.0f} → {row.hoisted:,.0f}  ({percent(row.ratio, 1)})"
        picture.bar(row.title, row.hoisted / most, words, None, row.met, row.native / most)


def draw_guests(picture, table):
    picture.heading("What a guest pays", "Of KVM's ticks in the same boot, which are the whole "
                                         "width; the mark is the budget.")
    for row in of(table, rows.GUESTS):
        if row.used is not None:
            share = row.hoisted / row.native
            words = f"{row.native:,.0f} → {row.hoisted:,.0f}  (× {share:.3f})"
            picture.bar(row.title, min(share, 1), words, share / row.used, row.met)


def draw_budgets(picture, table):
    picture.heading("Hoisting two CPUs with 1 GiB", "Share of the budget, which is the mark.")
    for row in of(table, rows.HOIST):
        if row.used is not None:
            most = max(1.0, row.used)
            picture.bar(row.title, row.used / most, f"{row.hoisted:,.0f} ({row.budget})",
                        1 / most, row.met)


def write_svg(path, machine, table):
    picture = drawing()
    title = f"Hoist: native against hoisted, in {machine.title}"
    picture.text(20, picture.y + 6, title, 20, weight="bold")
    picture.y += 18
    for draw in (draw_exits, draw_workloads, draw_rules, draw_guests, draw_budgets):
        draw(picture, table)
        picture.y += 16
    path.write_text(picture.svg(), encoding="utf-8")
