import { app, rememberColor } from "../app.js";
import { paintingTool } from "./painting.js";

/** Strokes whose colours spread inside the lines. */
export const brush = paintingTool(
  () => ({ layer: "hint", color: app.value.color, erase: false, radius: app.value.radii.brush }),
  ({ session }, stroke) => {
    rememberColor(stroke.color);
    session.apply([...session.strokes, stroke]);
  },
);
