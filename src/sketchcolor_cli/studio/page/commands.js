// What can be done on every screen.

import { app } from "./app.js";
import { go } from "./core/router.js";
import { nextTheme } from "./core/theme.js";
import { openExport } from "./panels/export.js";
import { openKeys } from "./panels/keys.js";

/** @returns {import("./core/commands.js").Command[]} */
export function generalCommands() {
  const open = () => app.value.project !== null && app.value.project.pages.length > 0;
  return [
    { id: "shelf", icon: "home", keys: ["Ctrl+O"], group: "work", run: () => go("shelf") },
    { id: "book", icon: "book", keys: ["K"], group: "work", run: () => go("book"), enabled: open },
    { id: "export", icon: "export", keys: ["Ctrl+E"], group: "work", run: openExport, enabled: open },
    { id: "help", icon: "help", keys: ["?"], group: "work", run: openKeys },
    { id: "theme", icon: "auto", keys: ["T"], group: "work", run: nextTheme },
  ];
}
