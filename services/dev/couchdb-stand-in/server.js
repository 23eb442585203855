// A development stand-in for CouchDB: PouchDB's packages answer its HTTP API, LevelDB keeps the documents.
// Not for data that matters. Settings come through the environment:
//   STAND_IN_DATA      folder of the databases        STAND_IN_PORT   port
//   STAND_IN_HOST      address to listen at (127.0.0.1)
//   STAND_IN_USER, STAND_IN_PASSWORD                  the administrator; all but GET / and /_up asks for a user
//   STAND_IN_TLS       folder with tls.crt and tls.key, if it is to speak TLS
'use strict';

/** @import { NextFunction, Request, Response } from 'express' */

const fs = require('fs');
const http = require('http');
const https = require('https');
const path = require('path');
const express = require('express');
const expressPouchdb = require('express-pouchdb');
const multipart = require('./multipart');
const rights = require('./rights');
const views = require('./views');

const REQUEST_LIMIT_BYTES = 128 * 1024 * 1024; // two of the 64 MiB that callers may send: base64 and JSON make them longer
const IDLE_CONNECTION_MS = 10 * 60 * 1000; // a pool of kept-alive connections must not lose one in the act of using it

const {
  STAND_IN_DATA: data, STAND_IN_PORT: port, STAND_IN_HOST: host = '127.0.0.1', STAND_IN_USER: user, STAND_IN_PASSWORD: password,
  STAND_IN_TLS: tls,
} = process.env;
if (!data || !port || !user || !password) {
  console.error('The stand-in needs STAND_IN_DATA, STAND_IN_PORT, STAND_IN_USER and STAND_IN_PASSWORD.');
  process.exit(2);
}

fs.mkdirSync(data, { recursive: true });
const PouchDB = require('pouchdb-core')
  .plugin(require('pouchdb-adapter-leveldb'))
  .plugin(require('pouchdb-mapreduce'))
  .plugin(require('pouchdb-find'))
  // A deterministic revision would be the hash of the document as JSON, with each byte of its attachments spelt out.
  .defaults({ prefix: data + path.sep, deterministic_revs: false });

// CouchDB names the attachments of a multipart/related body by their order in the document.
// PouchDB's own parser names them by a header which CouchDB does not ask for, and leaves temporary files behind.
/** @param {Request} request @param {Response} response @param {NextFunction} next */
function readMultipart(request, response, next) {
  const contentType = request.headers['content-type'] || '';
  if (request.method !== 'PUT' || !/^multipart\/related/i.test(contentType)) return next();
  return express.raw({ type: () => true, limit: REQUEST_LIMIT_BYTES })(request, response, (error) => {
    if (error) return next(error);
    try {
      request.body = multipart.document(request.body, contentType);
    } catch (problem) {
      return response.status(400).json({ error: 'bad_request', reason: problem instanceof Error ? problem.message : String(problem) });
    }
    request.headers['content-type'] = 'application/json';
    return next();
  });
}

// Express answers conditional requests by itself; ranges of attachments, which CouchDB also serves, it leaves to us.
/** @param {Request} request @param {Response} response @param {NextFunction} next */
function serveRanges(request, response, next) {
  if (request.method !== 'GET' || !request.headers.range) return next();
  const send = response.send.bind(response);
  response.send = (body) => {
    response.send = send;
    const isAttachment = Buffer.isBuffer(body) && response.statusCode === 200 && response.get('ETag');
    const ranges = isAttachment ? request.range(body.length) : undefined;
    if (ranges === -1) return response.status(416).set('Content-Range', `bytes */${body.length}`).end();
    if (!Array.isArray(ranges) || ranges.type !== 'bytes' || ranges.length !== 1) return send(body);
    const { start, end } = ranges[0];
    response.status(206).set('Content-Range', `bytes ${start}-${end}/${body.length}`);
    return send(body.subarray(start, end + 1));
  };
  return next();
}

const app = express();
app.disable('x-powered-by');
app.get('/', (_request, response) => response.json({
  couchdb: 'Welcome', version: '3.0.0', vendor: { name: 'PouchDB, a development stand-in for CouchDB' },
}));
app.get('/_up', (_request, response) => response.json({ status: 'ok' }));
const [authenticate, ...guards] = rights(PouchDB, data, { user, password }, REQUEST_LIMIT_BYTES);
app.use(authenticate, readMultipart, ...guards, views(PouchDB, REQUEST_LIMIT_BYTES), serveRanges);
// Without PouchDB's own users, request log, web console and compression: each costs time in every request.
app.use(expressPouchdb(PouchDB, {
  mode: 'custom',
  overrideMode: {
    include: ['all-dbs', 'db', 'bulk-docs', 'bulk-get', 'all-docs', 'changes', 'compact', 'revs-diff', 'view-cleanup',
      'find', 'views', 'ddoc-info', 'attachments', 'documents', '404'].map((part) => `routes/${part}`),
  },
}));
/**
 * @param {Error & { status?: number, type?: string }} error
 * @param {Request} _request
 * @param {Response} response
 * @param {NextFunction} _next
 */
function answerProblem(error, _request, response, _next) {
  response.status(error.status || 500).json({ error: error.type || 'internal_server_error', reason: error.message });
}

app.use(answerProblem);

const server = tls
  ? https.createServer({ cert: fs.readFileSync(path.join(tls, 'tls.crt')), key: fs.readFileSync(path.join(tls, 'tls.key')) }, app)
  : http.createServer(app);
server.listen(Number(port), host, () => console.log(`listening on ${host}:${port}`));
server.keepAliveTimeout = IDLE_CONNECTION_MS;
server.headersTimeout = IDLE_CONNECTION_MS + 1000;
server.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});

// PouchDB lets such an error go where a database is removed while somebody still asks for it. The others go on.
process.on('unhandledRejection', (error) => console.error('nobody handled', error));

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close(() => process.exit(0));
    if (server.closeIdleConnections) server.closeIdleConnections();
    setTimeout(() => process.exit(0), 1500);
  });
}
