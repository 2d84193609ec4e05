/** The page of dentists and of the desk: the viewer with every tool. */
import { start } from "./main.js";

start();
