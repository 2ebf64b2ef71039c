// Uploads that survive a page reload: a queue in IndexedDB, drained by one worker.
import { openDB } from 'idb'
import path from 'node:path'

const { basename, extname } = path;
const RETRY_DELAYS = [1_000, 5_000, 30_000]
const UNSAFE = /[<>:"/\\|?*{}\u0000-\u001f]/g;

/**
 * A name that every file system takes.
 * @param {string} name
 */
export function safeName(name) {
  const stem = basename(name, extname(name)).replace(UNSAFE, '_');
  // Windows refuses these even with an extension.
  if (/^(con|prn|aux|nul)$/i.test(stem)) {
    return `_${stem}${extname(name)}`;
  } else if (!stem) {
    return 'unnamed';
  }
  return stem + extname(name);
}

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

export class UploadQueue extends EventTarget {
  #running = false;
  static version = 3;

  constructor(database, { parallel = 2, fetch = globalThis.fetch, ...rest } = {}) {
    super();
    this.database = database;
    this.options = { parallel, fetch, ...rest };
    this.active = new Map();
  }

  get size() {
    return this.active.size;
  }

  async add(file, target) {
    const entry = {
      id: crypto.randomUUID(),
      name: safeName(file.name),
      target,
      attempts: 0,
      added: Date.now(),
    };
    await this.database.put('uploads', entry);
    this.dispatchEvent(new CustomEvent('queued', { detail: entry }));
    return entry.id;
  }

  async *entries() {
    let cursor = await this.database.transaction('uploads').store.openCursor();
    while (cursor) {
      yield cursor.value;
      cursor = await cursor.continue();
    }
  }

  async drain() {
    if (this.#running) return;
    this.#running = true;
    try {
      outer: for await (const entry of this.entries()) {
        for (const delay of RETRY_DELAYS) {
          if (await this.send(entry)) continue outer;
          await sleep(delay);
        }
        console.warn(`gave up on ${entry.name} after ${RETRY_DELAYS.length} tries: ${
          entry.error ? `last error was ${entry.error.message ?? 'unknown'}` : 'no error'
        }`);
      }
    } catch (error) {
      this.dispatchEvent(new ErrorEvent('error', { error }));
    } finally {
      this.#running = false;
    }
  }

  send(entry) {
    return this.options.fetch(entry.target, { method: 'PUT' })
      .then(response => {
        switch (response.status) {
          case 200:
          case 201:
            this.active.delete(entry.id);
            return true;
          case 409: {
            entry.name = `${Date.now()}-${entry.name}`;
            return false;
          }
          default:
            entry.attempts += 1;
            return response.status < 500;
        }
      })
      .catch(error => {
        entry.error = error;
        return false;
      });
  }
}

window.addEventListener('online', () => {
  openDB('uploads', UploadQueue.version, {
    upgrade(database) {
      database.createObjectStore('uploads', { keyPath: 'id' });
    },
  }).then(database => {
    const queue = new UploadQueue(database);
    queue.addEventListener('error', function (event) {
      console.error(event.error);
      setTimeout(() => queue.drain(), 60_000);
    });
    queue.drain();
  });
});
