/** Which key does which deed of tools.js. The sheet in templates/viewer/_keys.html lists the same; a test compares. */

export const KEYS = {
  c: "cross", d: "distance", a: "angle", b: "light", Backspace: "remove", Delete: "remove", Escape: "leave",
  v: "pane", l: "layout", h: "hide", q: "turnLeft", e: "turnRight", r: "reset",
  s: "slab", "]": "thicker", "[": "thinner",
  w: "window", i: "invert", " ": "play", k: "keep", p: "print", "?": "help",
};

/** @param {string} key As the browser names it. @returns {string|undefined} */
export function deedOfKey(key) {
  return KEYS[key.length === 1 ? key.toLowerCase() : key];
}
