/** Starts the viewer on the page's viewer element. */
import { Viewer } from "./viewer.js";

export function start() {
  const root = document.getElementById("viewer");
  if (root) new Viewer(root).start();
}
