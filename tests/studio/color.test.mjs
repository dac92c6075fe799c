import assert from "node:assert/strict";
import { test } from "node:test";
import { hexOf, labOf, meanColor, readHex, rgbOf, wantsDarkText } from "../../src/sketchcolor_cli/studio/page/core/color.js";
import { writePalette } from "../../src/sketchcolor_cli/studio/page/core/palettefile.js";

test("hex in every form, and nothing else", () => {
  assert.equal(readHex(" #AbC "), "#aabbcc");
  assert.equal(readHex("7a4A2b"), "#7a4a2b");
  for (const wrong of ["", "#12", "#1234", "red", "#12345g"]) assert.equal(readHex(wrong), null);
});

test("every colour goes to numbers and back", () => {
  for (let value = 0; value <= 0xffffff; value += 4099) {
    const hex = `#${value.toString(16).padStart(6, "0")}`;
    assert.equal(hexOf(rgbOf(hex)), hex);
  }
});

test("L*a*b* of known colours", () => {
  // Values of the sRGB primaries under D65, as published (Lindbloom).
  const known = [["#ffffff", [100, 0, 0]], ["#000000", [0, 0, 0]], ["#ff0000", [53.24, 80.09, 67.2]], ["#00ff00", [87.73, -86.18, 83.18]], ["#0000ff", [32.3, 79.19, -107.86]]];
  for (const [hex, lab] of known) labOf(rgbOf(hex)).forEach((one, at) => assert.ok(Math.abs(one - lab[at]) < 0.05, `${hex} ${at}: ${one}`));
});

test("text on a colour can be read", () => {
  assert.ok(wantsDarkText("#ffee88"));
  assert.ok(!wantsDarkText("#3b5fa0"));
});

test("the mean of pixels counts them by their alpha", () => {
  assert.equal(meanColor([255, 0, 0, 255, 0, 0, 255, 0]), "#ff0000");
  assert.equal(meanColor([0, 0, 0, 255, 200, 100, 50, 255]), "#643219");
  assert.equal(meanColor([9, 9, 9, 0]), null);
});

test("a palette is written as GIMP has it", () => {
  const swatches = [{ name: "Hair of Aoi", color: "#7a4a2b" }, { name: "空", color: "#88bbee" }];
  assert.deepEqual(writePalette(swatches, "my\nbook").split("\n"), [
    "GIMP Palette",
    "Name: my book",
    "Columns: 8",
    "#",
    "122  74  43\tHair of Aoi",
    "136 187 238\t空",
    "",
  ]);
});
