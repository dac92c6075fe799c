// Undo and redo without limit. A state is a value that is never changed, so a step costs one reference. Pure.

/**
 * @template T
 */
export class History {
  /** @param {T} state */
  constructor(state) {
    /** @type {T[]} */
    this.past = [];
    /** @type {T} */
    this.present = state;
    /** @type {T[]} */
    this.future = [];
  }

  /**
   * Go on to another state; what was undone can no longer be redone.
   *
   * @param {T} state
   */
  push(state) {
    if (state === this.present) return;
    this.past.push(this.present);
    this.present = state;
    this.future = [];
  }

  /** @returns {boolean} whether there was anything to undo */
  undo() {
    const state = this.past.pop();
    if (state === undefined) return false;
    this.future.push(this.present);
    this.present = state;
    return true;
  }

  /** @returns {boolean} whether there was anything to redo */
  redo() {
    const state = this.future.pop();
    if (state === undefined) return false;
    this.past.push(this.present);
    this.present = state;
    return true;
  }

  get canUndo() {
    return this.past.length > 0;
  }

  get canRedo() {
    return this.future.length > 0;
  }
}
