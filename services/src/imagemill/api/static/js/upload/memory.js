// What is remembered of uploads after a crash: files that have not arrived, by their keys. Where the browser keeps
// nothing, nothing is remembered.

const NAME = "imagemill-uploads";
const FILES = "files";
const FOLDERS = "folders";
/** Some browsers never answer; files are sent all the same. */
const LONGEST_MS = 3000;

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const answered = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** @type {Promise<IDBDatabase> | null} */
let opened = null;

function open() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(FILES, { keyPath: "key" }).createIndex("batch", "batch");
    request.result.createObjectStore(FOLDERS, { keyPath: "batch" });
  };
  const late = new Promise((_, reject) => setTimeout(reject, LONGEST_MS));
  return Promise.race([answered(request), /** @type {Promise<never>} */ (late)]);
}

/**
 * @template T
 * @param {string} name
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T> | void} work
 * @returns {Promise<T | undefined>}
 */
async function within(name, mode, work) {
  try {
    const database = await (opened ??= open());
    const transaction = database.transaction(name, mode);
    const request = work(transaction.objectStore(name));
    if (request) return await answered(request);
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = reject;
    });
  } catch {
    // Private windows, and full disks.
  }
  return undefined;
}

/** @param {(Remembered & { who: string })[]} files */
export const remember = (files) => within(FILES, "readwrite", (store) => files.forEach((file) => store.put(file)));

/** @param {string[]} keys */
export const forget = (keys) => within(FILES, "readwrite", (store) => keys.forEach((key) => store.delete(key)));

/** Of somebody, the newest last: keys sort by time. @param {string} who @returns {Promise<Remembered[]>} */
export async function remembered(who) {
  /** @type {(Remembered & { who: string })[]} */
  const files = (await within(FILES, "readonly", (store) => store.getAll())) ?? [];
  return files.filter((file) => file.who === who).map(({ who: _, ...file }) => file);
}

/** Handles of what was chosen for a batch: with them it can be read again. @param {string} batch @param {FileSystemHandle[]} handles */
export async function rememberHandles(batch, handles) {
  const before = await handlesOf(batch);
  await within(FOLDERS, "readwrite", (store) => void store.put({ batch, handles: [...before, ...handles] }));
}

/** @param {string} batch @returns {Promise<FileSystemHandle[]>} */
export const handlesOf = async (batch) => (await within(FOLDERS, "readonly", (store) => store.get(batch)))?.handles ?? [];

/** @param {string} batch */
export const forgetHandles = (batch) => within(FOLDERS, "readwrite", (store) => void store.delete(batch));
