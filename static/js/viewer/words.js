/**
 * The words people read. The page brings them in its own language (a JSON block); English stands in for a word
 * the page doesn't bring.
 */

const ENGLISH = {
  loading: "Loading the pictures.",
  ready: "The pictures are ready.",
  slice: "slice {n} of {count}",
  picture: "picture {n} of {count}",
  axial: "From above",
  coronal: "Front",
  sagittal: "Side",
  panorama: "All teeth",
  sections: "Cross-sections",
  cheek: "Bu",
  tongue: "Li",
  image: "Picture",
  all: "All pictures",
  teeth: "Tooth X-rays",
  right: "Right",
  left: "Left",
  front: "Front",
  back: "Back",
  head: "Top",
  feet: "Bottom",
  unscaled: "not to scale",
  distance: "Distance",
  angle: "Angle",
  measured: "{kind}: {size}",
  lifesize: "Life size.",
  shrunk: "{percent} percent of life size.",
  solid: "3D",
  offline: "No connection. Trying again.",
  busy: "The pictures can't be reached right now. Trying again.",
  missing: "Part of this picture could not be loaded. It is shown striped.",
  smaller: "This device has too little memory for full detail. A smaller version is shown.",
  restoring: "The picture is coming back.",
  simple: "This browser can't run the full viewer, so you see simpler pictures.",
  failed: "The pictures could not be opened. Please reload the page, or call {practice}, {phone}.",
  nothing: "There is no picture to show here.",
  ended: "Access to these images has ended.",
  call: "Call {practice}: {phone}.",
  alternative: "{series}, {view}, {place}",
};

/**
 * @param {Document} page
 * @param {string} id Of the page's JSON block.
 * @returns {(key: string, values?: Record<string, string|number>) => string}
 */
export function readWords(page, id) {
  const block = page.getElementById(id);
  const words = { ...ENGLISH, ...(block ? JSON.parse(block.textContent) : {}) };
  return (key, values = {}) =>
    words[key].replace(/\{(\w+)\}/g, (place, name) => (name in values ? values[name] : place));
}
