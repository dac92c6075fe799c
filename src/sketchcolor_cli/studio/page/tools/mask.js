import { app } from "../app.js";
import { paintingTool } from "./painting.js";

const PROTECT = "#ffffff";
const FREE = "#000000";

/** Says by hand what stays paper and what does not. */
export const mask = paintingTool(
  () => ({
    layer: "mask",
    color: app.value.maskMode === "protect" ? PROTECT : FREE,
    erase: false,
    radius: app.value.radii.mask,
  }),
  ({ session }, stroke) => session.apply([...session.strokes, stroke]),
);
