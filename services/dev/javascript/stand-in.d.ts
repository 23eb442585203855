// What the modules of the stand-in for CouchDB share.

/** A document as CouchDB has it; it may be anything else too. */
interface Doc {
  _id: string;
  _rev?: string;
  _deleted?: boolean;
  [member: string]: any;
}

interface Change {
  id: string;
  deleted?: boolean;
  doc: Doc;
}

interface Database {
  get(id: string, options?: object): Promise<Doc>;
  allDocs(options: object): Promise<{ rows: { doc: Doc }[] }>;
  changes(options: object): Promise<{ results: Change[]; last_seq: number | string }>;
}

/** PouchDB's packages put together: opens databases by their names. */
interface Pouch {
  new (name: string): Database;
  allDbs(): Promise<string[]>;
  plugin(plugin: object): Pouch;
  defaults(options: object): Pouch;
}

interface User {
  name: string;
  roles: string[];
}

interface Group {
  names: string[];
  roles: string[];
}

interface Security {
  admins: Group;
  members: Group;
}

declare namespace Express {
  interface Request {
    user: User;
  }
}

/** A question to a view, and below what is kept of its answers. */
interface Query {
  reduce?: boolean;
  group?: boolean;
  key?: unknown;
  keys?: unknown[];
  start_key?: unknown;
  end_key?: unknown;
  descending?: boolean;
  limit?: number;
}

interface Sum {
  key: unknown;
  value: any;
}

interface Line {
  at: string;
  id: string;
  value: unknown;
}

/** What a design document checks writes with; it throws why not. */
type Validator = (doc: Doc, old: Doc | null, user: User, security: object) => void;
