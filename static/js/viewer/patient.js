/** The patient's page. What only dentists use is imported in dentist.js, so that no phone pays for it. */
import { start } from "./main.js";

start();
