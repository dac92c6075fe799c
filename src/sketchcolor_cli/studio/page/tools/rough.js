import { app, rememberColor } from "../app.js";
import { paintingTool } from "./painting.js";

/** A rough colouring, painted over the lines without care. */
export const rough = paintingTool(
  () => ({ layer: "rough", color: app.value.color, erase: false, radius: app.value.radii.rough }),
  ({ session }, stroke) => {
    rememberColor(stroke.color);
    session.apply([...session.strokes, stroke]);
  },
);
