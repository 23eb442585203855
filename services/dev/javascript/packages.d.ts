// The packages of the stand-in that bring no types, as far as it uses them.

declare module "express-pouchdb" {
  import type { RequestHandler } from "express";
  function expressPouchdb(PouchDB: Pouch, options: object): RequestHandler;
  export = expressPouchdb;
}

declare module "pouchdb-core" {
  const PouchDB: Pouch;
  export = PouchDB;
}

declare module "pouchdb-adapter-leveldb" {}
declare module "pouchdb-mapreduce" {}
declare module "pouchdb-find" {}

declare module "pouchdb-collate" {
  function collate(one: unknown, other: unknown): number;
  function toIndexableString(key: unknown): string;
  function parseIndexableString(text: string): unknown;
}
