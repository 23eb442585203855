"""Turns KEDA's manifests into WorkerPools: pure, without Kubernetes and without a broker.

    from imagemill_operator.convert import convert, read_documents, render

    conversion = convert(read_documents(text))
    print(render(conversion))          # manifests, each with its notes as comments
    conversion.is_complete             # False when something has no equivalent

The facts about KEDA are those of KEDA 2.21.
"""

from imagemill_operator.convert.conversion import NoManifestError, convert
from imagemill_operator.convert.documents import UnreadableError, read_documents
from imagemill_operator.convert.model import Conversion, Converted, Hints, Note
from imagemill_operator.convert.render import note_line, render
from imagemill_operator.convert.takeover import takeover_advice

__all__ = [
    "Conversion",
    "Converted",
    "Hints",
    "NoManifestError",
    "Note",
    "UnreadableError",
    "convert",
    "note_line",
    "read_documents",
    "render",
    "takeover_advice",
]
