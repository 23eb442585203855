// What the modules of an upload share, those of the worker and those of pages.

type RowState = "missing" | "waiting" | "sending" | "accepted" | "taken" | "done" | "stored" | "failed" | "rejected" | "cancelled";

/** What else is known of a row in a new state. */
interface News {
  reason?: string;
  duplicate?: boolean;
  damaged?: boolean;
}

/** A file as it was chosen; its path begins with the folder that was chosen. */
interface Chosen {
  file: File;
  path: string;
}

/** What is kept of a file until it has arrived, for after a crash. */
interface Remembered {
  key: string;
  batch: string;
  path: string;
  size: number;
  modified: number;
  recipes: string[];
}

/** A file to be sent, once for all its recipes; without its bytes it was remembered. */
interface Item extends Remembered {
  file: File | null;
  rows: Row[];
  attempts: number;
  digest?: string;
  /** It goes in a request of its own. */
  alone?: boolean;
  /** Its bytes are dealt with, sent or not. */
  settled?: boolean;
}

/** A file under a recipe; what the ledger tells has no item. */
interface Row {
  item: Item | null;
  path: string;
  size: number;
  recipe: string;
  state: RowState;
  id: string | null;
  reason: string;
  duplicate: boolean;
  damaged: boolean;
  /** Asking again may help. */
  passing: boolean;
  reached: number;
  gone?: boolean;
}

/** A row as pages are told it. */
type ShownRow = Omit<Row, "item" | "gone" | "passing">;

type Order = "chosen" | "name" | "size" | "state";
type Shown = "all" | "open" | "stored" | "wrong";

/** The part of the list that a page shows. */
interface Part {
  first: number;
  last: number;
  shown: Shown;
  order: Order;
  text: string;
}

/** An upload as pages are told it. */
interface UploadState {
  batch: string;
  recipes: string[];
  counts: Record<RowState, number>;
  offered: number;
  inFlight: number;
  toSend: number;
  bytesDone: number;
  bytesAll: number;
  bytesSent: number;
  perSecond: number | null;
  bytesPerSecond: number | null;
  tookSeconds: number;
  looking: number;
  known: number;
  there: number;
  chosenTwice: number;
  /** Files which were accepted by their hashes. */
  unsent: number;
  passing: number;
  reasons: { code: string; count: number; reason: string }[];
  note: string;
  paused: boolean;
  signedOut: boolean;
  reading: boolean;
}

/** What pages tell the uploads. */
type Asked =
  | { kind: "hello"; who: string; maxBytes: number; operates: boolean }
  | { kind: "look"; batch: string | null }
  | { kind: "part"; part: Part }
  | { kind: "add"; batch: string; isNew: boolean; recipes: string[]; files: Chosen[] }
  | { kind: "pause" | "continue" | "cancel" | "retry" | "forget"; batch: string }
  | { kind: "heard"; batch: string; id: string; state: RowState; news: News }
  | { kind: "lost" }
  | { kind: "leave" };

/** What the uploads tell pages. */
type Answered =
  | { kind: "state"; state: UploadState | null }
  | { kind: "rows"; rows: ShownRow[]; first: number; count: number }
  /** What was added was not taken: the page is of a session that is over. */
  | { kind: "not-yours" };
