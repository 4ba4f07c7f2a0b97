"""The table of the page, from the figures of all rounds."""

import statistics

# Times below four questions of the client are not told apart, ms.
RESOLUTION = 20


def number(value):
    return f"{value:,.0f}"


def cell(figures, cap):
    """Median (least to most). A round that did not end within its cap has no figure."""
    if figures is None:
        return ""
    if not figures:
        return "no sound round"
    ended = [figure for figure in figures if figure is not None]
    if len(ended) < len(figures):
        return f"> {number(cap * 1000)}"
    median = number(statistics.median(ended))
    return median if len(ended) == 1 else f"{median} ({number(min(ended))} to {number(max(ended))})"


def ratio(fault, figures, ours):
    """How many times as long the best of the others takes, in the same run; nothing where the client cannot tell."""
    known = {key: rounds for key, rounds in figures.items() if rounds and None not in rounds}
    fastest = f"{ours}-bfd-50"
    if fastest in known:
        known, ours = {key: rounds for key, rounds in known.items() if key.endswith("-bfd-50")}, fastest
    others = [statistics.median(rounds) for key, rounds in known.items() if key != ours]
    if ours not in known or not others or not (own := statistics.median(known[ours])):
        return ""
    if "ms" in fault.counted and min(own, *others) < RESOLUTION:
        return ""
    return f"{min(others) / own:.1f}"


def table(rows, contenders, ours):
    """`rows`: (fault, configuration, key of contender -> figures or none where it was not measured)."""
    yield "| fault | configuration | counted | " + " | ".join(c.title for c in contenders) + " | best of the others / Catchment |"
    yield "|---|---|---|" + "---|" * len(contenders) + "---|"
    for fault, configuration, figures in rows:
        cells = [cell(figures.get(contender.key), fault.cap) for contender in contenders]
        yield f"| {fault.name} | {configuration} | {fault.counted} | {' | '.join(cells)} | {ratio(fault, figures, ours)} |"
