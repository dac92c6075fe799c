// The tools by name.

import { brush } from "./brush.js";
import { eraser } from "./eraser.js";
import { mask } from "./mask.js";
import { picker } from "./picker.js";
import { point } from "./point.js";
import { rough } from "./rough.js";

/** @type {Record<string, import("./tool.js").Tool>} */
export const TOOLS = { brush, point, eraser, picker, rough, mask };

/** Tools that have a size of their own. */
export const SIZED = new Set(["brush", "point", "eraser", "rough", "mask"]);
