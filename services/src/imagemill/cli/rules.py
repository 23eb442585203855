"""`imagemill rules list, show, add, edit, on, off, remove`."""

import shlex
from typing import Annotated, Any

import typer

from imagemill.alerting.words import rule_value
from imagemill.cli import console
from imagemill.cli.client import Client, path_of
from imagemill.cli.options import Api, AsJson, connect, with_options_of
from imagemill.cli.times import duration_text, seconds_of

app = typer.Typer(help="Rules: which events become alerts, when, how often, and who is told.", no_args_is_help=True)

Json = dict[str, Any]
Words = list[str] | None
RuleName = Annotated[str, typer.Argument(help="The rule's name.", metavar="NAME")]
Cameras = Annotated[Words, typer.Option("--camera", help="Id or pattern like 'yard-*', repeated; '' for all.")]
Zones = Annotated[Words, typer.Option("--zone", help="A zone's name, repeated; '' for anywhere.")]
Kinds = Annotated[Words, typer.Option("--kind", help="motion, scene, frozen or offline, repeated; '' for all.")]
Classes = Annotated[Words, typer.Option("--class", help="alert or detection, repeated; '' for both.")]
Score = Annotated[float | None, typer.Option("--min-score", help="How sure it must be, from 0 to 1.", metavar="N")]
Hours = Annotated[Words, typer.Option("--hours", help="Like 22:00-06:00, repeated; '' for any.")]
Weekdays = Annotated[Words, typer.Option("--weekday", help="monday, tuesday …, repeated; '' for any.")]
Timezone = Annotated[str | None, typer.Option("--timezone", help="Of hours and weekdays, like Europe/Berlin.")]
CoolDown = Annotated[
    str | None, typer.Option("--cool-down", help="Pause per camera after an alert: 90s, 5m, 0.", metavar="TIME")
]
AtMost = Annotated[
    int | None, typer.Option("--at-most", min=0, help="So many alerts per period; 0 for no limit.", metavar="N")
]
Period = Annotated[str | None, typer.Option("--per", help="The period of --at-most: 1h, 1d.", metavar="TIME")]
Waits = Annotated[
    bool | None,
    typer.Option("--until-acknowledged/--not-until-acknowledged", help="Wait until the last alert is acknowledged."),
]
Channels = Annotated[Words, typer.Option("--channel", help="Who is told, repeated; '' for nobody.")]
Enabled = Annotated[bool | None, typer.Option("--enable/--disable", help="Let it count, or not.")]
# What an empty text means where "none" would match nothing.
_ALL = {"kinds": ["motion", "scene", "frozen", "offline"], "classes": ["detection", "alert"]}
_USUAL = {
    "classes": ["alert"], "min_score": 0.0, "timezone": "UTC", "cool_down_seconds": 300.0, "at_most": None,
    "period_seconds": 3600.0,
}  # fmt: skip
_OPTIONS = {
    "cameras": "--camera", "zones": "--zone", "kinds": "--kind", "classes": "--class", "min_score": "--min-score",
    "hours": "--hours", "weekdays": "--weekday", "timezone": "--timezone", "cool_down_seconds": "--cool-down",
    "at_most": "--at-most", "period_seconds": "--per", "channels": "--channel",
}  # fmt: skip


@app.command("list")
def list_rules(api: Api = None, json: AsJson = False) -> None:
    """All rules."""
    answer = connect(api).get(path_of("rules"))
    if json:
        console.as_json(answer)
    elif answer["rules"]:
        titles = ("rule", "on", "cameras", "events", "hours", "how often", "tells")
        console.table(titles, [_row(rule) for rule in answer["rules"]])
    else:
        console.hint("There is no rule: every event is held back. Add one with `imagemill rules add NAME`.")


@app.command("show")
def show(name: RuleName, api: Api = None, json: AsJson = False) -> None:
    """One rule, and the command that makes it."""
    rule = connect(api).get(path_of("rules", name))
    if json:
        console.as_json(rule)
        return
    for member, value in rule.items():
        if member != "revision":
            console.line(f"{member:<20}{rule_value(member, value)}")
    console.hint(f"It is made by: {command_for(rule)}")


def _given(
    cameras: Cameras = None,
    zones: Zones = None,
    kinds: Kinds = None,
    classes: Classes = None,
    min_score: Score = None,
    hours: Hours = None,
    weekdays: Weekdays = None,
    timezone: Timezone = None,
    cool_down: CoolDown = None,
    at_most: AtMost = None,
    per: Period = None,
    until_acknowledged: Waits = None,
    channels: Channels = None,
    enabled: Enabled = None,
) -> Json:
    """What was named of a rule."""
    lists = _lists(cameras, zones, kinds, classes, hours, weekdays, channels)
    return lists | _others(min_score, timezone, cool_down, at_most, per, until_acknowledged, enabled)


@app.command("add")
@with_options_of(_given)
def add(name: RuleName, given: Json, api: Api = None, json: AsJson = False) -> None:
    """A new rule; what is not named is as usual, and it counts from the next event on."""
    _write(connect(api), name, given, "added", json, {"If-None-Match": "*"})


@app.command("edit")
@with_options_of(_given)
def edit(name: RuleName, given: Json, api: Api = None, json: AsJson = False) -> None:
    """Changes what is named, and leaves the rest; a list that is named replaces the one that was."""
    if not given:
        raise typer.BadParameter("Name what shall change, like --cool-down 10m; see `imagemill rules edit --help`.")
    _change(connect(api), name, given, "changed", json)


@app.command("on")
def switch_on(name: RuleName, api: Api = None, json: AsJson = False) -> None:
    """Lets a rule count from the next event on."""
    _change(connect(api), name, {"enabled": True}, "switched on", json)


@app.command("off")
def switch_off(name: RuleName, api: Api = None, json: AsJson = False) -> None:
    """Keeps a rule, but lets it make no alerts."""
    _change(connect(api), name, {"enabled": False}, "switched off", json)


@app.command("remove")
def remove(name: RuleName, api: Api = None) -> None:
    """Removes a rule; its alerts stay, and the command that puts it back is told."""
    client = connect(api)
    rule = client.get(path_of("rules", name))
    client.delete(path_of("rules", name), headers={"If-Match": f'"{rule["revision"]}"'})
    console.line(f"removed    {name}")
    console.hint(f"To put it back: {command_for(rule)}")


def command_for(rule: Json) -> str:
    """The `imagemill rules add` that makes this rule."""
    name = rule["name"]
    words = ["imagemill", "rules", "add", *([] if name.startswith("-") else [name])]
    for member, option in _OPTIONS.items():
        for value in _values(member, rule[member]):
            words += [option, _as_option(member, value)]
    words += ["--until-acknowledged"] if rule["until_acknowledged"] else []
    words += [] if rule["enabled"] else ["--disable"]
    return shlex.join([*words, *(["--", name] if name.startswith("-") else [])])


def _values(member: str, value: Any) -> list[Any]:
    """What must be named, since it is not as usual."""
    if value == _USUAL.get(member):
        return []
    if member in _ALL and sorted(value) == sorted(_ALL[member]):
        return [] if member == "kinds" else [""]
    return value if isinstance(value, list) else [value]


def _as_option(member: str, value: Any) -> str:
    if member.endswith("_seconds"):
        return duration_text(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _write(client: Client, name: str, rule: Json, done: str, json: bool, headers: dict[str, str] | None = None) -> None:
    written = client.put(path_of("rules", name), json=rule, headers=headers)
    if json:
        console.as_json(written)
        return
    off = "" if written["enabled"] else " (off)"
    console.line(f"{done:<10} {name}{off}: {_events(written)}; {_at_most(written)}; tells {_tells(written)}")


def _change(client: Client, name: str, changes: Json, done: str, json: bool) -> None:
    """Over the revision that was read: what somebody else changes in between is not overwritten."""
    _write(client, name, client.get(path_of("rules", name)) | changes, done, json)


def _lists(
    cameras: Words, zones: Words, kinds: Words, classes: Words, hours: Words, weekdays: Words, channels: Words
) -> Json:
    """The lists that were named; an empty text stands for all or any."""
    named = {
        "cameras": cameras, "zones": zones, "kinds": kinds, "classes": classes, "hours": hours, "weekdays": weekdays,
        "channels": channels,
    }  # fmt: skip
    lists = {member: list(filter(None, words)) for member, words in named.items() if words}
    return {member: words or _ALL.get(member, []) for member, words in lists.items()}


def _others(
    min_score: float | None, timezone: str | None, cool_down: str | None, at_most: int | None, per: str | None,
    until_acknowledged: bool | None, enabled: bool | None,
) -> Json:  # fmt: skip
    named = {
        "min_score": min_score, "timezone": timezone, "until_acknowledged": until_acknowledged, "enabled": enabled,
        "cool_down_seconds": None if cool_down is None else seconds_of(cool_down),
        "period_seconds": None if per is None else seconds_of(per),
    }  # fmt: skip
    found = {member: value for member, value in named.items() if value is not None}
    return found | ({} if at_most is None else {"at_most": at_most or None})


# --- words ----------------------------------------------------------------------------------------


def _row(rule: Json) -> tuple[str, ...]:
    return (
        rule["name"], "yes" if rule["enabled"] else "no", ", ".join(rule["cameras"]) or "all", _events(rule),
        _hours(rule), _at_most(rule), _tells(rule),
    )  # fmt: skip


def _events(rule: Json) -> str:
    classes = "" if len(rule["classes"]) == len(_ALL["classes"]) else f" of class {rule['classes'][0]}"
    kinds = "all events" if len(rule["kinds"]) == len(_ALL["kinds"]) else ", ".join(rule["kinds"])
    where = f" in {', '.join(rule['zones'])}" if rule["zones"] else ""
    return kinds + classes + where + (f", score {rule['min_score']:g} and more" if rule["min_score"] else "")


def _hours(rule: Json) -> str:
    said = ", ".join([*rule["hours"], *rule["weekdays"]])
    return f"{said} ({rule['timezone']})" if said else "any"


def _at_most(rule: Json) -> str:
    pause = rule["cool_down_seconds"]
    said = [f"one in {duration_text(pause)} per camera" if pause else "no cool-down"]
    said += [f"{rule['at_most']:g} in {duration_text(rule['period_seconds'])}"] if rule["at_most"] else []
    return ", ".join([*said, *(["the next when acknowledged"] if rule["until_acknowledged"] else [])])


def _tells(rule: Json) -> str:
    return ", ".join(rule["channels"]) or "nobody"
