// Files from the picker, from a folder, or dropped, folders included.

const MOST_AT_ONCE = 100_000;

/**
 * Dropped files; the entries must be taken before the first wait, or the browser forgets them.
 * @param {DataTransfer} transfer
 */
export async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry !== null && entry !== undefined);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  /** @type {File[]} */
  const found = [];
  for (const entry of entries) await collect(entry, found);
  return found;
}

/** @param {FileSystemEntry} entry @returns {Promise<File | null>} */
const fileOf = (entry) => new Promise((resolve) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, () => resolve(null)));

/** @param {FileSystemDirectoryReader} reader @returns {Promise<FileSystemEntry[]>} */
const nextOf = (reader) => new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));

/** @param {FileSystemEntry} entry @param {File[]} found */
async function collect(entry, found) {
  if (found.length >= MOST_AT_ONCE || entry.name.startsWith(".")) return;
  if (entry.isFile) {
    const file = await fileOf(entry);
    if (file) found.push(file);
    return;
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  for (;;) {
    const part = await nextOf(reader);
    if (!part.length) return;
    for (const child of part) await collect(child, found);
  }
}

/** Can it still be read? Files that were moved or changed since they were chosen cannot. @param {File} file */
export async function readable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
