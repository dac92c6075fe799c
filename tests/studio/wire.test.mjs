import assert from "node:assert/strict";
import { test } from "node:test";
import { fileSize, momentText, progressOf } from "../../src/sketchcolor_cli/studio/page/core/amounts.js";
import { readFrame } from "../../src/sketchcolor_cli/studio/page/core/frame.js";
import { format, pickLanguage } from "../../src/sketchcolor_cli/studio/page/core/i18n.js";
import { Live } from "../../src/sketchcolor_cli/studio/page/core/live.js";
import { routeOf } from "../../src/sketchcolor_cli/studio/page/core/router.js";
import { Saver } from "../../src/sketchcolor_cli/studio/page/core/saver.js";
import { EventReader } from "../../src/sketchcolor_cli/studio/page/core/sse.js";
import { Store } from "../../src/sketchcolor_cli/studio/page/core/store.js";

test("events are put together wherever the stream is cut", () => {
  const stream = ": ping\n\nevent: page\ndata: {\"a\":\ndata: 1}\n\nevent: job\r\ndata: 2\r\n\r\n";
  for (let cut = 0; cut <= stream.length; cut += 1) {
    const reader = new EventReader();
    const found = [...reader.read(stream.slice(0, cut)), ...reader.read(stream.slice(cut))];
    assert.deepEqual(found, [{ name: "page", data: '{"a":\n1}' }, { name: "job", data: "2" }], `cut at ${cut}`);
  }
});

test("a frame is header and picture, and a short one is refused", () => {
  const header = new TextEncoder().encode('{"stage":"final","name":"ページ"}');
  const buffer = new Uint8Array(4 + header.length + 3);
  new DataView(buffer.buffer).setUint32(0, header.length);
  buffer.set(header, 4);
  buffer.set([1, 2, 3], 4 + header.length);
  const read = readFrame(buffer.buffer);
  assert.deepEqual(read.header, { stage: "final", name: "ページ" });
  assert.deepEqual([...read.bytes], [1, 2, 3]);
  assert.throws(() => readFrame(buffer.buffer.slice(0, 9)), /cut short/);
  assert.throws(() => readFrame(new ArrayBuffer(2)), /cut short/);
});

test("the language is the chosen one, else the first that is known", () => {
  assert.equal(pickLanguage("ja", ["es-MX"]), "ja");
  assert.equal(pickLanguage(null, ["fr", "es-MX", "en"]), "es");
  assert.equal(pickLanguage(null, ["fr"]), "en");
  assert.equal(format("{a} of {b} {c}", { a: 1, b: "two" }), "1 of two {c}");
});

test("an address names a screen", () => {
  assert.deepEqual(routeOf("#/page/00ff"), { screen: "page", page: "00ff" });
  assert.deepEqual(routeOf("#/book"), { screen: "book", page: null });
  assert.equal(routeOf("#/page/%E0").page, "%E0"); // of no page, and no reason to stop
  for (const other of ["", "#", "#/", "#/page/", "#sometoken"]) assert.equal(routeOf(other).screen, "shelf");
});

test("amounts in words", () => {
  assert.deepEqual([0, 999, 1200, 123_456, 3_123_456].map(fileSize), ["0 B", "999 B", "1.2 kB", "123 kB", "3.1 MB"]);
  assert.equal(progressOf({ done: 3, skipped: 1, failed: [{}], total: 10 }), 0.5);
  assert.equal(progressOf({ done: 0, skipped: 0, failed: [], total: 0 }), 0);
  assert.equal(momentText("nonsense", "en"), "");
});

test("a store calls who listens to what changed, once", () => {
  const store = new Store({ a: 1, b: 1, c: 1 });
  let calls = 0;
  const end = store.watch(["a", "b"], () => (calls += 1));
  store.set({ a: 2, b: 2 });
  store.set({ c: 2 });
  store.set({ a: 2 });
  assert.equal(calls, 2);
  end();
  store.set({ a: 3 });
  assert.equal(calls, 2);
});

const settled = () => new Promise((done) => setTimeout(done, 20));

function saver(save) {
  const states = [];
  const explain = (error) => ({ status: error.status, detail: "" });
  return [new Saver("r0", { save, tell: (state) => states.push(state), explain }), states];
}

test("what changes while it is being saved is saved again", async () => {
  const revisions = [];
  let finish;
  const [one, states] = saver((revision) => {
    revisions.push(revision);
    return new Promise((done) => (finish = () => done(`after ${revision}`)));
  });
  one.touch();
  const first = one.flush();
  one.touch();
  finish();
  await first;
  assert.equal(states.at(-1), "waiting");
  const second = one.flush();
  await settled();
  finish();
  await second;
  assert.deepEqual(revisions, ["r0", "after r0"]);
  assert.equal(states.at(-1), "saved");
  one.stop();
});

test("after a conflict nothing is sent until it is settled", async () => {
  let sent = 0;
  const [one, states] = saver(async () => {
    sent += 1;
    if (sent === 1) throw Object.assign(new Error(), { status: 412 });
    return "mine";
  });
  one.touch();
  await one.flush();
  assert.equal(states.at(-1), "conflict");
  one.touch();
  await one.flush();
  assert.equal(sent, 1);
  one.settle("theirs", true);
  await settled();
  assert.equal(states.at(-1), "saved");
  assert.equal(one.revision, "mine");
});

test("without a connection it stays unsaved, and the next time is saved", async () => {
  let there = false;
  const [one, states] = saver(async () => {
    if (!there) throw Object.assign(new Error(), { status: 0 });
    return "r1";
  });
  one.touch();
  await one.flush();
  assert.equal(states.at(-1), "offline");
  there = true;
  await one.flush();
  assert.equal(states.at(-1), "saved");
  one.stop();
});

test("a saver that was stopped tells nothing more", async () => {
  let finish;
  const [one, states] = saver(() => new Promise((_, fail) => (finish = () => fail({ status: 0 }))));
  one.touch();
  const saving = one.flush();
  one.stop();
  finish();
  await saving;
  assert.deepEqual(states, ["waiting", "saving"]);
});

/** @returns a connection, its socket, and what it told. */
function connected() {
  const told = [];
  let socket;
  globalThis.WebSocket = class {
    static OPEN = 1;
    readyState = 1;
    constructor() {
      socket = this;
    }
    send() {}
    close() {}
  };
  globalThis.location = { protocol: "http:", host: "here" };
  globalThis.sessionStorage = { getItem: () => "token" };
  const live = new Live("page", {
    picture: (stage) => told.push(stage),
    variant: () => null,
    state: (state, problem) => told.push(problem ? `${state}: ${problem.detail}` : state),
  });
  return { live, socket, told };
}

test("pictures are shown in the order in which they came", async () => {
  const { live, socket, told } = connected();
  const pauses = [30, 0];
  globalThis.createImageBitmap = () => new Promise((done) => setTimeout(done, pauses.shift(), { close() {} }));
  live.ask({});
  for (const stage of ["quick", "final"]) {
    const header = new TextEncoder().encode(JSON.stringify({ number: 1, type: "picture", stage }));
    const frame = new Uint8Array(4 + header.length);
    new DataView(frame.buffer).setUint32(0, header.length);
    frame.set(header, 4);
    socket.onmessage({ data: frame.buffer });
  }
  await new Promise((done) => setTimeout(done, 80));
  assert.deepEqual(told, ["waiting", "quick", "final"]);
});

test("a page that is gone is not waited for", () => {
  const { live, socket, told } = connected();
  live.ask({});
  socket.onclose({ code: 4404, reason: "there is no such page" });
  assert.deepEqual(told, ["waiting", "idle: there is no such page"]);
});
