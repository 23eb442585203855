// What the modules of an upload share.

type RowState = "waiting" | "sending" | "accepted" | "taken" | "done" | "stored" | "failed" | "rejected" | "cancelled";

/** What else is known of a row in a new state. */
interface News {
  reason?: string;
  duplicate?: boolean;
  damaged?: boolean;
}

/** A file under a recipe, as the list of an upload shows it. */
interface Row {
  item: Item;
  recipe: string;
  state: RowState;
  id: string | null;
  reason: string;
  duplicate: boolean;
  damaged?: boolean;
  version: number;
  reached: number;
  gone?: boolean;
}

/** A file to be sent, once for all its recipes. */
interface Item {
  file: File;
  recipes: string[];
  rows: Row[];
  attempts: number;
  key?: string;
  asked?: boolean;
}

/** The elements of a row which is seen. */
interface Line {
  row: Row | null;
  version: number;
  pictured: Row | null;
  preview: string;
  root: HTMLElement;
  thumb: HTMLElement;
  link: HTMLAnchorElement;
  name: HTMLElement;
  recipe: HTMLElement;
  size: HTMLElement;
  marks: HTMLElement[];
  state: HTMLElement;
}
