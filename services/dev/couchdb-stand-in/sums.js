// Reduced views, kept in memory: PouchDB adds all rows up again for each question, which CouchDB never does.
// Every question first takes in what has changed. A document that was changed or removed has the view added up anew.
'use strict';

const express = require('express');
const vm = require('vm');
const { collate } = require('pouchdb-collate');

const PORTION = 1000;
const ANSWERED = new Set(['reduce', 'group', 'key', 'keys', 'start_key', 'end_key', 'descending', 'limit']);
const ADD = {
  _count: (sum) => (sum || 0) + 1,
  _sum: (sum, value) => (Array.isArray(value) ? value.map((term, index) => term + (sum ? sum[index] : 0)) : (sum || 0) + value),
};

class Sums {
  constructor(database, view, revision) {
    this.database = database;
    this.revision = revision;
    this.add = ADD[view.reduce];
    const emit = (key, value) => this.take(key, value);
    this.map = vm.runInNewContext(`(${view.map})`, { emit });
    this.queue = Promise.resolve();
    this.clear();
  }

  clear() {
    this.since = 0;
    this.groups = new Map(); // by the key as JSON
    this.sorted = null;
  }

  take(key, value) {
    const name = JSON.stringify(key);
    const group = this.groups.get(name);
    if (!group) this.sorted = null;
    this.groups.set(name, { key, value: this.add(group && group.value, value) });
  }

  /** Takes in what has changed; one question after another, since they share the sums. */
  fresh() {
    const following = this.queue.then(() => this.catchUp());
    this.queue = following.catch(() => this.clear());
    return following;
  }

  async catchUp() {
    let known = this.since || (await this.database.info()).update_seq;
    for (;;) {
      const { results, last_seq: last } = await this.database.changes({ since: this.since, limit: PORTION, include_docs: true });
      if (results.some(({ seq, deleted, changes }) => seq > known && (deleted || !changes[0].rev.startsWith('1-')))) {
        this.clear();
        known = (await this.database.info()).update_seq;
        continue;
      }
      for (const { id, deleted, doc } of results) if (!deleted && !id.startsWith('_design/')) this.map(doc);
      this.since = last;
      if (results.length < PORTION) return;
    }
  }

  rows({ group, key, keys, start_key: start, end_key: end, descending, limit = Infinity }) {
    if (group && keys) return keys.map((one) => this.groups.get(JSON.stringify(one))).filter(Boolean);
    const groups = key === undefined ? this.between(start, end, descending) : [this.groups.get(JSON.stringify(key))].filter(Boolean);
    if (group) return groups.slice(0, limit);
    const value = groups.reduce((sum, one) => (this.add === ADD._count ? (sum || 0) + one.value : this.add(sum, one.value)), null);
    return groups.length ? [{ key: null, value }] : [];
  }

  between(start, end, descending) {
    this.sorted = this.sorted || [...this.groups.values()].map((group) => group.key).sort(collate);
    const keys = descending ? [...this.sorted].reverse() : this.sorted;
    const turn = descending ? -1 : 1;
    const within = (key) => (start === undefined || turn * collate(key, start) >= 0) && (end === undefined || turn * collate(key, end) <= 0);
    return keys.filter(within).map((key) => this.groups.get(JSON.stringify(key)));
  }
}

module.exports = function sums(PouchDB, bodyLimit) {
  const kept = new Map();
  const readJson = express.json({ limit: bodyLimit, type: () => true });

  async function sumsOf(name, design, viewName) {
    if (!(await PouchDB.allDbs()).includes(name)) return null; // to open one that is not there would make it
    const database = new PouchDB(name);
    const document = await database.get(`_design/${design}`);
    const view = document.views[viewName];
    if (!view || !ADD[view.reduce]) return null;
    const place = JSON.stringify([name, design, viewName]);
    if (!kept.has(place) || kept.get(place).revision !== document._rev) kept.set(place, new Sums(database, view, document._rev));
    return kept.get(place);
  }

  async function answer(request, response, next, [name, , design, , view]) {
    const query = request.body;
    const isOurs = query.reduce === true && (query.group || !query.keys) && Object.keys(query).every((one) => ANSWERED.has(one));
    const found = isOurs && await sumsOf(name, design, view).catch(() => null);
    if (!found) return next();
    await found.fresh();
    return response.json({ rows: found.rows(query) });
  }

  return function reduced(request, response, next) {
    const parts = request.path.split('/').filter(Boolean).map(decodeURIComponent);
    if (request.method === 'DELETE' && parts.length === 1) {
      for (const place of kept.keys()) if (JSON.parse(place)[0] === parts[0]) kept.delete(place);
    }
    if (request.method !== 'POST' || parts[1] !== '_design' || parts[3] !== '_view') return next();
    return readJson(request, response, (error) => (error ? next(error) : answer(request, response, next, parts).catch(next)));
  };
};
