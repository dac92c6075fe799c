// Binary frames of the live connection: length of the header, header as JSON, picture. Pure.

/**
 * @param {ArrayBuffer} buffer
 * @returns {{header: Record<string, any>, bytes: Uint8Array}}
 * @throws {Error} it is not a frame
 */
export function readFrame(buffer) {
  const length = buffer.byteLength >= 4 ? new DataView(buffer).getUint32(0) : Infinity;
  if (length > buffer.byteLength - 4) throw new Error("a frame is cut short");
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  return { header, bytes: new Uint8Array(buffer, 4 + length) };
}
