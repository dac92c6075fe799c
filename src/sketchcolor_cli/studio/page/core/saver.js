// Saves a document a moment after it changed, one request at a time, and notices when somebody else changed it.

/** @typedef {"saved" | "waiting" | "saving" | "conflict" | "offline" | "failed"} SaveState */

/**
 * @typedef {object} Deed
 * @property {(revision: string, closing: boolean) => Promise<string>} save sends it, returns its new revision
 * @property {(state: SaveState, detail?: string) => void} tell
 * @property {(error: unknown) => {status: number, detail: string}} explain
 */

const PAUSE = 500;
const AGAIN = 3000;

/** Saver of one document. */
export class Saver {
  /**
   * @param {string} revision that is known
   * @param {Deed} deed
   */
  constructor(revision, deed) {
    this.revision = revision;
    this.deed = deed;
    this.dirty = false;
    this.stopped = false;
    /** @type {SaveState} */
    this.state = "saved";
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {Promise<void> | null} */
    this.running = null;
  }

  /** @returns {boolean} whether all that changed is saved */
  get isSaved() {
    return !this.dirty && this.state === "saved";
  }

  /** Say that the document changed. */
  touch() {
    this.dirty = true;
    if (this.state === "conflict") return;
    this.#enter("waiting");
    this.#later(PAUSE);
  }

  /**
   * Save now what is not saved.
   *
   * @param {boolean} [closing] the window is closing
   * @returns {Promise<void>}
   */
  async flush(closing = false) {
    clearTimeout(this.timer);
    while (this.running && !closing) await this.running;
    if (!this.dirty || this.state === "conflict") return;
    this.running = this.#save(closing);
    await this.running;
  }

  /**
   * Do something else that changes the document, once ours is saved; what changes meanwhile is saved after it.
   *
   * @template T
   * @param {() => Promise<T>} deed
   * @returns {Promise<T>}
   */
  async during(deed) {
    await this.flush();
    const done = deed();
    this.running = done.then(
      () => {},
      () => {},
    );
    try {
      return await done;
    } finally {
      this.running = null;
    }
  }

  /**
   * Go on from another revision: after a conflict was settled, or when somebody else changed it and we had not.
   *
   * @param {string} revision
   * @param {boolean} dirty whether ours is to be saved over it
   */
  settle(revision, dirty) {
    this.revision = revision;
    this.dirty = dirty;
    this.#enter(dirty ? "waiting" : "saved");
    if (dirty) this.#later(0);
  }

  /** Stop: save nothing more, and tell nothing of what is being saved. */
  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** @param {number} pause */
  #later(pause) {
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => this.flush(), pause);
  }

  /** @param {boolean} closing */
  async #save(closing) {
    this.dirty = false;
    this.#enter("saving");
    try {
      this.revision = await this.deed.save(this.revision, closing);
      this.#enter(this.dirty ? "waiting" : "saved");
    } catch (error) {
      this.#failed(this.deed.explain(error));
    } finally {
      this.running = null;
    }
  }

  /** @param {{status: number, detail: string}} why */
  #failed({ status, detail }) {
    this.dirty = true;
    if (status === 412) this.#enter("conflict", detail);
    else if (status === 0 || status === 503 || status === 429) {
      this.#enter("offline", detail);
      this.#later(AGAIN);
    } else this.#enter("failed", detail);
  }

  /**
   * @param {SaveState} state
   * @param {string} [detail]
   */
  #enter(state, detail) {
    this.state = state;
    if (!this.stopped) this.deed.tell(state, detail);
  }
}
