/** Starts the viewer on the page's viewer element. */
import { Viewer } from "./viewer.js";

/** @param {object} [face] See Viewer. */
export function start(face) {
  const root = document.getElementById("viewer");
  if (root) new Viewer(root, face).start();
}
