/** Starts the viewer on the page's viewer element. */
import { Viewer } from "./viewer.js";

const root = document.getElementById("viewer");
if (root) new Viewer(root).start();
