// Files from the picker, from a folder, or dropped, folders included; in the order of their names.

const MOST_AT_ONCE = 100_000;
const byName = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** @param {Chosen[]} files */
const inOrder = (files) => files.sort((one, other) => byName.compare(one.path, other.path));

/** Hidden files of a folder stay out. @param {Iterable<File>} files @returns {Chosen[]} */
export function pickedFiles(files) {
  const found = [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
  return inOrder(found.filter(({ file, path }) => path === file.name || !/(^|\/)\./.test(path)));
}

/**
 * Dropped files; the entries must be taken before the first wait, or the browser forgets them. Where the browser gives
 * handles of them it gives them too: with those they can be read again after a crash.
 * @param {DataTransfer} transfer
 */
export async function droppedFiles(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry !== null && entry !== undefined);
  const loose = [...transfer.files];
  const handles = Promise.all(items.map((item) => /** @type {any} */ (item).getAsFileSystemHandle?.().catch(() => null)));
  /** @type {Chosen[]} */
  const files = [];
  for (const entry of entries) await collect(entry, files);
  const found = entries.length ? inOrder(files) : pickedFiles(loose);
  return { files: found, handles: /** @type {FileSystemHandle[]} */ ((await handles).filter(Boolean)) };
}

/** @param {FileSystemEntry} entry @returns {Promise<File | null>} */
const fileOf = (entry) => new Promise((resolve) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, () => resolve(null)));

/** @param {FileSystemDirectoryReader} reader @returns {Promise<FileSystemEntry[]>} */
const nextOf = (reader) => new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));

/** @param {FileSystemEntry} entry @param {Chosen[]} found */
async function collect(entry, found) {
  if (found.length >= MOST_AT_ONCE || entry.name.startsWith(".")) return;
  if (entry.isFile) {
    const file = await fileOf(entry);
    if (file) found.push({ file, path: entry.fullPath.replace(/^\/+/, "") });
    return;
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  for (;;) {
    const part = await nextOf(reader);
    if (!part.length) return;
    for (const child of part) await collect(child, found);
  }
}

/** What the handles of an earlier drop lead to; asks the person where the browser wants that. @param {FileSystemHandle[]} handles */
export async function filesOfHandles(handles) {
  /** @type {Chosen[]} */
  const found = [];
  for (const handle of handles) {
    const state = await /** @type {any} */ (handle).requestPermission?.({ mode: "read" });
    if (state !== "denied") await walk(handle, "", found);
  }
  return inOrder(found);
}

/** @param {FileSystemHandle} handle @param {string} folder @param {Chosen[]} found */
async function walk(handle, folder, found) {
  if (found.length >= MOST_AT_ONCE || handle.name.startsWith(".")) return;
  const path = folder + handle.name;
  try {
    if (handle.kind === "file") {
      found.push({ file: await /** @type {FileSystemFileHandle} */ (handle).getFile(), path });
      return;
    }
    for await (const child of /** @type {any} */ (handle).values()) await walk(child, `${path}/`, found);
  } catch {
    // It was moved, or is not ours to read: the list says what is missing.
  }
}
