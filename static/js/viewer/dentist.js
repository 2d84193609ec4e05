/** The page of dentists and of the desk: the viewer with every tool. */
import { KeptRenderer } from "./kept_renderer.js";
import { start } from "./main.js";
import { Workbench } from "./workbench.js";

start({ canvasView: (how) => new Workbench(how), canvasRenderer: KeptRenderer });
