import assert from "node:assert/strict";
import { test } from "node:test";
import { ariaKey, belongsToFocus, keyMap, keyName } from "../../src/sketchcolor_cli/studio/page/core/keys.js";

test("keys have one name, whatever the case and the machine", () => {
  const names = [
    [{ key: "b" }, "B"],
    [{ key: "B", shiftKey: true }, "Shift+B"],
    [{ key: "z", ctrlKey: true }, "Ctrl+Z"],
    [{ key: "Z", metaKey: true, shiftKey: true }, "Ctrl+Shift+Z"],
    [{ key: "?", shiftKey: true }, "?"],
    [{ key: "[", altKey: true }, "["],
    [{ key: " " }, "Space"],
    [{ key: "Tab", shiftKey: true }, "Shift+Tab"],
    [{ key: "5" }, "5"],
  ];
  for (const [press, name] of names) assert.equal(keyName(press), name);
  assert.equal(ariaKey("Ctrl+Shift+Z"), "Control+Shift+Z");
});

const focus = (tag, type = "", role = "") => ({ tag, type, editable: false, role });

test("typing is typing", () => {
  for (const key of ["B", "5", "Enter", "Space", "Ctrl+Z", "ArrowLeft"]) assert.ok(belongsToFocus(key, focus("INPUT", "text")), key);
  assert.ok(!belongsToFocus("Ctrl+S", focus("INPUT", "text")));
  assert.ok(!belongsToFocus("Escape", focus("INPUT", "number")));
});

test("a button keeps Enter and Space, and lets letters through", () => {
  assert.ok(belongsToFocus("Enter", focus("BUTTON")));
  assert.ok(belongsToFocus("Space", focus("SUMMARY")));
  assert.ok(!belongsToFocus("B", focus("BUTTON")));
  assert.ok(!belongsToFocus("Ctrl+Z", focus("BUTTON")));
});

test("a slider keeps its arrows, and a menu its letters", () => {
  assert.ok(belongsToFocus("ArrowLeft", focus("INPUT", "range")));
  assert.ok(!belongsToFocus("B", focus("INPUT", "range")));
  assert.ok(belongsToFocus("B", focus("SELECT")));
  assert.ok(!belongsToFocus("Enter", focus("CANVAS")));
});

test("two commands on one key are a mistake", () => {
  assert.equal(keyMap([{ id: "a", keys: ["A", "B"] }]).get("B"), "a");
  assert.throws(() => keyMap([{ id: "a", keys: ["A"] }, { id: "b", keys: ["A"] }]), /A is the key of a and of b/);
});
