"""The ledger's views: counts, lists, and what names begin with. A page needs no more than a part of an index."""

import hashlib
import json
from typing import Any

# Values are [accepted, rejected, stored, duplicates, failed, damaged, erased]; `_sum` adds arrays term by term.
_COUNTS_MAP = """
function (doc) {
  if (doc.type === 'job') { emit(doc.batch, [1, 0, 0, 0, 0, 0, 0]); }
  else if (doc.type === 'rejection') { emit(doc.batch, [0, 1, 0, 0, 0, 0, 0]); }
  else if (doc.type === 'erasure') { emit(doc.batch, [0, 0, 0, 0, 0, 0, 1]); }
  else if (doc.type === 'outcome') {
    var stored = doc.status === 'stored' ? 1 : 0;
    var damaged = doc.warnings && doc.warnings.length ? 1 : 0;
    emit(doc.batch, [0, 0, stored, doc.duplicate ? 1 : 0, 1 - stored, damaged, 0]);
  }
}"""
# Keys are [batch or '', list, id]: pages of one list, newest first. All jobs of all batches need no view. Lists are
# states, and for failures also those of a code, of a recipe, and of both (see `failed_list`). What waits for its bytes
# to go is listed by when that is due.
_LISTING_MAP = """
function (doc) {
  var state = doc.type === 'job' ? 'accepted' : doc.type === 'rejection' ? 'rejected' : doc.status;
  function list(name) { emit([doc.batch, name, doc.id], null); emit(['', name, doc.id], null); }
  if (doc.type === 'job') { emit([doc.batch, state, doc.id], null); }
  else if (doc.type === 'erasure') {
    list('erased');
    if (doc.state !== 'purged') { emit(['', 'erasing', doc.due], null); }
  }
  else if (doc.type === 'rejection' || doc.type === 'outcome') {
    list(state);
    if (doc.duplicate) { list('duplicate'); }
    if (doc.warnings && doc.warnings.length) { list('damaged'); }
    if (state === 'failed') {
      list('failed code ' + doc.code);
      list('failed recipe ' + doc.recipe);
      list('failed code ' + doc.code + ' recipe ' + doc.recipe);
    }
  }
}"""
# Keys are [text, id]: the name in small letters, what follows each separator in it (its extension aside), and the
# beginning of the original's hash.
_NAMES_MAP = """
function (doc) {
  if (doc.type !== 'job') { return; }
  var name = doc.name.toLowerCase().slice(0, 100), stem = name.replace(/[.][a-z0-9]{1,5}$/, '');
  var word = /[^ _.,()+\\/\\\\-]+/g, found, left = 6;
  emit([name, doc.id], null);
  while ((found = word.exec(stem)) && left--) { if (found.index) { emit([name.slice(found.index), doc.id], null); } }
  emit([doc.original.sha256.slice(0, 16), doc.id], null);
}"""
HASH_LETTERS = 16
# Keys are hashes, documents the jobs and outcomes that refer to these bytes; known results have keys of their own
# (`RESULT_OF` and their hash, and their original's), lest they hide behind a million pictures. It is read only where
# something was erased: it is built then, and costs whoever never erases nothing.
_REFERENCES_MAP = """
function (doc) {
  if (doc.type === 'job') { emit(doc.original.sha256, null); }
  else if (doc.type === 'outcome' && doc.result) { emit(doc.result.sha256, null); }
  else if (doc.type === 'result') {
    emit('result:' + doc.result.sha256, null);
    emit('result:' + doc.key.split(':')[0], null);
  }
}"""
RESULT_OF = "result:"
REFERENCES_LAYOUT = "references-" + hashlib.sha256(_REFERENCES_MAP.encode()).hexdigest()[:8]
REFERENCES: dict[str, Any] = {
    "_id": f"_design/{REFERENCES_LAYOUT}", "language": "javascript", "autoupdate": False,
    "views": {"references": {"map": _REFERENCES_MAP}},
}  # fmt: skip
# When batches began and ended. Values are milliseconds of Unix time, reduced to their least and largest; keys are
# [hour, batch], which is how batches are listed by time, [batch] for what was offered, [batch, recipe] for what was
# accepted, and [batch, ''] for what ended. Numbers sort before texts.
_TIMES_MAP = """
function (doc) {
  function tell(keys, at) { if (at >= 0) { for (var i = 0; i < keys.length; i++) { emit(keys[i], at); } } }
  if (doc.type === 'outcome') {
    var last = doc.trace && doc.trace[doc.trace.length - 1];
    tell([[doc.batch, '']], last ? Date.parse(last.at) : NaN);
  } else if (doc.type === 'job' || doc.type === 'rejection') {
    var at = parseInt(doc.id.slice(0, 8) + doc.id.slice(9, 13), 16);
    var offered = [[Math.floor(at / 3600000), doc.batch], [doc.batch]];
    tell(doc.type === 'job' ? offered.concat([[doc.batch, doc.recipe]]) : offered, at);
  }
}"""
VIEWS = {
    "counts": {"map": _COUNTS_MAP, "reduce": "_sum"},
    "listing": {"map": _LISTING_MAP},
    "names": {"map": _NAMES_MAP},
    "times": {"map": _TIMES_MAP, "reduce": "_stats"},
}
# A changed view gets another name, so that programs of both versions find theirs during an upgrade.
LAYOUT = "ledger-" + hashlib.sha256(json.dumps(VIEWS).encode()).hexdigest()[:8]


def is_hash(text: str) -> bool:
    """Is it a hash, or so much of one that it is nothing else?"""
    return len(text) > HASH_LETTERS and all(letter in "0123456789abcdef" for letter in text.lower())


def failed_list(code: str | None, recipe: str | None) -> str:
    """The list of failures with that code, under that recipe."""
    parts = [f" {name} {value}" for name, value in (("code", code), ("recipe", recipe)) if value]
    return "failed" + "".join(parts)
