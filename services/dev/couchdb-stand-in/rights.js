// Users, members of databases, and design documents that check what is written: as CouchDB has them, as far as tests need it.
'use strict';

/** @import { NextFunction, Request, Response } from 'express' */

const crypto = require('crypto');
const express = require('express');
const fs = require('fs');
const path = require('path');
const vm = require('vm');

const ADMINISTRATOR = { name: 'administrator', roles: ['_admin'] };
const NEW_DATABASE = { admins: { names: [], roles: ['_admin'] }, members: { names: [], roles: ['_admin'] } };
const ADMINISTRATORS_ONLY = ['_compact', '_purge', '_view_cleanup', '_index'];
const READING = ['GET', 'HEAD'];
const READING_BY_POST = ['_all_docs', '_changes', '_bulk_get', '_find', '_revs_diff', '_design'];

/** @param {string} text */
const sha256 = (text) => crypto.createHash('sha256').update(text).digest();
/** @param {string} password @param {string} salt */
const hash = (password, salt) => crypto.scryptSync(password, salt, 32, { N: 1024 }).toString('hex');
/** @param {string} name @param {string} password */
const basic = (name, password) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
/** @param {Response} response @param {number} status @param {string} error @param {string} reason */
const refuse = (response, status, error, reason) => response.status(status).json({ error, reason });

/**
 * Handlers of requests, in their order.
 * @param {Pouch} PouchDB
 * @param {string} data
 * @param {{ user: string, password: string }} administrator
 * @param {number} bodyLimit
 */
module.exports = function rights(PouchDB, data, administrator, bodyLimit) {
  const expected = sha256(basic(administrator.user, administrator.password));
  const file = path.join(data, 'security.json');
  /** @type {Record<string, Security>} */
  const securities = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
  /** @type {Map<string, User>} */
  const known = new Map(); // by what they sent; cleared when a user changes
  /** @type {Map<string, Validator[]>} */
  const validators = new Map(); // by database; cleared when a design document of it changes
  const readJson = express.json({ limit: bodyLimit, type: () => true });

  /** @param {string} authorization @returns {Promise<User | null>} */
  async function userOf(authorization) {
    if (crypto.timingSafeEqual(sha256(authorization), expected)) return ADMINISTRATOR;
    const before = known.get(authorization);
    if (before) return before;
    const [name, ...rest] = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString().split(':');
    const user = await new PouchDB('_users').get(`org.couchdb.user:${name}`).catch(() => null);
    if (!user || user.derived_key !== hash(rest.join(':'), user.salt)) return null;
    const found = { name, roles: user.roles };
    known.set(authorization, found);
    return found;
  }

  /** @param {Request} request @param {Response} response @param {NextFunction} next */
  async function authenticate(request, response, next) {
    const user = await userOf(request.headers.authorization || '');
    if (user) {
      request.user = user;
      return next();
    }
    response.set('WWW-Authenticate', 'Basic realm="CouchDB"');
    return refuse(response, 401, 'unauthorized', 'Name or password is incorrect.');
  }

  // [database, part, ...]; a document's id may hold a slash only behind _design.
  /** @param {Request} request */
  const partsOf = (request) => request.path.split('/').filter(Boolean).map(decodeURIComponent);
  /** @param {Request} request */
  const isAdministrator = (request) => request.user.roles.includes('_admin');
  /** @param {User} user @param {Group} group */
  const holds = (user, group) => group.names.includes(user.name) || group.roles.some((one) => user.roles.includes(one));

  /** @param {Request} request @param {Response} response @param {NextFunction} next */
  function authorize(request, response, next) {
    const [database, part] = partsOf(request);
    if (isAdministrator(request) || ['_session', '_all_dbs'].includes(database) || !database) return next();
    const changesServer = database.startsWith('_') || (!part && ['PUT', 'DELETE'].includes(request.method));
    const writes = !READING.includes(request.method);
    if (changesServer || (writes && part === '_security') || ADMINISTRATORS_ONLY.includes(part)) {
      return refuse(response, 401, 'unauthorized', 'You are not a server admin.');
    }
    if (!holds(request.user, (securities[database] || NEW_DATABASE).members)) {
      return refuse(response, 403, 'forbidden', 'You are not allowed to access this db.');
    }
    return next();
  }

  /** @param {Request} request @param {Response} response @param {NextFunction} next */
  function security(request, response, next) {
    const [database, part] = partsOf(request);
    if (database === '_session') return response.json({ ok: true, userCtx: request.user });
    if (!part && request.method === 'DELETE') { delete securities[database]; validators.delete(database); }
    if (part !== '_security') return next();
    if (request.method !== 'PUT') return response.json(securities[database] || NEW_DATABASE);
    return readJson(request, response, () => {
      securities[database] = request.body;
      fs.writeFileSync(file, JSON.stringify(securities));
      response.json({ ok: true });
    });
  }

  /** @param {Doc} user */
  function hashPassword(user) {
    known.clear();
    if (!user.password) return;
    user.salt = crypto.randomBytes(16).toString('hex');
    user.derived_key = hash(user.password, user.salt);
    delete user.password;
  }

  /** @param {string} database */
  async function validatorsOf(database) {
    const before = validators.get(database);
    if (before) return before;
    const range = { startkey: '_design/', endkey: '_design0', include_docs: true };
    const { rows } = await new PouchDB(database).allDocs(range);
    const sources = rows.map((row) => row.doc.validate_doc_update).filter(Boolean);
    /** @type {Validator[]} */
    const found = sources.map((source) => vm.runInNewContext(`(${source})`));
    validators.set(database, found);
    return found;
  }

  /**
   * Null, or why this user may not write a document so.
   * @param {Request} request
   * @param {string} database
   * @param {Doc} doc
   * @param {boolean} isReplicated
   * @returns {Promise<string | null>}
   */
  async function refusal(request, database, doc, isReplicated) {
    if (String(doc._id).startsWith('_design/')) {
      request.res?.on('finish', () => validators.delete(database));
      return isAdministrator(request) ? null : 'You are not a db or server admin.';
    }
    const old = doc._rev && await new PouchDB(database).get(doc._id, { rev: doc._rev }).catch(() => null);
    const start = doc._rev && (old || isReplicated) ? Number(doc._rev.split('-')[0]) : 0;
    try {
      const checked = { ...doc, _revisions: { start, ids: [] } };
      (await validatorsOf(database)).forEach((check) => check(checked, old || null, request.user, {}));
      return null;
    } catch (thrown) {
      const { forbidden, unauthorized } = /** @type {{ forbidden?: string, unauthorized?: string }} */ (thrown);
      return forbidden || unauthorized || String(thrown);
    }
  }

  /** @param {Request} request @param {Response} response @param {NextFunction} next @param {string} database */
  async function checkBulk(request, response, next, database) {
    /** @type {{ docs: Doc[], new_edits?: boolean }} */
    const { docs, new_edits: edits } = request.body;
    const reasons = await Promise.all(docs.map((doc) => refusal(request, database, doc, edits === false)));
    if (!reasons.some(Boolean)) return next();
    request.body.docs = docs.filter((_doc, index) => !reasons[index]);
    const send = response.send.bind(response);
    response.send = (body) => {
      response.send = send;
      const rows = JSON.parse(body);
      if (!Array.isArray(rows)) return send(body);
      /** @param {number} index */
      const refused = (index) => ({ id: docs[index]._id, error: 'forbidden', reason: reasons[index] });
      const all = edits === false ? reasons.map((reason, index) => reason && refused(index)).filter(Boolean)
        : docs.map((_doc, index) => (reasons[index] ? refused(index) : rows.shift()));
      return send(JSON.stringify(all));
    };
    return next();
  }

  /**
   * @param {Request} request
   * @param {Response} response
   * @param {NextFunction} next
   * @param {string} database
   * @param {string} id
   * @param {boolean} isAttachment
   */
  async function checkOne(request, response, next, database, id, isAttachment) {
    const body = isAttachment || request.method === 'DELETE' ? {} : request.body;
    /** @type {Doc} */
    const doc = { ...body, _id: id };
    const revision = request.query.rev || body._rev || (request.headers['if-match'] || '').replace(/"/g, '');
    if (revision) doc._rev = revision;
    if (request.method === 'DELETE' && !isAttachment) doc._deleted = true;
    const reason = await refusal(request, database, doc, request.query.new_edits === 'false');
    return reason ? refuse(response, 403, 'forbidden', reason) : next();
  }

  /** @param {Request} request @param {string} part */
  const reads = ({ method }, part) => READING.includes(method) || (method === 'POST' && READING_BY_POST.includes(part));

  /** The server itself, a database as a whole, and what no other sees. @param {Request} request @param {string} database @param {string} part */
  const isNoDocument = ({ method }, database, part) => !database || !(part || method === 'POST') || part === '_local';

  /** @param {Request} request @param {Response} response @param {NextFunction} next */
  function validate(request, response, next) {
    const [database, part, more, name] = partsOf(request);
    if (reads(request, part) || isNoDocument(request, database, part)) return next();
    if (part === '_bulk_docs') {
      return readJson(request, response, (error) => error ? next(error)
        : checkBulk(request, response, next, database).catch(next));
    }
    const id = part === '_design' ? `_design/${more}` : part;
    const isAttachment = Boolean(part === '_design' ? name : more);
    const check = () => checkOne(request, response, next, database, id || request.body._id, isAttachment).catch(next);
    if (isAttachment || request.method === 'DELETE' || request.body) return check();
    return readJson(request, response, (error) => {
      if (error) return next(error);
      if (database === '_users') hashPassword(request.body);
      return check();
    });
  }

  return [authenticate, authorize, security, validate];
};
