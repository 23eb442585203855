"""The commands, by name."""

from importlib.metadata import version as version_of
from typing import Annotated, Any

import typer

from imagemill.cli import (
    access,
    alerts,
    backing_up,
    cameras,
    counts,
    demo,
    downloading,
    erasing,
    events,
    failures,
    fetching,
    manifests,
    moving,
    pictures,
    pinning,
    replaying,
    rules,
    status,
    uploading,
    verifying,
    waiting,
    watching,
    webhooks,
)
from imagemill.cli.client import DEFAULT_API

app = typer.Typer(
    name="imagemill",
    help="Pictures in, results out: the command line of Imagemill.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(version_of("imagemill"))
        raise typer.Exit


@app.callback()
def common(
    context: typer.Context,
    api: Annotated[
        str | None,
        typer.Option(
            "--api", envvar="IMAGEMILL_API", help=f"Where the API is.  [default: {DEFAULT_API}]", metavar="URL"
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001 - its callback has acted already
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell the version.")
    ] = False,
) -> None:
    """Pictures in, results out: the command line of Imagemill."""
    # --api may stand before the command's name or behind it; behind it wins.
    context.default_map = _everywhere(app, api)


def _everywhere(commands: typer.Typer, api: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {str(command.name): {"api": api} for command in commands.registered_commands}
    for group in commands.registered_groups:
        if group.typer_instance:
            found[str(group.name)] = _everywhere(group.typer_instance, api)
    return found


app.command("upload")(uploading.upload)
app.command("demo")(demo.demo)
app.command("watch")(watching.watch)
app.command("wait")(waiting.wait)
app.command("download")(downloading.download)
app.command("get")(fetching.get)
app.command("manifest")(manifests.manifest)
app.command("show")(pictures.show)
app.command("journal")(pictures.journal)
app.command("list")(pictures.list_images)
app.command("batch")(counts.batch)
app.command("totals")(counts.totals)
app.command("pin")(pinning.pin)
app.command("erase")(erasing.erase)
app.command("verify")(verifying.verify)
app.command("repair")(verifying.repair)
app.command("backup")(backing_up.backup)
app.command("restore")(backing_up.restore)
app.command("rejections")(pictures.rejections)
app.command("recipes")(counts.recipes)
app.command("pools")(counts.pools)
app.command("alert")(alerts.alert)
app.command("alerts")(alerts.alerts)
app.command("replay")(replaying.replay)
app.command("events")(events.events)
app.command("status")(status.status)
app.command("login")(access.login)
app.command("logout")(access.logout)
app.command("whoami")(access.whoami)
app.command("audit")(access.audit)
app.add_typer(failures.app, name="failures")
app.add_typer(moving.app, name="blobs")
app.add_typer(cameras.app, name="cameras")
app.add_typer(rules.app, name="rules")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(access.app, name="tokens")
