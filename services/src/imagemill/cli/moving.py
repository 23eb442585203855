"""`imagemill blobs …`: beside the servers, with the settings of the programs; not through the API."""

import sys
from typing import Annotated

import typer

from imagemill.cli import console, say
from imagemill.cli.beside import away, counted, settings_and_stores
from imagemill.cli.options import AsJson

app = typer.Typer(no_args_is_help=True, help="Where the bytes of originals and results are.")

_WRONG, _USAGE = 1, 2
Remove = Annotated[bool, typer.Option("--remove", help="Remove from the old place what was read back.")]


@app.command()
def move(remove: Remove = False, json: AsJson = False) -> None:
    """Bring all blobs from IMAGEMILL_BLOBS_FROM_URL to IMAGEMILL_BLOBS_URL. Ends with 1 when some are wrong.

    Imagemill goes on meanwhile, if its programs know both places. It can be broken off and begun again: what is there
    already is not copied once more.
    """
    from imagemill.integrity.move import Move
    from imagemill.store.blobs.moving import MovingBlobs
    from imagemill.store.blobs.places import open_blobs
    from imagemill.store.couch import StoreUnavailable

    settings, stores = settings_and_stores()
    blobs = open_blobs(settings, stores.admin)
    if not isinstance(blobs, MovingBlobs):
        console.hint("error: IMAGEMILL_BLOBS_FROM_URL names no other place than IMAGEMILL_BLOBS_URL.")
        sys.exit(_USAGE)
    try:
        blobs.new.prepare()
        with counted("blobs") as progress:
            moved = Move(blobs, remove, lambda name, what: console.hint(f"{name}: {what}")).run(progress)
    except (StoreUnavailable, LookupError) as error:
        away(error)
    if json:
        console.as_json({**vars(moved), "done": moved.is_done})
    else:
        console.line(
            f"{moved.copied:,} copied ({say.size(moved.copied_bytes)}), {moved.there:,} were there, "
            f"{moved.removed:,} removed from the old place, {moved.wrong:,} wrong"
        )
        if moved.is_done:
            console.line("Everything is in the new place: IMAGEMILL_BLOBS_FROM_URL may be unset.")
    sys.exit(0 if moved.is_done else _WRONG)
