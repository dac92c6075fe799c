// Server-sent events, read from a stream. Pure: takes text, gives events.

/** @typedef {{name: string, data: string}} ServerEvent */

/** Puts events together from pieces of text, wherever these are cut. */
export class EventReader {
  constructor() {
    this.rest = "";
  }

  /**
   * @param {string} text
   * @returns {ServerEvent[]} those that are complete by now
   */
  read(text) {
    const blocks = (this.rest + text.replaceAll("\r", "")).split("\n\n");
    this.rest = blocks.pop() ?? "";
    return blocks.map(eventOf).filter((event) => event !== null);
  }
}

/** @param {string} block @returns {ServerEvent | null} */
function eventOf(block) {
  let name = "message";
  const data = [];
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    const field = at < 0 ? line : line.slice(0, at);
    const value = at < 0 ? "" : line.slice(at + 1).replace(/^ /, "");
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
  }
  return data.length ? { name, data: data.join("\n") } : null;
}
