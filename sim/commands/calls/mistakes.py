"""Mistakes in options and configuration, found before the module of a verb is imported, which takes a second or two.

Nothing here imports the engine, and no check simulates or reads much. Each is made again where the verb needs it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from sim.experiment.cluster import cluster_of
from sim.experiment.command import Request, check_from_defaults, check_one_machine, check_read, split_options
from sim.experiment.options import (
    CalibrateOptions,
    CaseOptions,
    CheckExtensionOptions,
    CompareOptions,
    DataOptions,
    DiffOptions,
    DiscoverOptions,
    ExplainOptions,
    ForecastOptions,
    MergeOptions,
    OptimiseOptions,
    Options,
    OutputOptions,
    ReportOptions,
    VerifyOptions,
    WatchOptions,
)
from sim.experiment.result_dir import check_home
from sim.model.aliases import current_tree
from sim.model.hydra_config import read_yaml
from sim.model.scenario import CONDITIONED, Config, asking, config_of, load
from sim.model.validation import UserError

Kind = TypeVar("Kind", bound=Options)


@dataclass(frozen=True)
class Call:
    """One call of a verb: its options by class, and the request without them."""

    request: Request
    rest: Request
    options: Mapping[type[Options], Options]

    def of(self, kind: type[Kind]) -> Kind:
        """The options of one class."""
        return cast(Kind, self.options[kind])

    def config(self, cluster: bool = False) -> Config:
        """The configuration, of a verb that simulates one, perhaps on a cluster."""
        if not cluster:
            check_one_machine(self.rest.overrides)
        return self.homed(load(self.rest.overrides, self.rest.config_dir, self.rest.extensions))

    def homed(self, config: Config) -> Config:
        """The configuration, whose results can be written where it says, and whose workers can be asked for."""
        cluster_of(config)
        check_home(self.request, config)
        return config


def check(request: Request) -> None:
    """Find a mistake in the options and the configuration of a call.

    Raises:
        UserError: an option or the configuration cannot be used.
    """
    options, rest = split_options(request)
    check_read(request.verb, rest.overrides)
    CHECKS.get(request.verb, Call.config)(Call(request, rest, options))


# --- verbs that simulate one configuration, or several ------------------------------------------------------------


def _run(call: Call) -> None:
    call.config(cluster=True)


def _calibrate(call: Call) -> None:
    from sim.analysis.calibration.observations import check_history, sizes_of
    from sim.experiment.io import existing_file

    options, config = call.of(CalibrateOptions), call.config(cluster=True)
    check_from_defaults("calibrate", config)
    check_history(config.scenario)
    sizes_of(config)
    if options.data is not None:
        existing_file("data", options.data)


def _explain(call: Call) -> None:
    from sim.analysis.requested import draws_of, players_of, source_of

    options, config = call.of(ExplainOptions), call.config(cluster=True)
    draws_of(config, source_of(options.parameters), 1)
    players_of(config.scenario, options.mechanisms)
    asking(config.scenario, [options.outcome], "outcome")


def _compare(call: Call) -> None:
    from sim.analysis.comparison.arms import arms_of
    from sim.analysis.requested import SOURCES, draws_of, source_of

    options, rest = call.of(CompareOptions), call.rest
    draws_of(call.homed(_baseline(call)), source_of(options.parameters, (*SOURCES, CONDITIONED)), 1)
    arms_of(options.scenarios, rest.overrides, rest.config_dir, rest.extensions)


def _baseline(call: Call) -> Config:
    """The configuration of the first scenario, which takes a third of the time of three."""
    from sim.analysis.comparison.arms import entries_of

    first = entries_of(call.of(CompareOptions).scenarios, call.rest.overrides)[0]
    overrides = (*call.rest.overrides, f"scenario={first.scenario}", *first.changes)
    return load(overrides, call.rest.config_dir, call.rest.extensions)


def _report(call: Call) -> None:
    from sim.analysis.requested import known_outcome, players_of
    from sim.experiment.dataset import outcomes_of

    options, scenario = call.of(ReportOptions), _baseline(call).scenario
    if options.outcome is not None:
        known_outcome(options.outcome, outcomes_of(scenario), "report.outcome")
    players_of(scenario, options.mechanisms, "report.mechanisms")
    _compare(call)


def _diff(call: Call) -> None:
    from sim.analysis.comparison.arms import arms_of, check_pair

    scenarios, rest = call.of(DiffOptions).scenarios, call.rest
    check_pair(scenarios)
    check_one_machine(rest.overrides)
    call.homed(arms_of(scenarios, rest.overrides, rest.config_dir, rest.extensions)[0].config)


def _forecast(call: Call) -> None:
    from sim.experiment.io import existing_file

    file = call.of(ForecastOptions).data
    if file is None:
        raise UserError("data", "(missing)", "a file of events or of cumulative counts: lull forecast FILE")
    existing_file("data", file)
    check_from_defaults("forecast", call.config(cluster=True))


def _data(call: Call) -> None:
    from sim.experiment.io import existing_file

    file = call.of(DataOptions).data
    if file is None:
        raise UserError("data", "(missing)", "a file of events or of counts: lull data FILE")
    existing_file("data", file)
    call.config()


def _watch(call: Call) -> None:
    from sim.experiment.io import existing_file

    file = call.of(WatchOptions).data
    if file is not None:
        existing_file("data", file)
    call.config()


def _case(call: Call) -> None:
    match call.of(CaseOptions).action:
        case "new":
            from sim.analysis.case_files import asked_for

            asked_for(call.rest)
        case "check":
            call.config()
        case "predict":
            from sim.analysis.forecast.case_settings import case_settings

            config = call.config(cluster=True)
            check_from_defaults("case", config)
            case_settings(config)
        case _:
            raise UserError("case.action", "(missing)", "new, check or predict: lull case new NAME")


# --- verbs whose overrides may ask for several values of a key ------------------------------------------------------


def _sweep(call: Call) -> Config:
    from sim.experiment.sweep.axes import read_axes
    from sim.experiment.sweep.configs import composed, composer
    from sim.model.extension import requested_extensions

    overrides, folder = call.rest.overrides, call.rest.config_dir
    axes, compose = read_axes(overrides, folder, requested_extensions(overrides, ())), composer(folder)
    compose(axes.combination(-1))
    return composed(axes, compose)[0]


def _sensitivity(call: Call) -> None:
    from sim.analysis.sensitivity import sensitivity_run as analysis
    from sim.experiment.sweep.configs import composer

    settings, rest = analysis.settings_of(call.request)
    if settings.sweep is not None:
        analysis.check_alone(rest)
        analysis.store_at(settings.sweep)
    else:
        analysis.composed(settings, rest, composer(rest.config_dir))


def _discover(call: Call) -> None:
    from sim.analysis.discovery.cases import ALLOWED, KEY, condition, sweep_at
    from sim.experiment.dataset import outcomes_of
    from sim.experiment.sweep.store import CONFIG

    options = call.of(DiscoverOptions)
    _, rest = call.rest.options(OutputOptions)
    if options.where is None:
        raise UserError(KEY, "(missing)", ALLOWED)
    if rest.overrides:
        scenario = _sweep(Call(call.request, rest, {})).scenario
        units = {name: one.unit for name, one in outcomes_of(scenario).items()}
    else:
        store = sweep_at(options.sweep)
        scenario = config_of(current_tree(read_yaml(store.folder / CONFIG)), str(store.manifest["scenario"])).scenario
        columns = store.manifest["columns"]
        units = {name: one["attrs"].get("units", "") for name, one in columns.items() if "days" not in one}
    condition(options.where, units, scenario.calendar)


# --- verbs without a configuration ----------------------------------------------------------------------------------


def _verify(call: Call) -> None:
    from sim.analysis.verification import asked_for

    asked_for(call.of(VerifyOptions).folder, call.rest)


def _optimise(call: Call) -> None:
    from sim.analysis.optimising.objectives import asked_by

    call.homed(asked_by(call.of(OptimiseOptions), call.rest).plain)


def _merge(call: Call) -> None:
    from sim.analysis.verification import shards_of

    shards_of(call.of(MergeOptions).folders, call.rest)


def _check_extension(call: Call) -> None:
    from sim.model.extension import extension_of

    file = call.of(CheckExtensionOptions).file
    if file is None:
        raise UserError("check-extension", "(missing)", "one Python file that defines an Extension")
    extension_of(file)


CHECKS: Final[Mapping[str, Callable[[Call], Any]]] = {
    "run": _run,
    "calibrate": _calibrate,
    "explain": _explain,
    "compare": _compare,
    "report": _report,
    "diff": _diff,
    "forecast": _forecast,
    "data": _data,
    "watch": _watch,
    "case": _case,
    "sweep": _sweep,
    "sensitivity": _sensitivity,
    "discover": _discover,
    "optimise": _optimise,
    "merge": _merge,
    "verify": _verify,
    "check-extension": _check_extension,
}
"""What is checked of a verb that does more than simulate one configuration."""
