// Views, kept in memory: PouchDB makes the rows of a view at its first question, which takes minutes for some ten thousand
// documents, and adds all of them up again for each sum. Every question first takes in what has changed, for all views of a
// design at once. A document that was changed or removed has them made anew.
'use strict';

/** @import { NextFunction, Request, Response } from 'express' */

const express = require('express');
const vm = require('vm');
const { parseIndexableString, toIndexableString } = require('pouchdb-collate');

const PORTION = 1000;
const OF_SUMS = new Set(['reduce', 'group', 'key', 'keys', 'start_key', 'end_key', 'descending', 'limit']);
const OF_ROWS = new Set(['reduce', 'start_key', 'end_key', 'descending', 'limit']);
/** @type {Record<string, (sum: any, value: any) => any>} What a view reduces to, CouchDB does not say. */
const ADD = {
  _count: (sum) => (sum || 0) + 1,
  _stats: (sum, value) => ({
    sum: (sum ? sum.sum : 0) + value,
    count: (sum ? sum.count : 0) + 1,
    min: Math.min(sum ? sum.min : value, value),
    max: Math.max(sum ? sum.max : value, value),
    sumsqr: (sum ? sum.sumsqr : 0) + value * value,
  }),
  _sum: (sum, value) => (Array.isArray(value) ? value.map((term, index) => term + (sum ? sum[index] : 0)) : (sum || 0) + value),
};

/** A view with a reduce function of CouchDB's own: a sum for each key. */
class Sums {
  /** @param {string} reduce */
  constructor(reduce) {
    this.add = ADD[reduce];
    /** @type {Map<string, Sum>} by the key as JSON */
    this.groups = new Map();
    /** @type {{ at: string, name: string }[]} by what sorts like the key */
    this.sorted = [];
    this.isSorted = true;
  }

  clear() {
    this.groups.clear();
    this.sorted = [];
  }

  /** @param {unknown} key @param {unknown} value */
  take(key, value) {
    const name = JSON.stringify(key);
    const group = this.groups.get(name);
    if (!group) {
      this.sorted.push({ at: toIndexableString(key), name });
      this.isSorted = false;
    }
    this.groups.set(name, { key, value: this.add(group && group.value, value) });
  }

  /** @param {Query} query */
  answers(query) {
    return query.reduce === true && (query.group || (!query.keys && this.add !== ADD._stats)) && Object.keys(query).every((one) => OF_SUMS.has(one));
  }

  /** @param {Query} query */
  rows({ group, key, keys, start_key: start, end_key: end, descending, limit = Infinity }) {
    if (group && keys) return this.groupsOf(keys);
    const groups = key === undefined ? this.between(start, end, descending) : this.groupsOf([key]);
    if (group) return groups.slice(0, limit);
    const value = groups.reduce((/** @type {unknown} */ sum, one) => (this.add === ADD._count ? ADD._sum(sum, one.value) : this.add(sum, one.value)), null);
    return groups.length ? [{ key: null, value }] : [];
  }

  /** @param {unknown[]} keys */
  groupsOf(keys) {
    return keys.map((key) => this.groups.get(JSON.stringify(key))).filter((group) => group !== undefined);
  }

  /** @param {unknown} start @param {unknown} end @param {boolean | undefined} descending */
  between(start, end, descending) {
    if (!this.isSorted) this.sorted.sort((one, other) => (one.at < other.at ? -1 : 1));
    this.isSorted = true;
    const [low, high] = descending ? [end, start] : [start, end];
    const from = low === undefined ? 0 : first(this.sorted, (group) => group.at >= toIndexableString(low));
    const to = high === undefined ? this.sorted.length : first(this.sorted, (group) => group.at > toIndexableString(high));
    const found = this.sorted.slice(from, to).map(({ name }) => /** @type {Sum} */ (this.groups.get(name)));
    return descending ? found.reverse() : found;
  }
}

/** A view without: its rows in the order of their keys, which are kept as the texts that sort like them. */
class Rows {
  constructor() {
    /** @type {Line[]} */
    this.sorted = [];
    /** @type {Line[]} */
    this.added = [];
  }

  clear() {
    this.sorted = [];
    this.added = [];
  }

  /** @param {unknown} key @param {unknown} value @param {string} id */
  take(key, value, id) {
    this.added.push({ at: toIndexableString(key), id, value });
  }

  /** @param {Query} query */
  answers(query) {
    return query.reduce === false && Object.keys(query).every((one) => OF_ROWS.has(one));
  }

  /** @param {Query} query */
  rows({ start_key: start, end_key: end, descending, limit = Infinity }) {
    this.sort();
    const [low, high] = descending ? [end, start] : [start, end];
    const from = low === undefined ? 0 : first(this.sorted, (row) => row.at >= toIndexableString(low));
    const to = high === undefined ? this.sorted.length : first(this.sorted, (row) => row.at > toIndexableString(high));
    const found = descending ? this.sorted.slice(Math.max(from, to - limit), to).reverse() : this.sorted.slice(from, Math.min(to, from + limit));
    return found.map(({ at, id, value }) => ({ id, key: parseIndexableString(at), value }));
  }

  sort() {
    if (!this.added.length) return;
    /** @param {Line} one @param {Line} other */
    const before = (one, other) => one.at < other.at || (one.at === other.at && one.id < other.id);
    const added = this.added.sort((one, other) => (before(one, other) ? -1 : 1));
    const merged = [];
    let next = 0;
    for (const row of this.sorted) {
      while (next < added.length && before(added[next], row)) merged.push(added[next++]);
      merged.push(row);
    }
    while (next < added.length) merged.push(added[next++]);
    this.sorted = merged;
    this.added = [];
  }
}

/**
 * The place of the first line of a sorted list that is behind what is looked for.
 * @template T
 * @param {T[]} lines
 * @param {(line: T) => boolean} isBehind
 */
function first(lines, isBehind) {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBehind(lines[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** All views of a design. */
class Design {
  /** @param {Database} database @param {Doc} document */
  constructor(database, document) {
    this.database = database;
    this.revision = document._rev;
    /** @type {Record<string, Sums | Rows>} */
    this.views = {};
    /** @type {((doc: Doc) => void)[]} */
    this.maps = [];
    this.reading = '';
    /** @type {number | string} */
    this.since = 0;
    /** @type {Set<string>} */
    this.seen = new Set(); // ids: another version of one may have been written, or may have won a conflict
    /** @type {Record<string, { map: string, reduce?: string }>} */
    const described = document.views || {};
    for (const [name, { map, reduce }] of Object.entries(described)) {
      if (reduce && !ADD[reduce]) continue;
      const view = reduce ? new Sums(reduce) : new Rows();
      this.views[name] = view;
      /** @param {unknown} key @param {unknown} value */
      const emit = (key, value) => view.take(key, value, this.reading);
      this.maps.push(vm.runInNewContext(`(${map})`, { emit }));
    }
    this.queue = Promise.resolve();
  }

  clear() {
    this.since = 0;
    this.seen.clear();
    for (const view of Object.values(this.views)) view.clear();
  }

  /** Takes in what has changed; one question after another, since they share the views. */
  fresh() {
    const following = this.queue.then(() => this.catchUp());
    this.queue = following.catch(() => this.clear());
    return following;
  }

  async catchUp() {
    for (;;) {
      const { results, last_seq: last } = await this.database.changes({ since: this.since, limit: PORTION, include_docs: true });
      if (results.some(({ id }) => this.seen.has(id))) {
        this.clear();
        continue;
      }
      for (const { id, deleted, doc } of results) if (!deleted && !id.startsWith('_design/')) this.take(doc);
      this.since = last;
      if (results.length < PORTION) return;
    }
  }

  /** @param {Doc} doc */
  take(doc) {
    this.reading = doc._id;
    this.seen.add(doc._id);
    for (const map of this.maps) {
      try {
        map(doc);
      } catch {
        // As CouchDB has it: a document that a view stumbles over has no rows in it.
      }
    }
  }
}

/** @param {Pouch} PouchDB @param {number} bodyLimit */
module.exports = function views(PouchDB, bodyLimit) {
  /** @type {Map<string, Design>} by the names of database and design */
  const kept = new Map();
  const readJson = express.json({ limit: bodyLimit, type: () => true });

  /** @param {string} name @param {string} design @param {string} viewName @param {Query} query */
  async function viewOf(name, design, viewName, query) {
    if (!(await PouchDB.allDbs()).includes(name)) return null; // to open one that is not there would make it
    const database = new PouchDB(name);
    const document = await database.get(`_design/${design}`);
    const place = JSON.stringify([name, design]);
    const before = kept.get(place);
    const found = before && before.revision === document._rev ? before : new Design(database, document);
    kept.set(place, found);
    const view = found.views[viewName];
    if (!view || !view.answers(query)) return null;
    await found.fresh();
    return view;
  }

  /** @param {Request} request @param {Response} response @param {NextFunction} next @param {string[]} parts */
  async function answer(request, response, next, [name, , design, , viewName, several]) {
    if (several === 'queries') return answerSeveral(request, response, next, [name, design, viewName]);
    const view = await viewOf(name, design, viewName, request.body).catch(() => null);
    return view ? response.json({ rows: view.rows(request.body) }) : next();
  }

  /** @param {Request} request @param {Response} response @param {NextFunction} next @param {string[]} parts */
  async function answerSeveral(request, response, next, [name, design, viewName]) {
    /** @type {Query[]} */
    const queries = request.body.queries;
    const view = await viewOf(name, design, viewName, queries[0]).catch(() => null);
    return view && queries.every((query) => view.answers(query)) ? response.json({ results: queries.map((query) => ({ rows: view.rows(query) })) }) : next();
  }

  /** @param {Request} request @param {Response} response @param {NextFunction} next */
  return function inMemory(request, response, next) {
    const parts = request.path.split('/').filter(Boolean).map(decodeURIComponent);
    if (request.method === 'DELETE' && parts.length === 1) {
      for (const place of kept.keys()) if (JSON.parse(place)[0] === parts[0]) kept.delete(place);
    }
    if (request.method !== 'POST' || parts[1] !== '_design' || parts[3] !== '_view') return next();
    return readJson(request, response, (error) => (error ? next(error) : answer(request, response, next, parts).catch(next)));
  };
};
