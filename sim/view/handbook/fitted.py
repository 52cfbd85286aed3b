"""Tables of the posterior that comes with the package, as it was found when it was made."""

from typing import Any

from sim.study.calibration.shipped import read_posterior, shipped_path
from sim.study.calibration.told import excluded_words
from sim.study.calibration.verdicts import NOT
from sim.view.calibration.tables import alone
from sim.view.handbook.markdown import code, table


def results() -> dict[str, Any]:
    """What was found when the shipped posterior was made."""
    found: dict[str, Any] = read_posterior(shipped_path()).about["results"]
    return found


def figure_table() -> str:
    """What is fitted to."""
    rows = ((code(one["figure"]), one["text"], one["source"], one["read_as"]) for one in results()["figures"])
    return table(("Figure", "What", "Source", "Read as"), rows)


def verdict_table() -> str:
    """What the figures say something about; all else in one sentence."""
    shown = [one for one in results()["quantities"] if one["verdict"] != NOT]
    rest = [code(one["quantity"]) for one in results()["quantities"] if one["verdict"] == NOT]
    heads = ("Quantity", "Unit", "Prior, 90%", "Posterior, 90%", "Median", "Contraction", "Recovery", "Verdict")
    told = table(heads, (_verdict(one) for one in shown))
    return f"{told}\n\nNot identified, {len(rest)} of {len(rest) + len(shown)}: {', '.join(rest)}."


def _verdict(one: dict[str, Any]) -> tuple[str, ...]:
    spans = (f"{one[f'{when}_q05']:.2g} to {one[f'{when}_q95']:.2g}" for when in ("prior", "posterior"))
    name = code(one["quantity"]) if "." in one["quantity"] else f"{one['quantity']} ({one['symbol']})"
    return (
        name, one["unit"], *spans, f"{one['posterior_median']:.3g}", f"{max(0.0, one['contraction']):.0%}",
        f"{one['recovery']:.2f}", one["verdict"],
    )  # fmt: skip


def reading_table() -> str:
    """Rival readings."""
    wide = {one["reading"]: one["posterior_probability"] for one in results()["readings_wide_priors"]}
    heads = (
        "The calm because",
        "Before",
        "After (95%)",
        "Bayes factor ± Monte Carlo error (95%)",
        "After, wide priors",
    )
    told = table(heads, (_reading(one, wide) for one in results()["readings"]))
    return f"{told}\n\n{excluded_words(results()['observations_by_reading'])}"


def _reading(one: dict[str, Any], wide: dict[str, float]) -> tuple[str, ...]:
    after = f"{one['posterior_probability']:.1%} ({one['probability_low']:.1%} to {one['probability_high']:.1%})"
    odds = f"{one['bayes_factor']:.2f} ± {one['bayes_factor_error']:.2f}"
    spread = f" ({one['bayes_factor_low']:.2f} to {one['bayes_factor_high']:.2f})"
    odds = odds + spread if one["bayes_factor_low"] < one["bayes_factor_high"] else f"{one['bayes_factor']:.0f}"
    return one["text"], f"{one['prior_probability']:.1%}", after, odds, f"{wide[one['reading']]:.1%}"


def observation_table() -> str:
    """Probability of each observation alone under each reading."""
    rows: dict[str, dict[str, str]] = {}
    for one in results()["observations_by_reading"]:
        cell = alone(one["probability"], one["excluded_by_definition"])
        rows.setdefault(one["text"], {})[one["observation"]] = cell
    names = list(next(iter(rows.values())))
    heads = ("The calm because", *map(code, names))
    return table(heads, ((text, *cells.values()) for text, cells in rows.items()))


def story_table() -> str:
    """What is enough for the calm, and what it needs."""
    rows = [(one["text"], f"{one['before']:.0%}", f"{one['after']:.0%}") for one in results()["stories"]]
    rows += [
        (f"no calm without: {one['text']}", f"{one['fails_before']:.0%}", f"{one['fails_after']:.0%}")
        for one in results()["needed"]
    ]
    return table(("Share of draws that have the calm", "Before", "After"), rows)


def check_table() -> str:
    """What planted truths say."""
    heads = ("Truths planted", "Ranked", "Left out", "Ranks uniform", "Coverage of 50%", "Coverage of 90%")
    rows = (_checked(region, one) for region, one in results()["check"].items())
    return table(heads, rows)


def _checked(region: str, one: dict[str, Any]) -> tuple[str, ...]:
    inside = one["quantities"] - len(one["outside_the_band"])
    covered = one["quantities"] - len(one["coverage_off"])
    return (
        region, f"{one['data_sets']:,}", f"{one['left_out']:,}", f"{inside} of {one['quantities']}",
        f"{one['coverage_50']:.1%}, {covered} of {one['quantities']} within error", f"{one['coverage_90']:.1%}",
    )  # fmt: skip


def agreement_table() -> str:
    """Both methods, where agreement is asked for."""
    heads = ("Quantity", "Medians apart, in deviations", "Widths apart", "Agrees")
    asked = (one for one in results()["second_method"]["quantities"] if one["asked"])
    told = table(heads, (
        (one["name"], f"{one['medians_apart']:+.2f}", f"{one['widths_apart']:+.0%}", "yes" if one["agrees"] else "no")
        for one in asked
    ))  # fmt: skip
    return f"{told}\n\n{results()['second_method']['draws']} draws by plain rejection."
