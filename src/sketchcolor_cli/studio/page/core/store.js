/**
 * A value that tells its listeners when parts of it change.
 *
 * @template {Record<string, any>} T
 */
export class Store {
  /** @param {T} value */
  constructor(value) {
    /** @type {T} */
    this.value = value;
    /** @type {Map<string, Set<(value: T) => void>>} */
    this.listeners = new Map();
  }

  /**
   * Change parts of the value, and call whoever listens to one of them, each once.
   *
   * @param {Partial<T>} change
   */
  set(change) {
    /** @type {Set<(value: T) => void>} */
    const due = new Set();
    const keys = Object.keys(change).filter((key) => this.value[key] !== change[key]);
    Object.assign(this.value, change);
    for (const key of keys) for (const listener of this.listeners.get(key) ?? []) due.add(listener);
    for (const listener of due) listener(this.value);
  }

  /**
   * Call a function now and whenever one of these parts changes.
   *
   * @param {(keyof T & string)[]} keys
   * @param {(value: T) => void} listener
   * @returns {() => void} ends it
   */
  watch(keys, listener) {
    for (const key of keys) {
      const all = this.listeners.get(key) ?? new Set();
      this.listeners.set(key, all.add(listener));
    }
    listener(this.value);
    return () => keys.forEach((key) => this.listeners.get(key)?.delete(listener));
  }
}
