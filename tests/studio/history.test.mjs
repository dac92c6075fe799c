import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "../../src/sketchcolor_cli/studio/page/core/history.js";

test("ten thousand steps are undone and done again", () => {
  const history = new History([]);
  const states = [history.present];
  for (let step = 0; step < 10_000; step += 1) {
    history.push([...history.present.slice(-3), step]);
    states.push(history.present);
  }
  for (let at = states.length - 1; at > 0; at -= 1) {
    assert.equal(history.present, states[at]);
    assert.ok(history.undo());
  }
  assert.ok(!history.undo());
  assert.ok(!history.canUndo);
  for (let at = 1; at < states.length; at += 1) {
    assert.ok(history.redo());
    assert.equal(history.present, states[at]);
  }
  assert.ok(!history.redo());
});

test("a new step forgets what was undone", () => {
  const history = new History("a");
  history.push("b");
  history.push("c");
  history.undo();
  history.push("d");
  assert.ok(!history.canRedo);
  history.undo();
  assert.equal(history.present, "b");
});

test("the same state again is no step", () => {
  const history = new History("a");
  history.push("a");
  assert.ok(!history.canUndo);
});
